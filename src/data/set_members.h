// The large form of a set: a hash table with one allocation a member. Owned by data/set.h.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "data/element_walk.h"
#include "data/hash_table.h"
#include "data/set.h"

namespace tandem {

// A member: this header, then its bytes.
struct SetMember {
  uint32_t size;

  Bytes text() const { return Bytes(reinterpret_cast<const char*>(this + 1), size); }
  static SetMember* create(Bytes text);
};

struct SetMemberTraits {
  using Entry = SetMember;
  using Key = Bytes;

  uint64_t seed;

  uint64_t hash_of(Bytes text) const;
  uint64_t hash(const SetMember& member) const { return hash_of(member.text()); }
  bool equals(const SetMember& member, Bytes text) const { return member.text() == text; }
};

struct Set::Members {
  explicit Members(uint64_t seed) : traits{seed} {}
  ~Members();
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  bool add(Bytes text);
  bool remove(Bytes text);
  bool contains(Bytes text) const {
    return table.find(traits, traits.hash_of(text), text) != nullptr;
  }

  SetMemberTraits traits;
  HashTable<SetMemberTraits> table;
  size_t member_bytes = 0;  // as allocated
  mutable ElementWatch<SetMember>* watch = nullptr;
};

}  // namespace tandem
