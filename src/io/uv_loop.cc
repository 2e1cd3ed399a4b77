// One prepare handle ends the turn (settle, inbox, timers) right before libuv polls; timers of all
// kinds hang on one uv_timer; one uv_async wakes the poll.
//
// Waking costs a write to an eventfd, so it is only done while the loop sleeps or is about to:
// `sleeping` is set before the last look into the inbox, and a producer adds to the inbox before it
// looks at `sleeping`. Both are sequentially consistent, so at least one of the two sees the other.
#include "io/uv_loop.h"

#include <algorithm>
#include <csignal>
#include <future>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <uv.h>

#include "base/check.h"
#include "base/thread.h"
#include "io/timer.h"

namespace tandem {
namespace {

constexpr int64_t kUsPerMs = 1000;

template <class T>
uv_handle_t* as_handle(T* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

class UvSignalHandler final : public SignalHandler {
 public:
  UvSignalHandler(uv_loop_t* loop, int signal, Callback callback) : handle_(new Handle) {
    handle_->callback = std::move(callback);
    handle_->signal.data = handle_;
    CHECK(uv_signal_init(loop, &handle_->signal) == 0, "a signal handle can be made");
    const int started = uv_signal_start(&handle_->signal, on_signal, signal);
    CHECK(started == 0, "the signal can be handled");
  }
  ~UvSignalHandler() override {
    handle_->callback = nullptr;
    uv_close(as_handle(&handle_->signal),
             [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
  }

 private:
  struct Handle {
    uv_signal_t signal;
    Callback callback;
  };
  static void on_signal(uv_signal_t* signal, int) {
    auto* handle = static_cast<Handle*>(signal->data);
    if (handle->callback) handle->callback();
  }

  Handle* handle_;
};

struct WorkRequest {
  uv_work_t request;
  std::unique_ptr<Work> work;
  UvLoop* loop;
};

// As many threads at once as libuv's pool has by default. Throws where the system has none to give.
bool try_pool() {
  constexpr size_t kPoolThreads = 4;
  std::promise<void> tried;
  const std::shared_future<void> wait = tried.get_future().share();
  std::vector<Thread> had;
  std::string error;
  while (error.empty() && had.size() < kPoolThreads) {
    auto thread = Thread::start("pool", [wait] { wait.wait(); });
    if (thread) {
      had.push_back(std::move(*thread));
    } else {
      error = thread.error().text;
    }
  }
  tried.set_value();
  for (Thread& thread : had) thread.join();
  if (!error.empty()) throw std::runtime_error(error);
  return true;
}

// The threads that submit() needs are made with the first work, and libuv ends the process without
// a word when it cannot have them: better now than for a client's command, and better said before.
void start_pool(uv_loop_t& loop) {
  [[maybe_unused]] static const bool tried = try_pool();
  uv_work_t nothing;
  const int queued = uv_queue_work(&loop, &nothing, [](uv_work_t*) {}, [](uv_work_t*, int) {});
  CHECK(queued == 0, "work can be queued");
  uv_run(&loop, UV_RUN_DEFAULT);
}

}  // namespace

struct UvLoop::Handles {
  uv_loop_t loop;
  uv_async_t async;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_timer_t timer;
  TimerHeap timers;
  uint64_t scheduled_ms = 0;  // when `timer` fires, by libuv's clock; 0: it is stopped
  std::atomic<bool> sleeping{false};
  // The loop's thread alone: when the turn began, or that none has yet since the last poll.
  bool polling = true;
  int64_t turn_began_us = 0;
};

UvLoop::UvLoop() : handles_(std::make_unique<Handles>()) {
  std::signal(SIGPIPE, SIG_IGN);
  Handles& handles = *handles_;
  CHECK(uv_loop_init(&handles.loop) == 0, "a loop can be made");
  start_pool(handles.loop);
  CHECK(uv_async_init(&handles.loop, &handles.async, [](uv_async_t*) {}) == 0, "an eventfd");
  uv_prepare_init(&handles.loop, &handles.prepare);
  uv_check_init(&handles.loop, &handles.check);
  uv_timer_init(&handles.loop, &handles.timer);
  handles.prepare.data = handles.check.data = handles.timer.data = this;
  uv_prepare_start(&handles.prepare,
                   [](uv_prepare_t* handle) { static_cast<UvLoop*>(handle->data)->before_poll(); });
  uv_check_start(&handles.check,
                 [](uv_check_t* handle) { static_cast<UvLoop*>(handle->data)->note_awake(); });
}

UvLoop::~UvLoop() {
  Handles& handles = *handles_;
  // The prepare handle goes first: nothing resumes any more.
  uv_close(as_handle(&handles.prepare), nullptr);
  uv_close(as_handle(&handles.check), nullptr);
  uv_close(as_handle(&handles.timer), nullptr);
  uv_close(as_handle(&handles.async), nullptr);
  uv_walk(
      &handles.loop,
      [](uv_handle_t* handle, void*) {
        CHECK(uv_is_closing(handle), "all that uses a loop is gone before it");
      },
      nullptr);
  CHECK(handles.timers.empty(), "all timers of a loop are gone before it");
  uv_run(&handles.loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&handles.loop) == 0, "nothing is left in a loop that ends");
}

uv_loop_s* UvLoop::raw() noexcept { return &handles_->loop; }

const Clock& UvLoop::clock() const { return system_clock(); }

void UvLoop::run() { uv_run(&handles_->loop, UV_RUN_DEFAULT); }

void UvLoop::wake() {
  if (handles_->sleeping.exchange(false)) uv_async_send(&handles_->async);
}

void UvLoop::note_awake() noexcept {
  Handles& handles = *handles_;
  if (handles.sleeping.load(std::memory_order_relaxed)) handles.sleeping.store(false);
  if (!handles.polling) return;
  handles.polling = false;
  handles.turn_began_us = clock().monotonic_us();
}

void UvLoop::before_poll() {
  note_awake();
  settle();
  handles_->sleeping.store(true);
  if (!inbox_empty()) {
    handles_->sleeping.store(false);
    run_inbox();
    settle();
    handles_->sleeping.store(true);
    // Whatever keeps posting to itself gets its turns, but between the sockets' turns.
    if (!inbox_empty()) wake();
  }
  // libuv polls once more without sleeping, then returns from uv_run.
  if (take_stop()) uv_stop(&handles_->loop);
  const int64_t now_us = clock().monotonic_us();
  const int64_t turn_us = now_us - handles_->turn_began_us;
  // libuv's clock stands still during a turn, and it decides how long to sleep.
  if (turn_us >= kUsPerMs) uv_update_time(&handles_->loop);
  schedule_timer(now_us);
  counters_.count_turn(turn_us);
  ++turn_;
  handles_->polling = true;
}

void UvLoop::arm(TimerNode& timer) { handles_->timers.insert(timer); }

void UvLoop::disarm(TimerNode& timer) noexcept { handles_->timers.remove(timer); }

void UvLoop::schedule_timer(int64_t now_us) {
  Handles& handles = *handles_;
  if (handles.timers.empty()) {
    if (handles.scheduled_ms != 0) uv_timer_stop(&handles.timer);
    handles.scheduled_ms = 0;
    return;
  }
  // Both clocks are CLOCK_MONOTONIC; libuv's counts whole milliseconds, hence rounding up, but for
  // who only lets a turn pass.
  const int64_t due_us = std::max<int64_t>(handles.timers.soonest().deadline_us(), 0);
  const uint64_t due_ms =
      (static_cast<uint64_t>(due_us) + (due_us > now_us ? kUsPerMs - 1 : 0)) / kUsPerMs;
  if (due_ms == handles.scheduled_ms) return;
  const uint64_t now_ms = uv_now(&handles.loop);
  handles.scheduled_ms = due_ms;
  uv_timer_start(
      &handles.timer, [](uv_timer_t* timer) { static_cast<UvLoop*>(timer->data)->run_timers(); },
      due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

void UvLoop::run_timers() {
  note_awake();
  Handles& handles = *handles_;
  handles.scheduled_ms = 0;
  const int64_t now_us = clock().monotonic_us();
  // Timers that are armed from here on wait for the next turn, even when they are due.
  const uint64_t order_end = handles.timers.next_order();
  while (!handles.timers.empty()) {
    TimerNode& timer = handles.timers.soonest();
    if (timer.deadline_us() > now_us || timer.order >= order_end) return;
    handles.timers.remove(timer);
    timer.on_timer();
  }
}

std::unique_ptr<SignalHandler> UvLoop::handle_signal(int signal, Callback callback) {
  return std::make_unique<UvSignalHandler>(&handles_->loop, signal, std::move(callback));
}

void UvLoop::submit(std::unique_ptr<Work> work) {
  auto* request = new WorkRequest{{}, std::move(work), this};
  request->request.data = request;
  const int queued = uv_queue_work(
      &handles_->loop, &request->request,
      [](uv_work_t* raw) { static_cast<WorkRequest*>(raw->data)->work->run(); },
      [](uv_work_t* raw, int) {
        std::unique_ptr<WorkRequest> done(static_cast<WorkRequest*>(raw->data));
        done->loop->note_awake();
        done->work->done();
      });
  CHECK(queued == 0, "work can be queued");
}

}  // namespace tandem
