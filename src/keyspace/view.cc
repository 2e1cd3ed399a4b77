// Mechanism: a handler sees its database through a View and changes it through an Edit or TextEdit
// (keyspace/effects.h). Both end in KeyAccess, which does what every change needs, in one place:
// an expired key is hidden or deleted, the chain is captured if a snapshot has not seen it yet,
// watchers and waiters are noted, and what is replaced is kept until the locks are free again.
#include "keyspace/view.h"

#include "base/bytes.h"
#include "base/check.h"

namespace tandem {
namespace {

// Of what one execution has noted; a large one may note millions.
constexpr size_t kKeptMax = 1024;

}  // namespace

void KeyAccess::begin(int64_t now_ms, ExpiryMode mode, std::span<const DeclaredKey> declared,
                      const StripeSet& held) {
  constexpr int64_t kMsPerSecond = 1000;
  now_ms_ = now_ms;
  now_s_ = now_ms / kMsPerSecond;
  by_frequency_ = keyspace_.use_rules().by_frequency.load(std::memory_order_relaxed);
  uses_count_ = true;
  mode_ = mode;
  declared_ = declared;
  held_ = &held;
  only_held_ = false;
  forget_outcome();
  counters_ = {};
}

void KeyAccess::forget_outcome() {
  if (!has_outcome()) [[likely]]
    return;
  clear_and_keep(changed_keys_, kKeptMax);
  clear_and_keep(woken_keys_, kKeptMax);
  clear_and_keep(own_expiries_, kKeptMax);
  clear_and_keep(changed_databases_, kKeptMax);
}

void KeyAccess::note_use_closer(Entry& entry) {
  if (!uses_count_) return;
  entry.set_use(used_again(entry.use(), now_s_, keyspace_.use_rules(), chance_));
}

uint32_t KeyAccess::told_use(std::optional<uint64_t> idle_s,
                             std::optional<uint8_t> use_frequency) const {
  return use_as_told(idle_s, use_frequency, now_s_, by_frequency_);
}

KeyPlace KeyAccess::place(Bytes key) const {
  // The engine has hashed the declared keys already; arguments are found by their address.
  for (const DeclaredKey& declared : declared_.first(std::min<size_t>(declared_.size(), 8))) {
    if (declared.key.data() == key.data() && declared.key.size() == key.size()) {
      return declared.place;
    }
  }
  const KeyPlace place = keyspace_.place(key);
  DCHECK(holds(place.stripe()) || only_held_, "a handler touches only what its row declares");
  return place;
}

bool KeyAccess::ChangedDatabase::concerns(const Keyspace& keyspace, Bytes key) const {
  return keyspace.holds(before.get(), key) || keyspace.holds(keyspace.tables(database), key);
}

void KeyAccess::changed(const KeyEvent& event, int database, Bytes key, const KeyPlace& place,
                        uint64_t changes) {
  counters_.changes += changes;
  if (listener_ != nullptr) [[unlikely]] {
    tell(event, database, key);
    listener_->changed(event, key, place);
  }
  if (keyspace_.interest().any(place.hash)) [[unlikely]]
    changed_keys_.push_back({database, std::string(key)});
}

void KeyAccess::discard(Entry* entry) {
  SnapshotSink* sink = keyspace_.snapshot().sink;
  if (sink != nullptr && entry->is_walked()) [[unlikely]] {
    sink->adopt(entry);
  } else if (entry->type() == ValueType::kString) {
    Entry::destroy(entry);
  } else if (entry->is_long_to_free()) [[unlikely]] {
    large_garbage_.add(entry);
  } else {
    garbage_.push_back(entry);
  }
}

void KeyAccess::free_entries() {
  for (Entry* entry : garbage_) Entry::destroy(entry);
  clear_and_keep(garbage_, kKeptMax);
}

bool View::hidden(const Entry& entry) const {
  return access_.mode() != ExpiryMode::kIgnore && entry.expired_at(access_.now_ms());
}

PartitionTable::Slot View::slot(Bytes key, const KeyPlace& place, DatabaseTables*& tables) {
  tables = access_.keyspace().tables(database_);
  if (tables == nullptr || !access_.shows(place)) return {};
  return tables->partition(place.partition).find_slot(access_.keyspace().traits(), place.hash, key);
}

Entry* View::meet(Bytes key, const KeyPlace& place) {
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  if (!found) return nullptr;
  Entry* entry = PartitionTable::entry_at(found);
  if (!hidden(*entry)) [[likely]]
    return entry;
  if (access_.mode() != ExpiryMode::kHide) expire(key, place, found, *tables);
  return nullptr;
}

const Entry* View::peek(Bytes key) {
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, access_.place(key), tables);
  return found ? PartitionTable::entry_at(found) : nullptr;
}

bool View::has_expired(Bytes key) {
  const Entry* entry = peek(key);
  return entry != nullptr && hidden(*entry);
}

const Entry* View::read(Bytes key) { return counted(key, lookup(key)); }

const Entry* View::inspect(Bytes key) {
  const Entry* entry = find_about(key);
  ++(entry != nullptr ? access_.counters().hits : access_.counters().misses);
  return entry;
}

const Entry* View::counted(Bytes key, const Entry* entry) {
  ++(entry != nullptr ? access_.counters().hits : access_.counters().misses);
  if (entry == nullptr) access_.tell(event::kKeyMiss, database_, key);
  return entry;
}

void View::expire(Bytes key, const KeyPlace& place, const PartitionTable::Slot& slot,
                  DatabaseTables& tables) {
  access_.effects().add_unasked(database_, {"DEL", key});
  note_expired(key, place);
  remove(place, slot, tables);
}

void View::note_expired(Bytes key, const KeyPlace& place) {
  ++access_.counters().expired;
  access_.changed(event::kExpired, database_, key, place, 0);
}

void View::remove(const KeyPlace& place, const PartitionTable::Slot& slot, DatabaseTables& tables) {
  const bool expiring = PartitionTable::entry_at(slot)->has_expiry();
  Entry* entry =
      tables.partition(place.partition)
          .erase(access_.keyspace().traits(), slot, SnapshotHook(access_.keyspace(), tables));
  tables.count(place.stripe(), -1, expiring ? -1 : 0);
  access_.discard(entry);
}

void View::insert(const KeyPlace& place, Entry* entry, DatabaseTables& tables) {
  tables.partition(place.partition)
      .insert(access_.keyspace().traits(), place.hash, entry, entry->has_expiry(),
              SnapshotHook(access_.keyspace(), tables));
  tables.count(place.stripe(), 1, entry->has_expiry() ? 1 : 0);
}

template <class Fn>
void View::update(const KeyEvent& event, Bytes key, const Effect& effect, Fn&& change,
                  HowUpdated how) {
  const KeyPlace place = access_.place(key);
  update(key, place, change, how);
  state(event, key, place, 1, effect);
}

// Replaces the entry in its slot by what `change` makes of it (null: there was none). One whose
// time is over has ended first, but replicas are not told: the effect overwrites it there, and may
// stand before this key's turn (MSET).
template <class Fn>
void View::update(Bytes key, const KeyPlace& place, Fn&& change, HowUpdated how) {
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  const bool is_over =
      found && access_.mode() != ExpiryMode::kHide && hidden(*PartitionTable::entry_at(found));
  // Who tells of a new key itself has told of the former's end, too, where Redis does: RESTORE does
  // not look at what it replaces.
  if (is_over && how.tells_new) note_expired(key, place);
  if (how.tells_new && (!found || is_over)) access_.tell(event::kNew, database_, key);
  if (!found) {
    Entry* made = change(nullptr);
    made->set_use(access_.fresh_use());
    insert(place, made, access_.keyspace().tables_for_writing(database_));
    return note_expiry(*made, kNoExpiry);
  }
  SnapshotHook(access_.keyspace(), *tables).before_change(*found.home);
  Entry* old = PartitionTable::entry_at(found);
  const int64_t old_expiry_ms = old->expiry_ms();
  const bool had_expiry = old->has_expiry();
  if (how.is_use) access_.note_use(*old);
  const uint32_t use = is_over ? access_.fresh_use() : old->use();
  Entry* made = change(old);
  if (made != old || is_over) made->set_use(use);
  const bool has_expiry = made->has_expiry();
  if (made != old || had_expiry != has_expiry) {
    tables->partition(place.partition).replace(found, made, has_expiry);
  }
  if (had_expiry != has_expiry) tables->count(place.stripe(), 0, has_expiry ? 1 : -1);
  note_expiry(*made, old_expiry_ms);
}

void View::note_expiry(const Entry& entry, int64_t before_ms) {
  if (access_.mode() != ExpiryMode::kClear) [[likely]]
    return;
  if (!entry.has_expiry() || entry.expiry_ms() == before_ms) return;
  access_.own_expiries().push_back({{database_, std::string(entry.key())}, entry.expiry_ms()});
}

void View::hand_in(Bytes key, const KeyPlace& place) {
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  if (found) SnapshotHook(access_.keyspace(), *tables).before_change(*found.home);
}

Entry& View::install(Bytes key, const KeyPlace& place, Value value) {
  Entry* made = nullptr;
  update(key, place, [&](Entry* old) {
    made = Entry::make(key, std::move(value), kNoExpiry);
    if (old != nullptr) access_.discard(old);
    return made;
  });
  return *made;
}

Entry& View::take_in(Bytes key, const KeyPlace& place) {
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  Entry* entry = PartitionTable::entry_at(found);
  Entry* made = entry->take_in();
  if (made != entry) tables->partition(place.partition).replace(found, made, made->has_expiry());
  return *made;
}

void View::erase_emptied(Bytes key, const KeyPlace& place) {
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  access_.tell(event::kDel, database_, key);
  remove(place, found, *tables);
}

void View::set_text(const KeyEvent& event, Bytes key, Bytes text, int64_t expiry_ms,
                    const Effect& effect) {
  update(event, key, effect,
         [&](Entry* old) -> Entry* {
           if (old == nullptr) return Entry::make_string(key, text, expiry_ms);
           if (old->type() == ValueType::kString && !old->has_expiry() && expiry_ms == kNoExpiry) {
             return old->set_text(text);
           }
           Entry* made = Entry::make_string(key, text, expiry_ms);
           access_.discard(old);
           return made;
         },
         {.is_use = true});
}

void View::replace_text(const KeyEvent& event, Bytes key, Bytes text, const Effect& effect) {
  update(event, key, effect, [&](Entry* old) {
    return old == nullptr ? Entry::make_text(key, text, kNoExpiry) : old->set_plain_text(text);
  });
}

void View::set_integer(const KeyEvent& event, Bytes key, int64_t value, const Effect& effect) {
  update(event, key, effect, [&](Entry* old) {
    if (old != nullptr) return old->set_integer(value);
    char digits[kInt64TextMax];
    return Entry::make_string(key, {digits, write_int64(digits, value)}, kNoExpiry);
  });
}

void View::put(const KeyEvent& event, Bytes key, Value value, int64_t expiry_ms,
               const Effect& effect, uint64_t changes) {
  const KeyPlace place = access_.place(key);
  put_at(place, key, std::move(value), expiry_ms, {.is_use = true}, std::nullopt);
  state(event, key, place, changes, effect);
}

void View::put_anew(const KeyEvent& event, Bytes key, Value value, int64_t expiry_ms,
                    const Effect& effect, uint32_t use) {
  const KeyPlace place = access_.place(key);
  put_at(place, key, std::move(value), expiry_ms, {.tells_new = false}, use);
  state(event, key, place, 1, effect);
}

void View::put_at(const KeyPlace& place, Bytes key, Value value, int64_t expiry_ms, HowUpdated how,
                  std::optional<uint32_t> use) {
  Entry* made = nullptr;
  const auto change = [&](Entry* old) {
    made = Entry::make(key, std::move(value), expiry_ms);
    hand_walk_over(*made);
    if (old != nullptr) access_.discard(old);
    return made;
  };
  update(key, place, change, how);
  if (use) made->set_use(*use);
}

// A snapshot may be in the middle of a value that comes from another key.
void View::hand_walk_over(const Entry& entry) {
  SnapshotSink* sink = access_.keyspace().snapshot().sink;
  if (sink == nullptr || !entry.is_walked()) [[likely]]
    return;
  sink->moved(entry.container_id(), access_.place(entry.key()).stripe());
}

std::optional<Value> View::take(const KeyEvent& event, Bytes key, const Effect& effect) {
  const KeyPlace place = access_.place(key);
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  if (!found) return std::nullopt;
  SnapshotHook(access_.keyspace(), *tables).before_change(*found.home);
  Entry* entry = PartitionTable::entry_at(found);
  state(event, key, place, 0, effect);
  std::optional<Value> value = entry->take_value();
  remove(place, found, *tables);
  return value;
}

bool View::erase(const KeyEvent& event, Bytes key, const Effect& effect, uint64_t changes) {
  if (access_.mode() != ExpiryMode::kClear && meet(key, access_.place(key)) == nullptr)
    return false;
  return erase_unseen(event, key, effect, changes);
}

bool View::erase_unseen(const KeyEvent& event, Bytes key, const Effect& effect, uint64_t changes) {
  const KeyPlace place = access_.place(key);
  DatabaseTables* tables;
  const PartitionTable::Slot found = slot(key, place, tables);
  if (!found) return false;
  state(event, key, place, changes, effect);
  remove(place, found, *tables);
  return true;
}

void View::set_expiry(const KeyEvent& event, Bytes key, int64_t expiry_ms, const Effect& effect) {
  update(event, key, effect, [&](Entry* old) {
    CHECK(old != nullptr, "an expiry belongs to a key");
    return old->set_expiry(expiry_ms);
  });
}

int64_t View::clear(const Effect& effect) {
  effect.state(access_.effects(), database_);
  const int64_t keys = size();
  TablesRef tables = access_.keyspace().take_tables(access_.all_stripes(), database_);
  access_.changed_databases().push_back({database_, tables});
  if (tables != nullptr) access_.dropped_tables().push_back(std::move(tables));
  access_.counters().changes += static_cast<uint64_t>(keys);
  return keys;
}

void View::swap_with(int other, const Effect& effect) {
  effect.state(access_.effects(), database_);
  Keyspace& keyspace = access_.keyspace();
  const AllStripes& all = access_.all_stripes();
  access_.changed_databases().push_back({database_, keyspace.share_tables(all, database_)});
  access_.changed_databases().push_back({other, keyspace.share_tables(all, other)});
  keyspace.swap_databases(all, database_, other);
  ++access_.counters().changes;
}

void View::change_beside_keys(const Effect& effect) {
  effect.state(access_.effects(), database_);
  ++access_.counters().changes;
}

const Entry* View::random_in(int stripe, Random& random) {
  DCHECK(access_.holds(stripe), "a handler looks only into the stripe that it visits");
  DatabaseTables* tables = access_.keyspace().tables(database_);
  const Entry* entry = tables == nullptr ? nullptr : tables->random_entry(stripe, random);
  if (entry == nullptr || !hidden(*entry)) return entry;
  const std::string dead(entry->key());
  meet(dead, access_.place(dead));
  return nullptr;
}

TextEdit::TextEdit(View& keys, Bytes key)
    : keys_(keys), key_(key), place_(keys.access_.place(key)) {
  const Entry* entry = keys.lookup(key, place_);
  if (entry == nullptr) return;
  other_type_ = entry->type() != ValueType::kString;
  found_ = !other_type_;
  if (found_) text_ = entry->text(digits_);
}

std::span<char> TextEdit::change(size_t size) {
  char* data = nullptr;
  keys_.update(key_, place_, [&](Entry* old) {
    if (old == nullptr) old = Entry::make_string(key_, {}, kNoExpiry);
    return old->resize_text(size, data);
  });
  owes_ = true;
  has_new_bytes_ = has_new_bytes_ || !found_ || size != text_.size();
  found_ = true;
  text_ = {data, size};
  return {data, size};
}

void TextEdit::done(const KeyEvent& event, uint64_t changes, const Effect& effect) {
  CHECK(owes_, "only what has changed is stated");
  owes_ = false;
  keys_.state(event, key_, place_, changes, effect);
}

void TextEdit::unchanged() {
  CHECK(!has_new_bytes_, "a string of another length has changed");
  owes_ = false;
}

}  // namespace tandem
