// A new value of the same size is written over the old one; otherwise the entry is allocated again
// and put into its slot.
#include "data/hash_fields.h"

#include <cstdlib>
#include <cstring>

#include <malloc.h>
#include <xxhash.h>

#include "base/check.h"

namespace tandem {

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

Hash::Fields::~Fields() {
  if (watch != nullptr) watch->finish();
  table.clear([](HashField* entry) { std::free(entry); });
}

bool Hash::Fields::set(Bytes field, Bytes value) {
  const uint64_t hash = traits.hash_of(field);
  const auto slot = table.find_slot(traits, hash, field);
  if (watch != nullptr) watch->before_change(field, slot ? table.entry_at(slot) : nullptr);
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
  if (watch != nullptr) watch->before_change(field, table.entry_at(slot));
  HashField* entry = table.erase(traits, slot);
  entry_bytes -= malloc_usable_size(entry);
  std::free(entry);
  return true;
}

}  // namespace tandem
