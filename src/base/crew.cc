// Mechanism: a work is opened by one store and closed by one subtraction. A helper joins in by
// counting itself while the work is open, in the same number; so the caller knows of everybody who
// came, and nobody can come later.
#include "base/crew.h"

#include <algorithm>
#include <utility>

#include <sched.h>

#include "base/check.h"
#include "base/clock.h"

namespace tandem {
namespace {

// Looks again and again whether something has come, for about a tenth of a millisecond: a sleeper
// takes as long to wake up. Whoever else wants the processor gets it. On the processor of who is
// waited for it does not look at all: there it would only be in the way, and a sleeper is woken on
// one that is free.
class Lookout {
 public:
  explicit Lookout(int processor_of_other) : processor_of_other_(processor_of_other) {}

  // False: it has looked long enough.
  bool look_again() {
    if (++looks_ > kLooks) return false;
    if (looks_ % kLooksBetweenYields != 0) {
      __builtin_ia32_pause();
      return true;
    }
    ::sched_yield();
    return ::sched_getcpu() != processor_of_other_;
  }

 private:
  static constexpr int kLooks = 2000;
  static constexpr int kLooksBetweenYields = 16;

  const int processor_of_other_;
  int looks_ = 0;
};

constexpr int kAnyProcessor = -1;
// A piece takes far less.
constexpr int64_t kInTimeUs = 1000;

}  // namespace

ThreadCrew::~ThreadCrew() {
  const auto ended = resize(0);
  CHECK(ended, "a thread can always end");
}

Result<void> ThreadCrew::resize(int helpers) {
  const Guard guard(lock_);
  while (static_cast<int>(members_.size()) > helpers) {
    Helper& last = *members_.back();
    last.leaves.store(true);
    // Another number, so that it looks up.
    state_.fetch_add(kWork);
    state_.notify_all();
    last.thread.join();
    members_.pop_back();
  }
  while (static_cast<int>(members_.size()) < std::min(helpers, most_)) {
    auto member = std::make_unique<Helper>();
    const int hand = static_cast<int>(members_.size()) + 1;
    auto started = Thread::start(name_ + "-" + std::to_string(hand),
                                 [this, hand, &leaves = member->leaves] { help(hand, leaves); });
    if (!started) return std::unexpected(started.error());
    member->thread = std::move(*started);
    members_.push_back(std::move(member));
    count_.store(static_cast<int>(members_.size()));
  }
  count_.store(static_cast<int>(members_.size()));
  return {};
}

void ThreadCrew::share(size_t pieces, Work work, FunctionRef<void()> first) {
  const Guard guard(lock_);
  if (alone_ > 0) {
    --alone_;
    first();
    for (size_t piece = 0; piece < pieces; ++piece) work(0, piece);
    return;
  }
  CHECK(pieces <= kPiecesMax, "pieces are counted in bits");
  work_ = &work;
  pieces_ = pieces;
  taken_.store(0, std::memory_order_relaxed);
  processor_of_caller_.store(::sched_getcpu(), std::memory_order_relaxed);
  const uint32_t state = state_.load(std::memory_order_relaxed);
  state_.store((work_of(state) + 1) * kWork + kOpen, std::memory_order_release);
  state_.notify_all();
  first();
  do_pieces(0);
  learn(wait_for_helpers());
}

void ThreadCrew::learn(bool helped_in_time) {
  if (helped_in_time) {
    alone_next_ = std::max(kAloneMin, alone_next_ - 1);
  } else {
    alone_ = alone_next_;
    alone_next_ = std::min(2 * alone_next_, kAloneMax);
  }
}

// The caller goes up from the first piece, each helper down from the end of its part.
void ThreadCrew::do_pieces(int hand) {
  const size_t pieces = pieces_;
  const auto part =
      static_cast<size_t>(hand) * pieces / static_cast<size_t>(std::max(1, helpers()));
  for (size_t i = 0; i < pieces; ++i) {
    const size_t piece = hand == 0 ? i : (std::min(part, pieces) + pieces - 1 - i) % pieces;
    if (take_piece(piece)) (*work_)(hand, piece);
  }
}

bool ThreadCrew::take_piece(size_t piece) {
  const uint64_t bit = uint64_t{1} << piece;
  if ((taken_.load(std::memory_order_relaxed) & bit) != 0) return false;
  return (taken_.fetch_or(bit, std::memory_order_relaxed) & bit) == 0;
}

// False: it took so long that one of them must have lost its processor.
bool ThreadCrew::wait_for_helpers() {
  uint32_t state = state_.fetch_sub(kOpen, std::memory_order_acq_rel) - kOpen;
  if (busy_in(state) == 0) return true;
  Lookout lookout(kAnyProcessor);
  const int64_t began_us = system_clock().monotonic_us();
  while (busy_in(state) != 0) {
    if (!lookout.look_again()) state_.wait(state, std::memory_order_acquire);
    state = state_.load(std::memory_order_acquire);
  }
  return system_clock().monotonic_us() - began_us <= kInTimeUs;
}

// The state once it is another one than `last`.
uint32_t ThreadCrew::next_state(uint32_t last) {
  Lookout lookout(processor_of_caller_.load(std::memory_order_relaxed));
  do {
    const uint32_t state = state_.load(std::memory_order_acquire);
    if (state != last) return state;
  } while (lookout.look_again());
  state_.wait(last, std::memory_order_acquire);
  return state_.load(std::memory_order_acquire);
}

// False: there is none to join in, or it is `done`, which this helper has been at already.
bool ThreadCrew::join_in(uint32_t& state, uint32_t done) {
  while ((state & kOpen) != 0 && work_of(state) != done) {
    if (state_.compare_exchange_weak(state, state + kOne, std::memory_order_acquire)) return true;
  }
  return false;
}

void ThreadCrew::help(int hand, const std::atomic<bool>& leaves) {
  uint32_t done = 0;
  uint32_t state = state_.load(std::memory_order_acquire);
  while (!leaves.load()) {
    if (!join_in(state, done)) {
      state = next_state(state);
      continue;
    }
    done = work_of(state);
    do_pieces(hand);
    state = state_.fetch_sub(kOne, std::memory_order_acq_rel) - kOne;
    // The caller may sleep until the last one is done.
    if (busy_in(state) == 0 && (state & kOpen) == 0) state_.notify_all();
  }
}

}  // namespace tandem
