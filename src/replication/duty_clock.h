// How long a peer has owed something: bytes that it is to take, or a sign that it lives. The clock
// runs only while it is the peer's turn, and starts anew when the peer does some of what it owes.
// So it never counts what somebody else was waited for.
//
// One clock a peer and duty. Whoever has one looks at it each second or so: a longer gap between
// two looks means that this server itself stood still, and counts as no more than kGapMsMax.
//
// Confined to one thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tandem {

class DutyClock {
 public:
  static constexpr int64_t kGapMsMax = 2000;

  // The peer owes from here on. What was measured before still counts.
  void peers_turn(int64_t now_ms) {
    look(now_ms);
    running_ = true;
  }
  // The peer owes nothing for the moment: the clock stands.
  void our_turn(int64_t now_ms) {
    look(now_ms);
    running_ = false;
  }
  // The peer did some of what it owes.
  void progress(int64_t now_ms) {
    measured_ms_ = 0;
    looked_at_ms_ = now_ms;
  }

  // For how long it has been owing.
  int64_t look(int64_t now_ms) {
    if (running_) measured_ms_ += std::clamp<int64_t>(now_ms - looked_at_ms_, 0, kGapMsMax);
    looked_at_ms_ = now_ms;
    return measured_ms_;
  }

 private:
  bool running_ = false;
  int64_t measured_ms_ = 0;
  int64_t looked_at_ms_ = 0;
};

}  // namespace tandem
