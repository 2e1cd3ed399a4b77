// At most one turn is scheduled at a time: the soonest that somebody asked for. Timers are late by
// a little, wakes take a little, so that the order of what different processes do is the seed's.
#include "sim/loop.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace tandem {
namespace {

constexpr int64_t kWakeUsMax = 20;
constexpr int64_t kTimerLateUsMax = 1'000;
constexpr int64_t kWorkUsMax = 5'000;

}  // namespace

class SimLoop::Handler final : public SignalHandler {
 public:
  Handler(SimLoop& loop, int signal, Callback callback)
      : loop_(loop), signal_(signal), callback_(std::move(callback)) {
    CHECK(loop.handlers_.emplace(signal, this).second, "a signal has one handler");
  }
  ~Handler() override { loop_.handlers_.erase(signal_); }
  void call() { callback_(); }

 private:
  SimLoop& loop_;
  int signal_;
  Callback callback_;
};

SimLoop::SimLoop(SimWorld& world, const Clock& clock, std::string name)
    : world_(world), clock_(clock), name_(std::move(name)) {}

SimLoop::~SimLoop() { forget(); }

void SimLoop::forget() {
  CHECK(!in_turn_, "a process does not end inside its own turn");
  CHECK(timers_.empty(), "all timers of a loop are gone before it");
  forget_all();
  sources_.clear();
  drop_work();
  paused_until_us_ = 0;
  if (turn_event_) world_.cancel(*std::exchange(turn_event_, std::nullopt));
}

void SimLoop::drop_work() {
  working_.clear();
  worked_.clear();
}

void SimLoop::run() {
  while (!stop_pending()) {
    if (!world_.step()) break;
  }
  take_stop();
}

std::unique_ptr<SignalHandler> SimLoop::handle_signal(int signal, Callback callback) {
  return std::make_unique<Handler>(*this, signal, std::move(callback));
}

void SimLoop::raise(int signal) {
  post([this, signal] {
    auto found = handlers_.find(signal);
    if (found != handlers_.end()) found->second->call();
  });
}

void SimLoop::arm(TimerNode& timer) {
  timers_.insert(timer);
  // Inside a turn its end looks at the timers once.
  if (!in_turn_ && &timers_.soonest() == &timer) reschedule_for_timers();
}

void SimLoop::disarm(TimerNode& timer) noexcept { timers_.remove(timer); }

void SimLoop::reschedule_for_timers() {
  if (timers_.empty()) return;
  schedule_turn_at(timers_.soonest().deadline_us() + world_.between(0, kTimerLateUsMax));
}

void SimLoop::submit(std::unique_ptr<Work> work) {
  const uint64_t number = next_work_++;
  working_.emplace(number, std::move(work));
  world_.schedule_after_us(world_.between(1, kWorkUsMax), [this, number] {
    auto found = working_.find(number);
    if (found == working_.end()) return;  // the process has crashed since
    std::unique_ptr<Work> running = std::move(found->second);
    working_.erase(found);
    running->run();
    worked_.push_back(std::move(running));
    kick();
  });
}

void SimLoop::kick() { schedule_turn_at(world_.now_us() + world_.between(0, kWakeUsMax)); }

void SimLoop::kick(SimSource& source) {
  if (!source.linked()) {
    if (world_.chance().below(2) == 0) {
      sources_.push_back(source);
    } else {
      sources_.push_front(source);
    }
  }
  kick();
}

void SimLoop::pause_ms(int64_t duration_ms) {
  paused_until_us_ = world_.now_us() + duration_ms * 1000;
  if (turn_event_) schedule_turn_at(std::exchange(turn_event_, std::nullopt)->at_us);
}

void SimLoop::schedule_turn_at(int64_t at_us) {
  at_us = std::max(at_us, paused_until_us_);
  if (turn_event_) {
    if (turn_event_->at_us <= at_us) return;
    world_.cancel(*turn_event_);
  }
  turn_event_ = world_.schedule_at_us(at_us, [this] { turn(); });
}

void SimLoop::turn() {
  turn_event_.reset();
  if (world_.now_us() < paused_until_us_) return schedule_turn_at(paused_until_us_);
  world_.note(name_);
  in_turn_ = true;
  run_timers();
  IntrusiveList<SimSource> due;
  due.take(sources_);
  while (!due.empty()) due.pop_front().on_ready();
  std::vector<std::unique_ptr<Work>> worked = std::exchange(worked_, {});
  for (auto& work : worked) work->done();
  run_inbox();
  settle();
  in_turn_ = false;
  if (!inbox_empty() || !sources_.empty()) kick();
  reschedule_for_timers();
}

void SimLoop::run_timers() {
  const uint64_t order_end = timers_.next_order();
  while (!timers_.empty()) {
    TimerNode& timer = timers_.soonest();
    if (timer.deadline_us() > world_.now_us() || timer.order >= order_end) return;
    timers_.remove(timer);
    timer.on_timer();
  }
}

namespace {

constexpr int64_t kStepUsMax = 5'000;

}  // namespace

SimBackground::~SimBackground() {
  if (next_) world_.cancel(*next_);
}

void SimBackground::begin(Step step) {
  works_.push_back(std::move(step));
  if (!next_) schedule();
}

void SimBackground::schedule() {
  next_ = world_.schedule_after_us(world_.between(1, kStepUsMax), [this] { run_step(); });
}

void SimBackground::run_step() {
  next_.reset();
  world_.note(name_ + " background");
  if (!works_.front()()) works_.pop_front();
  if (after_step_ != nullptr) after_step_();
  if (!works_.empty() && !next_) schedule();
}

}  // namespace tandem
