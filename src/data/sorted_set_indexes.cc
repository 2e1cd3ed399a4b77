#include "data/sorted_set_indexes.h"

#include <malloc.h>
#include <xxhash.h>

namespace tandem {

uint64_t ScoredMemberTraits::hash_of(Bytes member) const {
  return XXH3_64bits_withSeed(member.data(), member.size(), seed);
}

SortedSet::Indexes::~Indexes() {
  if (watch != nullptr) watch->finish();
  by_name.clear(ScoredMember::destroy);
}

SortedSet::Change SortedSet::Indexes::set(Bytes member, double score) {
  const uint64_t hash = traits.hash_of(member);
  ScoredMember* entry = by_name.find(traits, hash, member);
  if (entry != nullptr && entry->score == score) return Change::kSame;
  if (watch != nullptr) watch->before_change(member, entry);
  if (entry == nullptr) {
    entry = ScoredMember::create(member, score);
    member_bytes += malloc_usable_size(entry);
    by_name.insert(traits, hash, entry);
    by_score.insert(entry);
    return Change::kAdded;
  }
  by_score.erase(entry);
  entry->score = score;
  by_score.insert(entry);
  return Change::kMoved;
}

bool SortedSet::Indexes::remove(Bytes member) {
  const auto slot = by_name.find_slot(traits, traits.hash_of(member), member);
  if (!slot) return false;
  if (watch != nullptr) watch->before_change(member, by_name.entry_at(slot));
  ScoredMember* entry = by_name.erase(traits, slot);
  by_score.erase(entry);
  member_bytes -= malloc_usable_size(entry);
  ScoredMember::destroy(entry);
  return true;
}

}  // namespace tandem
