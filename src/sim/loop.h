// SimLoop: a process's loop in the simulated world. The world runs its turns; a turn handles what
// is due, in an order that the seed decides, as libuv's would. run() steps the whole world until
// stop().
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/background.h"
#include "io/loop.h"
#include "io/timer.h"
#include "sim/world.h"

namespace tandem {

// A socket that has news for the task that waits for it. on_ready may destroy it.
class SimSource : public ListNode {
 public:
  virtual void on_ready() = 0;

 protected:
  ~SimSource() = default;
};

class SimLoop final : public Loop {
 public:
  SimLoop(SimWorld& world, const Clock& clock, std::string name);
  ~SimLoop() override;

  const Clock& clock() const override { return clock_; }
  void run() override;
  std::unique_ptr<SignalHandler> handle_signal(int signal, Callback callback) override;
  void arm(TimerNode& timer) override;
  void disarm(TimerNode& timer) noexcept override;
  // Runs in the world some time later, between turns.
  void submit(std::unique_ptr<Work> work) override;
  // Drops what was submitted. For a program that is destroyed: after the tasks that wait for it,
  // before what it touches.
  void drop_work();

  // A turn soon; `source`, when given, is told in it.
  void kick();
  void kick(SimSource& source);
  // Calls the handler's callback in a turn; without a handler nothing happens.
  void raise(int signal);
  // No turn before that: a process that does not get the processor, while its kernel goes on
  // receiving.
  void pause_ms(int64_t duration_ms);
  bool in_turn() const noexcept { return in_turn_; }
  // After the program was destroyed: drops whatever was on its way to it.
  void forget();

 private:
  class Handler;

  void wake() override { kick(); }
  void schedule_turn_at(int64_t at_us);
  void reschedule_for_timers();
  void turn();
  void run_timers();

  SimWorld& world_;
  const Clock& clock_;
  std::string name_;
  TimerHeap timers_;
  IntrusiveList<SimSource> sources_;
  std::map<uint64_t, std::unique_ptr<Work>> working_;
  std::vector<std::unique_ptr<Work>> worked_;
  uint64_t next_work_ = 0;
  std::map<int, Handler*> handlers_;
  std::optional<SimWorld::EventId> turn_event_;
  int64_t paused_until_us_ = 0;
  bool in_turn_ = false;
};

// SimBackground: the steps of long work, each in the world some time after the one before, between
// the turns of processes. So anything may happen between two of them, by the seed.
class SimBackground final : public Background {
 public:
  // `after_step` may be null (sim/process.h).
  SimBackground(SimWorld& world, std::string name, Callback after_step)
      : world_(world), name_(std::move(name)), after_step_(std::move(after_step)) {}
  ~SimBackground() override;

  void begin(Step step) override;

 private:
  void schedule();
  void run_step();

  SimWorld& world_;
  const std::string name_;
  Callback after_step_;
  std::deque<Step> works_;
  std::optional<SimWorld::EventId> next_;
};

}  // namespace tandem
