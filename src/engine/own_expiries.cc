#include "engine/own_expiries.h"

#include <utility>

namespace tandem {

void OwnExpiries::note(OwnExpiry expiry) {
  const Guard guard(lock_);
  expiries_.insert_or_assign(std::move(expiry.name), expiry.expiry_ms);
}

void OwnExpiries::forget(const KeyName& name) {
  const Guard guard(lock_);
  expiries_.erase(name);
}

void OwnExpiries::clear() {
  const Guard guard(lock_);
  expiries_.clear();
}

size_t OwnExpiries::size() const {
  const Guard guard(lock_);
  return expiries_.size();
}

std::vector<OwnExpiry> OwnExpiries::behind(const KeyName& name, size_t count) const {
  const Guard guard(lock_);
  std::vector<OwnExpiry> found;
  for (auto next = expiries_.upper_bound(name); next != expiries_.end(); ++next) {
    if (found.size() == count) break;
    found.push_back({next->first, next->second});
  }
  return found;
}

}  // namespace tandem
