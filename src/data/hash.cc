// In listpack form fields stand at even places and values behind them.
#include "data/hash.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/check.h"
#include "data/element_walk.h"
#include "data/hash_table.h"
#include "data/listpack.h"
#include "data/sample.h"

namespace tandem {
namespace {

constexpr uint32_t kPair = 2;

ListpackView::Position find_field(ListpackView entries, Bytes field) {
  return entries.find(field, entries.first(), kPair);
}

// A field and its value: this header, then the bytes of both.
struct HashField {
  uint32_t field_size;
  uint32_t value_size;

  Bytes field() const { return Bytes(reinterpret_cast<const char*>(this + 1), field_size); }
  Bytes value() const {
    return Bytes(reinterpret_cast<const char*>(this + 1) + field_size, value_size);
  }
  static HashField* create(Bytes field, Bytes value);
};

struct HashFieldTraits {
  using Entry = HashField;
  using Key = Bytes;

  uint64_t seed;

  uint64_t hash_of(Bytes field) const;
  uint64_t hash(const HashField& entry) const { return hash_of(entry.field()); }
  bool equals(const HashField& entry, Bytes field) const { return entry.field() == field; }
};

HashField* HashField::create(Bytes field, Bytes value) {
  auto* entry =
      static_cast<HashField*>(std::malloc(sizeof(HashField) + field.size() + value.size()));
  CHECK(entry != nullptr, "out of memory");
  entry->field_size = static_cast<uint32_t>(field.size());
  entry->value_size = static_cast<uint32_t>(value.size());
  auto* bytes = reinterpret_cast<char*>(entry + 1);
  if (!field.empty()) std::memcpy(bytes, field.data(), field.size());
  if (!value.empty()) std::memcpy(bytes + field.size(), value.data(), value.size());
  return entry;
}

uint64_t HashFieldTraits::hash_of(Bytes field) const {
  return XXH3_64bits_withSeed(field.data(), field.size(), seed);
}

}  // namespace

// The large form: a hash table with one allocation for a field and its value. A new value of the
// same size is written over the old one; otherwise the entry is allocated again and put into its
// slot.
struct Hash::Fields {
  explicit Fields(uint64_t seed) : traits{seed} {}
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  const HashField* find(Bytes field) const {
    return table.find(traits, traits.hash_of(field), field);
  }
  bool set(Bytes field, Bytes value);
  bool remove(Bytes field);

  HashFieldTraits traits;
  HashTable<HashFieldTraits> table;
  size_t entry_bytes = 0;  // as allocated
  mutable WalkHook<HashField>* walk_hook = nullptr;
};

Hash::Fields::~Fields() {
  if (walk_hook != nullptr) walk_hook->finish();
  table.clear([](HashField* entry) { std::free(entry); });
}

bool Hash::Fields::set(Bytes field, Bytes value) {
  const uint64_t hash = traits.hash_of(field);
  const auto slot = table.find_slot(traits, hash, field);
  if (walk_hook != nullptr) walk_hook->before_change(field, slot ? table.entry_at(slot) : nullptr);
  if (!slot) {
    HashField* entry = HashField::create(field, value);
    entry_bytes += malloc_usable_size(entry);
    table.insert(traits, hash, entry);
    return true;
  }
  HashField* old = table.entry_at(slot);
  if (old->value_size == value.size()) {
    if (!value.empty()) {
      std::memcpy(reinterpret_cast<char*>(old + 1) + old->field_size, value.data(), value.size());
    }
    return false;
  }
  HashField* entry = HashField::create(field, value);
  entry_bytes += malloc_usable_size(entry);
  entry_bytes -= malloc_usable_size(old);
  table.replace(slot, entry, false);
  std::free(old);
  return false;
}

bool Hash::Fields::remove(Bytes field) {
  const auto slot = table.find_slot(traits, traits.hash_of(field), field);
  if (!slot) return false;
  if (walk_hook != nullptr) walk_hook->before_change(field, table.entry_at(slot));
  HashField* entry = table.erase(traits, slot);
  entry_bytes -= malloc_usable_size(entry);
  std::free(entry);
  return true;
}

Hash::Hash() = default;
Hash::~Hash() = default;
Hash::Hash(Hash&& other) noexcept = default;
Hash& Hash::operator=(Hash&& other) noexcept = default;

Result<Hash> Hash::from_listpack(Bytes blob, const EncodingLimits& limits) {
  Result<Listpack> pack = Listpack::from_bytes(blob);
  if (!pack) return std::unexpected(pack.error());
  const ListpackView entries = pack->view();
  const uint32_t count = entries.count();
  if (count % kPair != 0) return fail(ErrorCode::kInvalid, "a hash with a field without value");
  if (!entries_are_distinct(entries, kPair)) {
    return fail(ErrorCode::kInvalid, "a hash with a field twice");
  }
  Hash hash;
  hash.form_ = std::move(*pack);
  if (count / kPair > limits.hash_max_listpack_entries) hash.become_hash_table(limits);
  return hash;
}

size_t Hash::size() const {
  if (const Listpack* pack = listpack()) return pack->count() / kPair;
  return std::get<1>(form_)->table.size();
}

Bytes Hash::encoding_name() const { return listpack() != nullptr ? "listpack" : "hashtable"; }

size_t Hash::memory_bytes() const {
  if (const Listpack* pack = listpack()) return sizeof(*this) + pack->memory_bytes();
  const Fields& fields = *std::get<1>(form_);
  return sizeof(*this) + sizeof(fields) + fields.table.memory_bytes() + fields.entry_bytes;
}

std::unique_ptr<Hash::Fields> Hash::as_hash_table(uint64_t seed) const {
  auto fields = std::make_unique<Fields>(seed);
  for_each([&](Bytes field, Bytes value) {
    fields->set(field, value);
    return true;
  });
  return fields;
}

Hash::Fields& Hash::become_hash_table(const EncodingLimits& limits) {
  form_ = as_hash_table(limits.hash_seed);
  return *std::get<1>(form_);
}

Hash Hash::copy() const {
  Hash copied;
  if (const Listpack* pack = listpack()) {
    copied.form_ = pack->copy();
  } else {
    copied.form_ = as_hash_table(std::get<1>(form_)->traits.seed);
  }
  return copied;
}

void Hash::reserve(size_t expected, const EncodingLimits& limits) {
  if (listpack() != nullptr && expected > limits.hash_max_listpack_entries) {
    become_hash_table(limits);
  }
}

bool Hash::set(Bytes field, Bytes value, const EncodingLimits& limits) {
  auto* pack = std::get_if<Listpack>(&form_);
  if (pack != nullptr &&
      (std::max(field.size(), value.size()) > limits.hash_max_listpack_value_bytes ||
       !pack->can_grow(field.size() + value.size()))) {
    become_hash_table(limits);
    pack = nullptr;
  }
  if (pack == nullptr) return std::get<1>(form_)->set(field, value);
  const auto found = find_field(pack->view(), field);
  if (found != pack->view().end()) {
    pack->replace(pack->view().next(found), value);
    return false;
  }
  pack->append(field);
  pack->append(value);
  if (size() > limits.hash_max_listpack_entries) become_hash_table(limits);
  return true;
}

std::optional<Element> Hash::get(Bytes field) const {
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    const auto found = find_field(entries, field);
    if (found == entries.end()) return std::nullopt;
    return entries.get(entries.next(found));
  }
  const HashField* entry = std::get<1>(form_)->find(field);
  if (entry == nullptr) return std::nullopt;
  return Element(entry->value());
}

bool Hash::remove(Bytes field) {
  if (auto* pack = std::get_if<Listpack>(&form_)) {
    const auto found = find_field(pack->view(), field);
    if (found == pack->view().end()) return false;
    pack->erase(found, kPair);
    return true;
  }
  return std::get<1>(form_)->remove(field);
}

Hash::Pair Hash::random_pair(Random& random) const {
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    const auto index = static_cast<int64_t>(random.below(entries.count() / kPair));
    const auto field = entries.seek(index * kPair);
    return {entries.get(field), entries.get(entries.next(field))};
  }
  const HashField* entry = std::get<1>(form_)->table.random_entry(random);
  return {Element(entry->field()), Element(entry->value())};
}

size_t Hash::sample(size_t count, Random& random,
                    FunctionRef<void(Bytes field, Bytes value)> visit) const {
  if (listpack() != nullptr || !draws_are_cheaper(count, size())) {
    return sample_by_walk(*this, count, random, visit);
  }
  const auto& table = std::get<1>(form_)->table;
  return sample_by_draws(
      count, [&] { return table.random_entry(random); },
      [&](const HashField* entry) { visit(entry->field(), entry->value()); });
}

void Hash::for_each(FunctionRef<bool(Bytes field, Bytes value)> visit) const {
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    for (auto at = entries.first(); at != entries.end(); at = entries.next(at)) {
      const Element field = entries.get(at);
      at = entries.next(at);
      const Element value = entries.get(at);
      if (!visit(field.text(), value.text())) return;
    }
    return;
  }
  const auto& table = std::get<1>(form_)->table;
  bool go_on = true;
  for (uint32_t i = 0; i < table.bucket_count() && go_on; ++i) {
    table.for_each_in_chain(table.bucket_at(i), [&](const HashField* entry, bool) {
      go_on = go_on && visit(entry->field(), entry->value());
    });
  }
}

namespace {

struct FieldNames {
  static Bytes of(const HashField& entry) { return entry.field(); }
};

}  // namespace

std::unique_ptr<ElementWalk> Hash::walk(std::function<void(Bytes, Bytes)> visit) const {
  if (listpack() != nullptr || !is_large(size(), memory_bytes())) return nullptr;
  const Fields& fields = *std::get<1>(form_);
  using Walk = OrderedWalk<TableOrder<HashFieldTraits, FieldNames>>;
  return std::make_unique<Walk>(
      fields.walk_hook, TableOrder<HashFieldTraits, FieldNames>(fields.traits, fields.table),
      [tell = std::move(visit)](const HashField& entry) { tell(entry.field(), entry.value()); });
}

bool Hash::is_walked() const {
  return listpack() == nullptr && std::get<1>(form_)->walk_hook != nullptr;
}

uint64_t Hash::scan(uint64_t cursor, FunctionRef<void(Bytes field, Bytes value)> visit) const {
  if (listpack() != nullptr) {
    for_each([&](Bytes field, Bytes value) {
      visit(field, value);
      return true;
    });
    return 0;
  }
  return std::get<1>(form_)->table.scan(
      cursor, [&](const HashField* entry, bool) { visit(entry->field(), entry->value()); });
}

}  // namespace tandem
