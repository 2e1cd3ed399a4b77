#include "replication/link_backoff.h"

#include <algorithm>

namespace tandem {

namespace {

constexpr int kDoublingsMax = 20;

}  // namespace

int64_t LinkBackoff::next_ms(const LinkEnding& ending) {
  if (ending.unsupported_snapshot) {
    return doubled_ms(kUnsupportedFirstMs, unsupported_in_a_row_++, kUnsupportedMaxMs);
  }
  const bool followed = ending.following_ms >= 0;
  if (followed) unsupported_in_a_row_ = 0;
  if (followed && ending.following_ms >= std::max(kFollowedMsMin, ending.rising_ms)) {
    may_try_at_once_ = true;
    pauses_in_a_row_ = 0;
  }
  if (followed && may_try_at_once_ && !ending.needs_snapshot) {
    may_try_at_once_ = false;
    return 0;
  }
  return doubled_ms(kFirstMs, pauses_in_a_row_++, kMaxMs);
}

int64_t LinkBackoff::doubled_ms(int64_t first_ms, int times, int64_t max_ms) {
  const int64_t full = std::min(max_ms, first_ms << std::min(times, kDoublingsMax));
  return full / 2 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(full / 2) + 1));
}

}  // namespace tandem
