// How long a link waits before its next try.
//
//   it followed, and was cut     not at all, once: the primary is most likely still there
//   it never came up, or again
//   not for long                 100 ms, doubled each time up to 5 s, by chance between a half and
//                                the whole: replicas that lost a primary together do not come back
//                                together
//   the snapshot holds what is
//   not supported here           a minute, doubled each time up to an hour: it will be the same for
//                                long, and each try costs the primary a fork
//
// A link that has followed for a while begins anew: "for a while" is as long as it took to come up,
// and kFollowedMsMin at least. So a primary that sends its snapshot and closes is asked for another
// one ever more seldom, and at least as much time is spent following as syncing.
//
// Confined to its link's loop.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace tandem {

// How an attempt ended.
struct LinkEnding {
  int64_t rising_ms = 0;              // from the connection to the stream
  int64_t following_ms = -1;          // in the stream; negative: it never was
  bool needs_snapshot = false;        // the stream cannot be applied from where it is
  bool unsupported_snapshot = false;  // it holds what this server does not know
};

class LinkBackoff {
 public:
  static constexpr int64_t kFirstMs = 100;
  static constexpr int64_t kMaxMs = 5000;
  static constexpr int64_t kUnsupportedFirstMs = 60'000;
  static constexpr int64_t kUnsupportedMaxMs = 3'600'000;
  // A second: by then the link has acknowledged by its own clock, and its primary counts it.
  static constexpr int64_t kFollowedMsMin = 1000;

  explicit LinkBackoff(uint64_t random_seed) : random_(random_seed) {}

  // 0: at once.
  int64_t next_ms(const LinkEnding& ending);

 private:
  int64_t doubled_ms(int64_t first_ms, int times, int64_t max_ms);

  Random random_;
  bool may_try_at_once_ = true;
  int pauses_in_a_row_ = 0;
  int unsupported_in_a_row_ = 0;
};

}  // namespace tandem
