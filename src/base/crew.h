// Threads that help another one with its work, now and then. The work is in pieces that do not
// touch each other; each is done once, by the caller or by one of the helpers that come in time.
//
// Where works are alike, what a piece touches is best left to who touched it the last time: a line
// of memory that another processor wrote may come slower than one from nowhere near. So each hand
// begins at an end of its own and goes on from there; hands that are quick take over from others.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "base/lock.h"
#include "base/result.h"
#include "base/thread.h"

namespace tandem {

class Crew {
 public:
  // `hand`: who does it; 0 is the caller, the helpers are numbered from 1.
  using Work = FunctionRef<void(int hand, size_t piece)>;

  virtual ~Crew() = default;

  // How many helpers there are at most, as long as the crew lives.
  virtual int helpers_max() const = 0;
  // Whether to share so much work, in whatever the caller counts: there are helpers, and sharing
  // costs less than it gains.
  virtual bool is_worth_sharing(size_t amount) const = 0;
  static constexpr size_t kPiecesMax = 64;
  // Does the pieces 0 to `pieces` - 1, at most kPiecesMax; returns when all are done. The caller
  // takes none before `first` has returned. Everybody sees what was written before, and the caller
  // afterwards what the helpers wrote.
  virtual void share(size_t pieces, Work work, FunctionRef<void()> first) = 0;
};

// Real threads. A helper that has nothing to do looks for more for about a tenth of a millisecond,
// since the next work often comes at once, and then sleeps in the kernel.
//
// Where others want the processors, too, a helper may lose its own in the middle of a piece, and
// the caller waits for it far longer than the help was worth. Each time this happens the next works
// are not shared, more and more of them.
//
// Threads: any.
class ThreadCrew final : public Crew {
 public:
  // The helpers are called `name`-1, `name`-2 and so on. Less than `amount_min` is not shared.
  ThreadCrew(std::string name, int helpers_max, size_t amount_min)
      : name_(std::move(name)), most_(helpers_max), amount_min_(amount_min) {}
  ~ThreadCrew() override;

  // Makes or ends helpers, behind the work that is being done. The error: the system has no thread
  // left; those that could be had stay.
  Result<void> resize(int helpers);

  int helpers_max() const override { return most_; }
  bool is_worth_sharing(size_t amount) const override {
    return amount >= amount_min_ && helpers() > 0;
  }
  int helpers() const { return count_.load(std::memory_order_relaxed); }
  void share(size_t pieces, Work work, FunctionRef<void()> first) override;

 private:
  struct Helper {
    Thread thread;
    std::atomic<bool> leaves{false};
  };

  // The state is one number, so that who comes and who ends agree: the lowest bit says that there
  // is work to join in, the next ones count who is at it, the rest numbers the works.
  static constexpr uint32_t kOpen = 1;
  static constexpr uint32_t kOne = 2;
  static constexpr uint32_t kWork = 1 << 16;
  static constexpr int kAloneMin = 8;
  static constexpr int kAloneMax = 512;
  static uint32_t work_of(uint32_t state) { return state / kWork; }
  static uint32_t busy_in(uint32_t state) { return state % kWork / kOne; }

  void do_pieces(int hand);
  bool take_piece(size_t piece);
  bool wait_for_helpers();
  void learn(bool helped_in_time) TANDEM_REQUIRES(lock_);
  void help(int hand, const std::atomic<bool>& leaves);
  uint32_t next_state(uint32_t last);
  bool join_in(uint32_t& state, uint32_t done);

  const std::string name_;
  const int most_;
  const size_t amount_min_;
  std::atomic<int> count_{0};
  std::atomic<uint32_t> state_{0};
  const Work* work_ = nullptr;
  size_t pieces_ = 0;
  std::atomic<uint64_t> taken_{0};  // a bit a piece
  std::atomic<int> processor_of_caller_{-1};
  // While work is shared, and while helpers come and go.
  Lock lock_;
  // How many works are still done by the caller alone, and how many the next time.
  int alone_ TANDEM_GUARDED_BY(lock_) = 0;
  int alone_next_ TANDEM_GUARDED_BY(lock_) = kAloneMin;
  std::vector<std::unique_ptr<Helper>> members_;
};

}  // namespace tandem
