// What a command handler sees of the keyspace: a window on one database at one moment, in which
// time stands still and expired keys do not exist. Reads can write too: on a primary, meeting an
// expired key deletes it and states the DEL.
//
// A change is one statement: what happened, and what replicas must execute for it. Whole keys are
// changed by View itself, containers through Edit, below.
//
// Threads: used by the thread that holds the stripes of the command's keys, for the length of one
// command. Entries and containers it returns are valid until that key changes or the command ends.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "keyspace/effects.h"
#include "keyspace/garbage.h"
#include "keyspace/keyspace.h"

namespace tandem {

// What becomes of a key whose time is over.
enum class ExpiryMode : uint8_t {
  kDelete,  // a primary: deleted when met, and the DEL goes to the log
  kHide,    // a replica, or writes are paused: invisible, but only the primary's DEL removes it
  kClear,   // a write of a writable replica's own client: deleted when met; a deadline in the past
            // only hides
  kIgnore,  // applying a primary's stream or loading a file: the key counts as there
};

struct KeyName {
  int database;
  std::string key;
  auto operator<=>(const KeyName&) const = default;
};

// An expiry that a writable replica's own client gave.
struct OwnExpiry {
  KeyName name;
  int64_t expiry_ms;
};

struct DeclaredKey {
  Bytes key;
  KeyPlace place;
};

// Hears what an execution does to keys: on its thread, under their stripes.
class KeyListener {
 public:
  virtual void heard(const KeyEvent& event, int database, Bytes key) = 0;
  // The key is not what it was. Comes behind the event that says how.
  virtual void changed(const KeyEvent& /*event*/, Bytes /*key*/, const KeyPlace& /*place*/) {}

 protected:
  ~KeyListener() = default;
};

// One execution's access to the keyspace, shared by its views. Owned and reset by the engine.
class KeyAccess {
 public:
  KeyAccess(Keyspace& keyspace, const EncodingLimits& limits, Effects& effects)
      : keyspace_(keyspace), limits_(limits), effects_(effects), chance_(keyspace.traits().seed) {}
  ~KeyAccess() { free_garbage(); }
  KeyAccess(const KeyAccess&) = delete;
  KeyAccess& operator=(const KeyAccess&) = delete;

  // `declared` and `held`, the stripes that are held, outlive the execution.
  void begin(int64_t now_ms, ExpiryMode mode, std::span<const DeclaredKey> declared,
             const StripeSet& held);
  // For the next command of the same execution. All that it touches is held.
  void declare(std::span<const DeclaredKey> declared) { declared_ = declared; }
  // Whether what follows is a use of the keys that it looks up (CLIENT NO-TOUCH).
  void let_uses_count(bool on) { uses_count_ = on; }
  bool holds(int stripe) const { return held_->has(stripe); }
  // For who declared everything.
  const AllStripes& all_stripes() const {
    CHECK(held_->is_all(), "what concerns whole databases declares everything");
    return everything_;
  }

  KeyPlace place(Bytes key) const;
  // Keys of other stripes than those that are held count as absent, as far as this execution goes.
  void show_only_held() { only_held_ = true; }
  bool shows(const KeyPlace& place) const { return !only_held_ || holds(place.stripe()); }

  // A key was looked up in order to work with it.
  void note_use(Entry& entry) {
    if (by_frequency_ || !uses_count_) [[unlikely]]
      return note_use_closer(entry);
    // Most often this second is noted already, and the line of memory stays as it is.
    const uint32_t use = use_by_recency(now_s_);
    if (entry.use() != use) entry.set_use(use);
  }
  // Of a key that is new.
  uint32_t fresh_use() const {
    return by_frequency_ ? use_by_frequency(kNewKeyFrequency, now_s_) : use_by_recency(now_s_);
  }
  // Of a key that was read from elsewhere, if what is told of it fits the server's rule.
  uint32_t told_use(std::optional<uint64_t> idle_s, std::optional<uint8_t> use_frequency) const;

  // Something happened to a key: whoever watches it or waits for it is to be told.
  void changed(const KeyEvent& event, int database, Bytes key, const KeyPlace& place,
               uint64_t changes);
  // Who waits for the key is to look again, though nothing changed for who watches it.
  void wake(int database, Bytes key, const KeyPlace& place) {
    if (keyspace_.interest().any(place.hash)) [[unlikely]]
      woken_keys_.push_back({database, std::string(key)});
  }
  // What more there is to tell of a change, as "expire" of SET with EX.
  void tell(const KeyEvent& event, int database, Bytes key) {
    if (listener_ != nullptr && event.event_class != KeyEventClass::kUntold) [[unlikely]]
      listener_->heard(event, database, key);
  }
  // Null: nobody listens. It outlives the execution.
  void listen(KeyListener* listener) { listener_ = listener; }

  // Frees containers, which are too big to free under the locks. Call without locks.
  void free_garbage() {
    if (!garbage_.empty()) free_entries();
  }
  // The execution has noted something besides its counters. Most have not.
  bool has_outcome() const {
    return !changed_keys_.empty() || !woken_keys_.empty() || !own_expiries_.empty() ||
           !changed_databases_.empty();
  }
  // What the execution has noted, once the engine has read it.
  void forget_outcome();
  // Those that are too big to free while a client waits.
  Garbage& large_garbage() { return large_garbage_; }
  void discard(Entry* entry);
  // Part of a value that stays, and that takes long to free.
  template <class Part>
  void discard_large(Part part) {
    large_garbage_.add(std::make_shared<const Part>(std::move(part)));
  }

  Keyspace& keyspace() { return keyspace_; }
  const EncodingLimits& limits() const { return limits_; }
  Effects& effects() { return effects_; }
  int64_t now_ms() const { return now_ms_; }
  ExpiryMode mode() const { return mode_; }
  // For what follows in the same execution: another command of a script or transaction.
  void set_mode(ExpiryMode mode) { mode_ = mode; }

  // Outcome of the execution, for the engine: keys that changed and somebody registered for, and
  // counters.
  struct Counters {
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t expired = 0;
    uint64_t changes = 0;
  };
  std::vector<KeyName>& changed_keys() { return changed_keys_; }
  std::vector<KeyName>& woken_keys() { return woken_keys_; }
  // Given in kClear.
  std::vector<OwnExpiry>& own_expiries() { return own_expiries_; }
  // Databases that changed as a whole (flushed, swapped).
  struct ChangedDatabase {
    int database;
    TablesRef before;
    // Whether the key was there before the change or is now.
    bool concerns(const Keyspace& keyspace, Bytes key) const;
  };
  std::vector<ChangedDatabase>& changed_databases() { return changed_databases_; }
  // Flushed tables, for the engine to let go of when the locks are free.
  std::vector<TablesRef>& dropped_tables() { return dropped_tables_; }
  Counters& counters() { return counters_; }

 private:
  void free_entries();
  void note_use_closer(Entry& entry);

  Keyspace& keyspace_;
  const EncodingLimits& limits_;
  Effects& effects_;
  int64_t now_ms_ = 0;
  int64_t now_s_ = 0;
  bool by_frequency_ = false;
  bool uses_count_ = true;
  Random chance_;
  ExpiryMode mode_ = ExpiryMode::kDelete;
  const StripeSet* held_ = nullptr;
  struct Everything final : AllStripes {};
  const Everything everything_;
  bool only_held_ = false;
  std::span<const DeclaredKey> declared_;
  std::vector<KeyName> changed_keys_;
  std::vector<KeyName> woken_keys_;
  std::vector<OwnExpiry> own_expiries_;
  std::vector<ChangedDatabase> changed_databases_;
  std::vector<TablesRef> dropped_tables_;
  std::vector<Entry*> garbage_;
  Garbage large_garbage_;
  Counters counters_;
  KeyListener* listener_ = nullptr;
};

// The text of a string value, with room for an integer's digits. Empty optional-like when the key
// is absent.
class StringText {
 public:
  StringText() = default;
  explicit StringText(const Entry& entry) : found_(true), text_(entry.text(digits_)) {}
  StringText(const StringText& other) { *this = other; }
  StringText& operator=(const StringText& other) {
    found_ = other.found_;
    const bool own = other.text_.data() == other.digits_;
    if (own) std::memcpy(digits_, other.digits_, sizeof(digits_));
    text_ = own ? Bytes(digits_, other.text_.size()) : other.text_;
    return *this;
  }
  explicit operator bool() const { return found_; }
  Bytes operator*() const { return text_; }

 private:
  bool found_ = false;
  char digits_[kInt64TextMax];
  Bytes text_;
};

struct HowUpdated {
  bool tells_new = true;  // of a key that was not there
  bool is_use = false;    // no look-up has noted so far that the key is used
};

class View {
 public:
  View(KeyAccess& access, int database) : access_(access), database_(database) {}

  int database() const { return database_; }
  // The same moment in another database.
  View at(int database) const { return View(access_, database); }
  int database_count() const { return access_.keyspace().database_count(); }
  // The proof, for commands whose row says that they lock everything.
  const AllStripes& all_stripes() const { return access_.all_stripes(); }
  const EncodingLimits& limits() const { return access_.limits(); }
  int64_t now_ms() const { return access_.now_ms(); }

  // Any type. read() counts a keyspace hit or miss, find() does not. Null: no such key (any more).
  // Either is a use of the key.
  const Entry* read(Bytes key);
  const Entry* find(Bytes key) { return lookup(key); }
  // The same, but of no use to the key: for what asks about it and not for its value.
  const Entry* read_about(Bytes key) { return counted(key, meet(key, access_.place(key))); }
  const Entry* find_about(Bytes key) { return meet(key, access_.place(key)); }
  // As read_about(), but nobody hears of a miss (OBJECT).
  const Entry* inspect(Bytes key);
  // As it lies in the table, its time over or not. Deletes nothing.
  const Entry* peek(Bytes key);
  // Still in the table, but its time is over.
  bool has_expired(Bytes key);
  bool exists(Bytes key) { return lookup(key) != nullptr; }

  // Typed lookups: false means that the key holds another type; `out` stays null when the key is
  // absent.
  template <class T>
  bool read(Bytes key, const T*& out) {
    return typed(read(key), out);
  }
  template <class T>
  bool find(Bytes key, const T*& out) {
    return typed(find(key), out);
  }
  bool read_text(Bytes key, StringText& out) { return text_of(read(key), out); }
  bool find_text(Bytes key, StringText& out) { return text_of(find(key), out); }

  // Containers are changed through Edit, the bytes of a string through TextEdit.
  //
  // Every change of a whole key says what happened and what replicas must execute for it, and tells
  // whoever watches the key or waits for it. It counts as one change towards the save points where
  // nothing else is said.

  // Whole values. set_text overwrites any type; `expiry_ms` may be kNoExpiry.
  void set_text(const KeyEvent& event, Bytes key, Bytes text, int64_t expiry_ms,
                const Effect& effect);
  // Keep the expiry; the key may be absent. replace_text keeps a number as a text, as INCRBYFLOAT
  // does.
  void replace_text(const KeyEvent& event, Bytes key, Bytes text, const Effect& effect);
  void set_integer(const KeyEvent& event, Bytes key, int64_t value, const Effect& effect);
  // Overwrites or creates; empty containers are the caller's mistake.
  void put(const KeyEvent& event, Bytes key, Value value, int64_t expiry_ms, const Effect& effect,
           uint64_t changes = 1);
  // The same for a value that comes with `use`, how it was used so far, after the caller has told
  // of a new key itself (event::kNew).
  void put_anew(const KeyEvent& event, Bytes key, Value value, int64_t expiry_ms,
                const Effect& effect, uint32_t use);
  // The value out of its key, which is gone then; counts where it is put.
  std::optional<Value> take(const KeyEvent& event, Bytes key, const Effect& effect);
  // False: no such key, nothing is stated. In kClear an expired one counts, as it does in Redis.
  bool erase(const KeyEvent& event, Bytes key, const Effect& effect, uint64_t changes = 1);
  // The same for a target that nobody has looked at: it goes as it lies, its time over or not.
  bool erase_unseen(const KeyEvent& event, Bytes key, const Effect& effect, uint64_t changes = 1);

  // REQUIRES for setters: the key exists. kNoExpiry removes the expiry.
  void set_expiry(const KeyEvent& event, Bytes key, int64_t expiry_ms, const Effect& effect);
  // Something more that a change was, as "expire" of SET with EX: after its own event.
  void tell(const KeyEvent& event, Bytes key) { access_.tell(event, database_, key); }
  // Who waits for the key looks again; who watches it need not know.
  void wake(Bytes key) { access_.wake(database_, key, access_.place(key)); }

  // Whole databases; REQUIRE scope everything where nothing else is said.
  int64_t size() const { return access_.keyspace().keys(database_); }
  // Visits live entries of one partition's chain; the cursor is SCAN's, 0 at the start and at the
  // end. It keeps to the stripe of the cursor and needs the lock of no other; a stripe without keys
  // is passed over at once. A key that it meets dead goes, as one that is named.
  template <class Fn>
  uint64_t scan(uint64_t cursor, Fn&& fn);
  static int stripe_of_cursor(uint64_t cursor) {
    return static_cast<int>(cursor % kPartitions) / kPartitionsPerStripe;
  }
  // Visits every live entry of one stripe. REQUIRES: the stripe held.
  template <class Fn>
  void for_each_in(int stripe, Fn&& fn);
  // Visits every live entry of the database. REQUIRES: scope everything.
  template <class Fn>
  void for_each(Fn&& fn) {
    for (int stripe = 0; stripe < kStripes; ++stripe) for_each_in(stripe, fn);
  }
  // Empties the database at once; what was in it is freed after the command. Returns the number of
  // keys dropped. Stated even if there were none: a replica may hold what should not be.
  int64_t clear(const Effect& effect);
  // SWAPDB.
  void swap_with(int other, const Effect& effect);
  // Of data that have no key: libraries of functions.
  void change_beside_keys(const Effect& effect);
  // About how many keys lie in a stripe, dead ones among them. REQUIRES: nothing.
  int64_t keys_in(int stripe) const { return access_.keyspace().keys_in(database_, stripe); }
  // A stripe with keys, by their number; none if there is no key. REQUIRES: nothing.
  std::optional<int> draw_stripe(Random& random) const {
    return access_.keyspace().draw_stripe(database_, random);
  }
  // One of its keys; null if there is none, or its time is over. REQUIRES: the stripe held.
  const Entry* random_in(int stripe, Random& random);

  KeyAccess& access() { return access_; }

 private:
  template <class T>
  friend class Edit;
  friend class TextEdit;

  template <class T>
  static bool typed(const Entry* entry, const T*& out) {
    out = nullptr;
    if (entry == nullptr) return true;
    if (entry->type() != TypeOf<T>::value) return false;
    out = &entry->template as<T>();
    return true;
  }
  static bool text_of(const Entry* entry, StringText& out) {
    if (entry == nullptr) return true;
    if (entry->type() != ValueType::kString) return false;
    out = StringText(*entry);
    return true;
  }

  Entry* lookup(Bytes key) { return lookup(key, access_.place(key)); }
  Entry* lookup(Bytes key, const KeyPlace& place) {
    Entry* entry = meet(key, place);
    if (entry != nullptr) access_.note_use(*entry);
    return entry;
  }
  // Without being a use of it.
  Entry* meet(Bytes key, const KeyPlace& place);
  const Entry* counted(Bytes key, const Entry* entry);
  PartitionTable::Slot slot(Bytes key, const KeyPlace& place, DatabaseTables*& tables);
  bool hidden(const Entry& entry) const;
  void expire(Bytes key, const KeyPlace& place, const PartitionTable::Slot& slot,
              DatabaseTables& tables);
  void note_expired(Bytes key, const KeyPlace& place);
  // A snapshot gets its copy of the key's chain before this returns.
  void prepare_write(Bytes key, const KeyPlace& place) {
    if (access_.keyspace().snapshot().sink != nullptr) [[unlikely]]
      hand_in(key, place);
  }
  void hand_in(Bytes key, const KeyPlace& place);
  void state(const KeyEvent& event, Bytes key, const KeyPlace& place, uint64_t changes,
             const Effect& effect) {
    effect.state(access_.effects(), database_);
    access_.changed(event, database_, key, place, changes);
  }
  void state_quietly(uint64_t changes, const Effect& effect) {
    effect.state(access_.effects(), database_);
    access_.counters().changes += changes;
  }
  // For Edit: a new container, of which nothing is told yet, and the end of one that lost its last
  // element.
  Entry& install(Bytes key, const KeyPlace& place, Value value);
  // After a change: the entry may be another one then.
  Entry& take_in(Bytes key, const KeyPlace& place);
  void erase_emptied(Bytes key, const KeyPlace& place);
  void remove(const KeyPlace& place, const PartitionTable::Slot& slot, DatabaseTables& tables);
  template <class Fn>
  void update(Bytes key, const KeyPlace& place, Fn&& change, HowUpdated how = {});
  void put_at(const KeyPlace& place, Bytes key, Value value, int64_t expiry_ms, HowUpdated how,
              std::optional<uint32_t> use);
  template <class Fn>
  void update(const KeyEvent& event, Bytes key, const Effect& effect, Fn&& change,
              HowUpdated how = {});
  void insert(const KeyPlace& place, Entry* entry, DatabaseTables& tables);
  void note_expiry(const Entry& entry, int64_t before_ms);
  void hand_walk_over(const Entry& entry);

  KeyAccess& access_;
  int database_;
};

// An empty one of these has a key all the same.
template <class T>
inline constexpr bool kMayBeEmpty = std::is_same_v<T, Stream>;

// One change of the container at a key, from the look-up to its statement:
//
//   Edit<List> list(ctx.keys, key);
//   if (list.is_other_type()) return ctx.reply.error(kWrongType);
//   if (!list) return ctx.reply.integer(0);                       // no such key
//   const size_t removed = list.change().remove(value, 0, limits);
//   if (removed == 0) return list.unchanged();
//   list.done(event::kLRem, removed, as_is(ctx));
//
// done() is the one statement that a change cannot go without. It says what happened ("lrem"), how
// many changes that are for the save points, and what replicas must execute to do the same. It
// wakes whoever watches the key or waits for it, and it deletes the key if the container has become
// empty ("del"; an empty stream stays).
//
// Some changes are none for who watches the key or waits for it: of a stream's consumer groups, who
// read it and do not change what it holds. They end with done_quietly(); their events are told by
// View::tell().
//
// From change() or create() on an edit owes done(), or unchanged() if nothing came of it. One that
// ends owing is a mistake of the handler's and ends the process: no change can pass WATCH, blocked
// clients and replicas by in silence.
//
// Lifetime: the key outlives the edit; the container is valid until done() has deleted it.
template <class T>
class Edit {
 public:
  Edit(View& keys, Bytes key) : keys_(keys), key_(key), place_(keys.access_.place(key)) {
    Entry* entry = keys.lookup(key, place_);
    if (entry == nullptr) return;
    other_type_ = entry->type() != TypeOf<T>::value;
    if (!other_type_) container_ = &entry->template as<T>();
  }
  ~Edit() { CHECK(!owes_, "a change is stated by done(), done_quietly() or unchanged()"); }
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  bool is_other_type() const { return other_type_; }
  // Whether the key is there, with this type.
  explicit operator bool() const { return container_ != nullptr; }
  // For looking; nothing is owed for that.
  const T* operator->() const { return container_; }
  const T& operator*() const { return *container_; }

  // For changing in place; the snapshot has its copy before this returns. REQUIRES: the key is
  // there.
  T& change() {
    keys_.prepare_write(key_, place_);
    owes_ = true;
    return *container_;
  }
  // Gives an absent key this container, to which something is to be added.
  T& create(T fresh = T()) {
    Value value(std::make_unique<T>(std::move(fresh)));
    container_ = &keys_.install(key_, place_, std::move(value)).template as<T>();
    owes_ = true;
    return *container_;
  }
  T& change_or_create() { return container_ != nullptr ? change() : create(); }

  void done(const KeyEvent& event, uint64_t changes, const Effect& effect) {
    CHECK(owes_, "only what has changed is stated");
    owes_ = false;
    keys_.state(event, key_, place_, changes, effect);
    if constexpr (!kMayBeEmpty<T>) {
      if (container_->size() == 0) {
        container_ = nullptr;
        return keys_.erase_emptied(key_, place_);
      }
    }
    if constexpr (kLiesInEntry<T>) container_ = &keys_.take_in(key_, place_).template as<T>();
  }
  void done_quietly(uint64_t changes, const Effect& effect) {
    CHECK(owes_, "only what has changed is stated");
    owes_ = false;
    keys_.state_quietly(changes, effect);
  }
  // What change() was asked for did not come about: not one byte is different.
  void unchanged() {
    const bool holds_something = kMayBeEmpty<T> || container_ == nullptr || !container_->empty();
    CHECK(holds_something, "nothing was put into a new container");
    owes_ = false;
  }

 private:
  View& keys_;
  Bytes key_;
  KeyPlace place_;
  T* container_ = nullptr;
  bool other_type_ = false;
  bool owes_ = false;
};

// One change of the bytes of a string, by the same rules:
//
//   TextEdit text(ctx.keys, key);
//   if (text.is_other_type()) return ctx.reply.error(kWrongType);
//   std::span<char> bytes = text.change(offset + part.size());
//   std::memcpy(bytes.data() + offset, part.data(), part.size());
//   text.done(event::kSetRange, 1, as_is(ctx));
//
// The text is valid until the next change() or the end of the command; the key outlives the edit.
class TextEdit {
 public:
  TextEdit(View& keys, Bytes key);
  ~TextEdit() { CHECK(!owes_, "a change is stated by done() or unchanged()"); }
  TextEdit(const TextEdit&) = delete;
  TextEdit& operator=(const TextEdit&) = delete;

  bool is_other_type() const { return other_type_; }
  // Whether the key is there, as a string.
  explicit operator bool() const { return found_; }
  Bytes operator*() const { return text_; }  // empty if the key is absent

  // The bytes for changing in place, `size` of them from now on: new ones are zero, and an absent
  // key is made. A number becomes a text. The snapshot has its copy before this returns.
  std::span<char> change(size_t size);
  std::span<char> change() { return change(text_.size()); }

  void done(const KeyEvent& event, uint64_t changes, const Effect& effect);
  // Not one byte is different, and none has come or gone.
  void unchanged();

 private:
  View& keys_;
  Bytes key_;
  KeyPlace place_;
  bool found_ = false;
  bool other_type_ = false;
  bool owes_ = false;
  bool has_new_bytes_ = false;
  char digits_[kInt64TextMax];
  Bytes text_;
};

template <class Fn>
uint64_t View::scan(uint64_t cursor, Fn&& fn) {
  DatabaseTables* tables = access_.keyspace().tables(database_);
  if (tables == nullptr) return 0;
  const int stripe = stripe_of_cursor(cursor);
  DCHECK(access_.holds(stripe), "a handler looks only into the stripe that it visits");
  auto partition = static_cast<int>(cursor % kPartitions);
  uint64_t position = 0;
  std::vector<std::string> dead;
  if (tables->keys_in(stripe) == 0) {
    partition = (stripe + 1) * kPartitionsPerStripe;
  } else {
    position = tables->partition(partition).scan(cursor / kPartitions, [&](Entry* entry, bool) {
      if (hidden(*entry)) {
        dead.emplace_back(entry->key());
      } else {
        fn(static_cast<const Entry&>(*entry));
      }
    });
    if (position == 0) ++partition;
  }
  for (const std::string& key : dead) meet(key, access_.place(key));
  if (partition == kPartitions) return 0;
  return position * kPartitions + static_cast<uint64_t>(partition);
}

template <class Fn>
void View::for_each_in(int stripe, Fn&& fn) {
  DCHECK(access_.holds(stripe), "a handler looks only into the stripe that it visits");
  DatabaseTables* tables = access_.keyspace().tables(database_);
  if (tables == nullptr || tables->keys_in(stripe) == 0) return;
  const int first = stripe * kPartitionsPerStripe;
  for (int partition = first; partition < first + kPartitionsPerStripe; ++partition) {
    tables->partition(partition).for_each([&](Entry* entry) {
      if (!hidden(*entry)) fn(static_cast<const Entry&>(*entry));
    });
  }
}

}  // namespace tandem
