// The real loop, over libuv. Ignores SIGPIPE for the whole program when made: a closed peer is an
// error, no signal.
#pragma once

#include <memory>

#include "io/loop.h"

// libuv's loop; its header stays inside io/'s .cc files.
struct uv_loop_s;

namespace tandem {

class UvLoop final : public Loop {
 public:
  UvLoop();
  // Waits for work that was submitted. Streams, listeners, timers and watches are gone by now.
  ~UvLoop() override;

  const Clock& clock() const override;
  void run() override;
  std::unique_ptr<SignalWatch> watch_signal(int signal, Callback callback) override;
  void arm(TimerNode& timer) override;
  void disarm(TimerNode& timer) noexcept override;
  void submit(std::unique_ptr<Work> work) override;

  // For io/'s own handles: the loop below, and what their callbacks say first.
  uv_loop_s* raw() noexcept;
  void note_awake() noexcept;

 private:
  struct Handles;
  void wake() override;
  void before_poll();
  void run_timers();
  void schedule_timer();

  std::unique_ptr<Handles> handles_;
};

}  // namespace tandem
