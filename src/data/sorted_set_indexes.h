// The large form of a sorted set: members by name in a hash table and in order in a tree, over the
// same allocations, which this struct owns. Owned by data/sorted_set.h.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "data/element_walk.h"
#include "data/hash_table.h"
#include "data/score_tree.h"
#include "data/sorted_set.h"

namespace tandem {

struct ScoredMemberTraits {
  using Entry = ScoredMember;
  using Key = Bytes;

  uint64_t seed;

  uint64_t hash_of(Bytes member) const;
  uint64_t hash(const ScoredMember& entry) const { return hash_of(entry.text()); }
  bool equals(const ScoredMember& entry, Bytes member) const { return entry.text() == member; }
};

struct SortedSet::Indexes {
  explicit Indexes(uint64_t seed) : traits{seed} {}
  ~Indexes();
  Indexes(const Indexes&) = delete;
  Indexes& operator=(const Indexes&) = delete;

  const ScoredMember* find(Bytes member) const {
    return by_name.find(traits, traits.hash_of(member), member);
  }
  Change set(Bytes member, double score);
  bool remove(Bytes member);

  ScoredMemberTraits traits;
  HashTable<ScoredMemberTraits> by_name;
  ScoreTree by_score;
  size_t member_bytes = 0;  // as allocated
  mutable ElementWatch<ScoredMember>* watch = nullptr;
};

}  // namespace tandem
