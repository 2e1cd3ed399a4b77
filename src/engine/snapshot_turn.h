// Whose turn it is to walk the dataset: one snapshot at a time, be it for the file or for replicas.
// Who cannot wait for it (a shutdown that saves, a replica that swaps in its primary's data) makes
// it give way.
//
// Threads: any. Only take_over() blocks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

namespace tandem {

class SnapshotTurn {
 public:
  // The turn, until destroyed. May move to another thread.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
    Held& operator=(Held&& other) noexcept;
    ~Held() { give_back(); }

    explicit operator bool() const { return turn_ != nullptr; }
    // Somebody else needs it: to be destroyed soon, with whatever it was taken for given up.
    bool interrupted() const { return turn_->interrupted_.load(std::memory_order_relaxed); }
    // Somebody would like it, since it was taken.
    bool wanted() const { return turn_->wanted_.load(std::memory_order_relaxed); }

   private:
    friend class SnapshotTurn;
    explicit Held(SnapshotTurn& turn) : turn_(&turn) {}
    void give_back();

    SnapshotTurn* turn_ = nullptr;
  };

  // Empty: somebody has it, or waits in take_over(). `wake` is called, perhaps more than once and
  // from any thread, when it is interrupted; it may not call back here.
  Held try_take(std::function<void()> wake = {});
  // Who has the turn is to know that somebody would like it: its end should not be put off. So does
  // a try_take() in vain.
  void want() { wanted_.store(true); }
  // Interrupts whoever has it, and takes it as soon as it is given back. Not to be called with
  // stripes held, nor from a thread that the holder needs.
  Held take_over();
  // Asks whoever has it to give it back, and waits for nothing.
  void interrupt();

  // False: whatever the last holder did is there to see.
  bool taken() const { return taken_.load(); }

 private:
  void interrupt_locked();

  std::mutex lock_;
  std::condition_variable given_back_;
  std::atomic<bool> taken_{false};
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> wanted_{false};
  std::function<void()> wake_;
  int waiting_ = 0;
};

}  // namespace tandem
