// What a command handler sees of the keyspace: a window on one database at one moment, in which
// time stands still and expired keys do not exist. Reads can write too: on a primary, meeting an
// expired key deletes it and states the DEL.
//
// Threads: used by the thread that holds the stripes of the command's keys, for the length of one
// command. Entries and containers it returns are valid until that key changes or the command ends.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

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

// One execution's access to the keyspace, shared by its views. Owned and reset by the engine.
class KeyAccess {
 public:
  KeyAccess(Keyspace& keyspace, const EncodingLimits& limits, Effects& effects)
      : keyspace_(keyspace), limits_(limits), effects_(effects) {}
  ~KeyAccess() { free_garbage(); }
  KeyAccess(const KeyAccess&) = delete;
  KeyAccess& operator=(const KeyAccess&) = delete;

  // `declared` and `held`, the stripes that are held, outlive the execution.
  void begin(int64_t now_ms, ExpiryMode mode, std::span<const DeclaredKey> declared,
             const StripeSet& held);
  bool holds(int stripe) const { return held_->has(stripe); }

  KeyPlace place(Bytes key) const;
  // Keys of other stripes than those that are held count as absent, as far as this execution goes.
  void show_only_held() { only_held_ = true; }
  bool shows(const KeyPlace& place) const { return !only_held_ || holds(place.stripe()); }

  void changed(int database, Bytes key, const KeyPlace& place, uint64_t changes);

  // Frees containers, which are too big to free under the locks. Call without locks.
  void free_garbage();
  // Those that are too big to free while a client waits.
  Garbage& large_garbage() { return large_garbage_; }
  void discard(Entry* entry);

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
  Keyspace& keyspace_;
  const EncodingLimits& limits_;
  Effects& effects_;
  int64_t now_ms_ = 0;
  ExpiryMode mode_ = ExpiryMode::kDelete;
  const StripeSet* held_ = nullptr;
  bool only_held_ = false;
  std::span<const DeclaredKey> declared_;
  std::vector<KeyName> changed_keys_;
  std::vector<OwnExpiry> own_expiries_;
  std::vector<ChangedDatabase> changed_databases_;
  std::vector<TablesRef> dropped_tables_;
  std::vector<Entry*> garbage_;
  Garbage large_garbage_;
  Counters counters_;
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

class View {
 public:
  View(KeyAccess& access, int database) : access_(access), database_(database) {}

  int database() const { return database_; }
  // The same moment in another database.
  View at(int database) const { return View(access_, database); }
  int database_count() const { return access_.keyspace().database_count(); }
  const EncodingLimits& limits() const { return access_.limits(); }
  int64_t now_ms() const { return access_.now_ms(); }

  // Any type. read() counts a keyspace hit or miss, find() does not. Null: no such key (any more).
  const Entry* read(Bytes key);
  const Entry* find(Bytes key) { return lookup(key); }
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

  // For changing a container in place: as find(), and the snapshot has its copy before this
  // returns. Say changed(key) after a real change, and remove_if_empty(key) when it may have lost
  // its last element.
  template <class T>
  bool write(Bytes key, T*& out) {
    out = nullptr;
    Entry* entry = lookup(key);
    if (entry == nullptr) return true;
    if (entry->type() != TypeOf<T>::value) return false;
    prepare_write(key);
    out = &entry->template as<T>();
    return true;
  }
  // REQUIRES: absent. The new container belongs to the key.
  template <class T>
  T& create(Bytes key) {
    put(key, Value(std::make_unique<T>()), kNoExpiry, 0);
    return lookup(key)->template as<T>();
  }
  template <class T>
  void remove_if_empty(Bytes key, const T& container) {
    if (container.size() == 0) erase(key, 0);
  }
  // Somebody may wait for this key or watch it. `changes` count towards the save points, as Redis
  // counts them: elements mostly. Calls that change whole keys (set, put, erase, expiry) say it
  // themselves, and count one.
  void changed(Bytes key, uint64_t changes = 1);

  // Whole values. set_text overwrites any type; `expiry_ms` may be kNoExpiry.
  void set_text(Bytes key, Bytes text, int64_t expiry_ms);
  // Keep the expiry; the key may be absent. replace_text keeps a number as a text, as INCRBYFLOAT
  // does.
  void replace_text(Bytes key, Bytes text);
  void set_integer(Bytes key, int64_t value);
  // The string made `size` bytes long (zero filled), for changing its bytes in place.
  std::span<char> resize_text(Bytes key, size_t size);
  // Overwrites or creates; empty containers are the caller's mistake.
  void put(Bytes key, Value value, int64_t expiry_ms, uint64_t changes = 1);
  // The value out of its key, which is gone then; counts where it is put.
  std::optional<Value> take(Bytes key);
  // False: no such key. In kClear an expired one counts, as it does in Redis.
  bool erase(Bytes key, uint64_t changes = 1);

  // REQUIRES for setters: the key exists. kNoExpiry removes the expiry.
  void set_expiry(Bytes key, int64_t expiry_ms);

  // Whole databases; REQUIRE scope everything.
  int64_t size() const { return access_.keyspace().keys(database_); }
  // Visits live entries of one partition's chain; the cursor is SCAN's, 0 at the start and at the
  // end. Takes no locks: the caller holds the stripe of stripe_of_cursor(cursor).
  template <class Fn>
  uint64_t scan(uint64_t cursor, Fn&& fn);
  static int stripe_of_cursor(uint64_t cursor) {
    return static_cast<int>(cursor % kPartitions) / kPartitionsPerStripe;
  }
  bool may_scan(uint64_t cursor) const { return access_.holds(stripe_of_cursor(cursor)); }
  // Visits every live entry of the database. REQUIRES: scope everything.
  template <class Fn>
  void for_each(Fn&& fn);
  // Empties the database at once; what was in it is freed after the command. Returns the number of
  // keys dropped.
  int64_t clear();
  // SWAPDB.
  void swap_with(int other);
  // Random live entry; null if none. REQUIRES: scope everything.
  const Entry* random(Random& random);

  KeyAccess& access() { return access_; }

 private:
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

  Entry* lookup(Bytes key);
  PartitionTable::Slot slot(Bytes key, const KeyPlace& place, DatabaseTables*& tables);
  bool hidden(const Entry& entry) const;
  void expire(Bytes key, const KeyPlace& place, const PartitionTable::Slot& slot,
              DatabaseTables& tables);
  void prepare_write(Bytes key);
  void remove(const KeyPlace& place, const PartitionTable::Slot& slot, DatabaseTables& tables);
  template <class Fn>
  void update(Bytes key, Fn&& change, uint64_t changes = 1);
  void insert(const KeyPlace& place, Entry* entry, DatabaseTables& tables);
  void note_expiry(const Entry& entry, int64_t before_ms);
  void hand_walk_over(const Entry& entry);

  KeyAccess& access_;
  int database_;
};

template <class Fn>
uint64_t View::scan(uint64_t cursor, Fn&& fn) {
  uint64_t partition = cursor % kPartitions;
  uint64_t position = cursor / kPartitions;
  DatabaseTables* tables = access_.keyspace().tables(database_);
  if (tables == nullptr) return 0;
  PartitionTable& table = tables->partition(static_cast<int>(partition));
  position = table.scan(position, [&](Entry* entry, bool) {
    if (!hidden(*entry)) fn(static_cast<const Entry&>(*entry));
  });
  if (position == 0 && ++partition == kPartitions) return 0;
  return position * kPartitions + partition;
}

template <class Fn>
void View::for_each(Fn&& fn) {
  DatabaseTables* tables = access_.keyspace().tables(database_);
  if (tables == nullptr) return;
  for (int i = 0; i < kPartitions; ++i) {
    tables->partition(i).for_each([&](Entry* entry) {
      if (!hidden(*entry)) fn(static_cast<const Entry&>(*entry));
    });
  }
}

}  // namespace tandem
