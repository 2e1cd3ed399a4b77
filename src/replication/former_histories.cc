#include "replication/former_histories.h"

#include <algorithm>

namespace tandem {

void FormerHistories::add(const Position& end) {
  const Guard guard(lock_);
  if (ends_.size() == kNamesMax) ends_.erase(ends_.begin());
  ends_.push_back(end);
}

void FormerHistories::clear() {
  const Guard guard(lock_);
  ends_.clear();
}

Position FormerHistories::resolve(const Position& place, const ReplicationId& present) const {
  const Guard guard(lock_);
  const bool ours = std::ranges::any_of(ends_, [&place](const Position& end) {
    return end.id == place.id && place.offset <= end.offset;
  });
  return ours ? Position{.id = present, .offset = place.offset} : place;
}

}  // namespace tandem
