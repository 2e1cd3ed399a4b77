// The real loop, over libuv. Ignores SIGPIPE for the whole program when made: a closed peer is an
// error, no signal.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "io/loop.h"

// libuv's loop; its header stays inside io/'s .cc files.
struct uv_loop_s;

namespace tandem {

// How often a loop went round, and how long it was awake meanwhile. Written by the loop's thread,
// read and reset by any.
struct LoopCounters {
  std::atomic<uint64_t> turns{0};
  std::atomic<uint64_t> busy_us{0};

  void count_turn(int64_t duration_us) {
    turns.store(turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    busy_us.store(busy_us.load(std::memory_order_relaxed) + static_cast<uint64_t>(duration_us),
                  std::memory_order_relaxed);
  }
};

class UvLoop final : public Loop {
 public:
  // Throws std::runtime_error where the system has no threads for work off the loop.
  UvLoop();
  // Waits for work that was submitted. Streams, listeners, timers and handlers are gone by now.
  ~UvLoop() override;

  const Clock& clock() const override;
  void run() override;
  std::unique_ptr<SignalHandler> handle_signal(int signal, Callback callback) override;
  void arm(TimerNode& timer) override;
  void disarm(TimerNode& timer) noexcept override;
  void submit(std::unique_ptr<Work> work) override;

  // Any thread.
  LoopCounters& counters() noexcept { return counters_; }

  // For io/'s own handles: the loop below, what their callbacks say first, and the turn's number.
  uv_loop_s* raw() noexcept;
  void note_awake() noexcept;
  uint64_t turn() const noexcept { return turn_; }

 private:
  struct Handles;
  void wake() override;
  void before_poll();
  void run_timers();
  void schedule_timer(int64_t now_us);

  std::unique_ptr<Handles> handles_;
  LoopCounters counters_;
  uint64_t turn_ = 0;
};

}  // namespace tandem
