// In listpack form fields stand at even places and values behind them.
#include "data/hash.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

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

namespace {

// Of a listpack that a hash keeps for itself.
uintptr_t word_of(Listpack pack) { return reinterpret_cast<uintptr_t>(pack.release()); }

}  // namespace

// Takes the listpack out of the word and puts it back at the end: what was lent becomes its own.
class Hash::PackEdit {
 public:
  explicit PackEdit(Hash& hash)
      : hash_(hash),
        pack_(hash.word_ != 0 && hash.tag() == kOwn
                  ? Listpack::adopt(reinterpret_cast<uint8_t*>(hash.word_))
                  : Listpack::from_valid(hash.entries().bytes())) {}
  ~PackEdit() { hash_.word_ = word_of(std::move(pack_)); }
  PackEdit(const PackEdit&) = delete;
  PackEdit& operator=(const PackEdit&) = delete;
  Listpack* operator->() { return &pack_; }

 private:
  Hash& hash_;
  Listpack pack_;
};

Hash::Hash() = default;
Hash::~Hash() { let_go(); }

Hash::Hash(Hash&& other) noexcept {
  if (other.is_lent()) const PackEdit taken_out(other);
  word_ = std::exchange(other.word_, 0);
}

Hash& Hash::operator=(Hash&& other) noexcept {
  Hash taken(std::move(other));
  if (is_lent()) word_ = 0;  // whose bytes they are frees them
  std::swap(word_, taken.word_);
  return *this;
}

void Hash::let_go() {
  if (!is_packed()) {
    delete &fields();
  } else if (!is_lent() && word_ != 0) {
    const Listpack freed = Listpack::adopt(reinterpret_cast<uint8_t*>(word_));
  }
  word_ = 0;
}

ListpackView Hash::entries() const {
  if (word_ == 0) return ListpackView(listpack_format::kEmpty);
  const char* bytes = is_lent() ? reinterpret_cast<const char*>(this) + (word_ >> 2)
                                : reinterpret_cast<const char*>(word_);
  return ListpackView::at(bytes);
}

Hash::Fields& Hash::fields() const { return *reinterpret_cast<Fields*>(word_ & ~kTagMask); }

std::optional<ListpackView> Hash::listpack() const {
  if (!is_packed()) return std::nullopt;
  return entries();
}

size_t Hash::bytes_to_lend() const {
  if (!is_packed() || word_ == 0) return 0;
  const size_t bytes = entries().bytes().size();
  return bytes <= kLentBytesMax ? bytes : 0;
}

void Hash::move_in(Hash& other, char* place) {
  const Bytes bytes = other.entries().bytes();
  std::memcpy(place, bytes.data(), bytes.size());
  word_ = static_cast<uintptr_t>(place - reinterpret_cast<char*>(this)) << 2 | kLent;
  other.let_go();
}

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
  hash.word_ = word_of(std::move(*pack));
  if (count / kPair > limits.hash_max_listpack_entries) hash.become_hash_table(limits);
  return hash;
}

size_t Hash::size() const {
  return is_packed() ? entries().count() / kPair : fields().table.size();
}

Bytes Hash::encoding_name() const { return is_packed() ? "listpack" : "hashtable"; }

size_t Hash::memory_bytes() const {
  if (is_packed()) {
    const bool has_own = word_ != 0 && !is_lent();
    return has_own ? malloc_usable_size(reinterpret_cast<void*>(word_)) : 0;
  }
  return sizeof(Fields) + fields().table.memory_bytes() + fields().entry_bytes;
}

std::unique_ptr<Hash::Fields> Hash::as_hash_table(uint64_t seed) const {
  auto table = std::make_unique<Fields>(seed);
  for_each([&](Bytes field, Bytes value) {
    table->set(field, value);
    return true;
  });
  return table;
}

Hash::Fields& Hash::become_hash_table(const EncodingLimits& limits) {
  auto table = as_hash_table(limits.hash_seed);
  let_go();
  word_ = reinterpret_cast<uintptr_t>(table.release()) | kTable;
  return fields();
}

Hash Hash::copy() const {
  Hash copied;
  if (is_packed()) {
    copied.word_ = word_of(Listpack::from_valid(entries().bytes()));
  } else {
    auto table = as_hash_table(fields().traits.seed);
    copied.word_ = reinterpret_cast<uintptr_t>(table.release()) | kTable;
  }
  return copied;
}

void Hash::reserve(size_t expected, const EncodingLimits& limits) {
  if (is_packed() && expected > limits.hash_max_listpack_entries) {
    become_hash_table(limits);
  }
}

bool Hash::set(Bytes field, Bytes value, const EncodingLimits& limits) {
  if (is_packed() && (std::max(field.size(), value.size()) > limits.hash_max_listpack_value_bytes ||
                      !Listpack::can_grow(entries().bytes().size(), field.size() + value.size()))) {
    become_hash_table(limits);
  }
  if (!is_packed()) return fields().set(field, value);
  const ListpackView pack = entries();
  const auto found = find_field(pack, field);
  if (found != pack.end()) {
    const auto at = pack.next(found);
    if (!Listpack::overwrite(pack, at, value)) PackEdit(*this)->replace(at, value);
    return false;
  }
  {
    PackEdit edit(*this);
    edit->append(field);
    edit->append(value);
  }
  if (size() > limits.hash_max_listpack_entries) become_hash_table(limits);
  return true;
}

std::optional<Element> Hash::get(Bytes field) const {
  if (is_packed()) {
    const ListpackView pack = entries();
    const auto found = find_field(pack, field);
    if (found == pack.end()) return std::nullopt;
    return pack.get(pack.next(found));
  }
  const HashField* entry = fields().find(field);
  if (entry == nullptr) return std::nullopt;
  return Element(entry->value());
}

bool Hash::remove(Bytes field) {
  if (!is_packed()) return fields().remove(field);
  const auto found = find_field(entries(), field);
  if (found == entries().end()) return false;
  PackEdit(*this)->erase(found, kPair);
  return true;
}

Hash::Pair Hash::random_pair(Random& random) const {
  if (is_packed()) {
    const ListpackView pack = entries();
    const auto index = static_cast<int64_t>(random.below(pack.count() / kPair));
    const auto field = pack.seek(index * kPair);
    return {pack.get(field), pack.get(pack.next(field))};
  }
  const HashField* entry = fields().table.random_entry(random);
  return {Element(entry->field()), Element(entry->value())};
}

size_t Hash::sample(size_t count, Random& random,
                    FunctionRef<void(Bytes field, Bytes value)> visit) const {
  if (is_packed() || !draws_are_cheaper(count, size())) {
    return sample_by_walk(*this, count, random, visit);
  }
  const auto& table = fields().table;
  return sample_by_draws(
      count, [&] { return table.random_entry(random); },
      [&](const HashField* entry) { visit(entry->field(), entry->value()); });
}

void Hash::for_each(FunctionRef<bool(Bytes field, Bytes value)> visit) const {
  if (is_packed()) {
    const ListpackView pack = entries();
    for (auto at = pack.first(); at != pack.end(); at = pack.next(at)) {
      const Element field = pack.get(at);
      at = pack.next(at);
      const Element value = pack.get(at);
      if (!visit(field.text(), value.text())) return;
    }
    return;
  }
  const auto& table = fields().table;
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
  if (is_packed() || !is_large(size(), memory_bytes())) return nullptr;
  const Fields& table = fields();
  using Walk = OrderedWalk<TableOrder<HashFieldTraits, FieldNames>>;
  return std::make_unique<Walk>(
      table.walk_hook, TableOrder<HashFieldTraits, FieldNames>(table.traits, table.table),
      [tell = std::move(visit)](const HashField& entry) { tell(entry.field(), entry.value()); });
}

bool Hash::is_walked() const { return !is_packed() && fields().walk_hook != nullptr; }

uint64_t Hash::scan(uint64_t cursor, FunctionRef<void(Bytes field, Bytes value)> visit) const {
  if (is_packed()) {
    for_each([&](Bytes field, Bytes value) {
      visit(field, value);
      return true;
    });
    return 0;
  }
  return fields().table.scan(
      cursor, [&](const HashField* entry, bool) { visit(entry->field(), entry->value()); });
}

}  // namespace tandem
