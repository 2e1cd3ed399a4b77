// The large form of a hash: a hash table with one allocation for a field and its value. Owned by
// data/hash.h.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "data/element_walk.h"
#include "data/hash.h"
#include "data/hash_table.h"

namespace tandem {

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
  mutable ElementWatch<HashField>* watch = nullptr;
};

}  // namespace tandem
