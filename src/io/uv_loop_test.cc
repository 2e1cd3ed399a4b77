#include "io/uv_loop.h"

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "io/event.h"
#include "io/task.h"

namespace tandem {
namespace {

constexpr int64_t kForeverMs = 3'600'000;

Task<void> run_and_stop(Loop& loop, Task<void> task) {
  co_await std::move(task);
  loop.stop();
}

void run_to_end(Loop& loop, Task<void> task) {
  Scope scope;
  scope.spawn(run_and_stop(loop, std::move(task)));
  loop.run();
  EXPECT_EQ(scope.live_count(), 0u);
}

Task<void> sleep_in_turn(Loop& loop, std::vector<int>& order) {
  const int64_t start_us = loop.clock().monotonic_us();
  EXPECT_TRUE(co_await loop.sleep_us(2'500));
  EXPECT_GE(loop.clock().monotonic_us() - start_us, 2'500);
  order.push_back(1);
  EXPECT_TRUE(co_await loop.sleep_ms(0));
  order.push_back(2);
}

TEST(UvLoopTest, SleepsAtLeastAsLongAsAsked) {
  UvLoop loop;
  std::vector<int> order;
  run_to_end(loop, sleep_in_turn(loop, order));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

Task<void> work_and_sleep(Loop& loop, int64_t work_us) {
  EXPECT_TRUE(co_await loop.sleep_us(1));  // what comes before run() is no turn
  for (int turn = 0; turn < 3; ++turn) {
    const int64_t began_us = loop.clock().monotonic_us();
    while (loop.clock().monotonic_us() - began_us < work_us) {
    }
    EXPECT_TRUE(co_await loop.sleep_us(1));
  }
}

TEST(UvLoopTest, CountsItsTurnsAndTheTimeItIsAwake) {
  constexpr int64_t kWorkUs = 2'000;
  UvLoop loop;
  const int64_t began_us = loop.clock().monotonic_us();
  run_to_end(loop, work_and_sleep(loop, kWorkUs));
  EXPECT_GE(loop.counters().turns.load(), 3u);
  // The first work is done before the loop runs.
  EXPECT_GE(loop.counters().busy_us.load(), 2u * kWorkUs);
  EXPECT_LE(loop.counters().busy_us.load(),
            static_cast<uint64_t>(loop.clock().monotonic_us() - began_us));
}

Task<void> sleep_until_stopped(Loop& loop, StopToken stop, ErrorCode& code) {
  auto slept = co_await loop.sleep_ms(kForeverMs, stop);
  if (!slept) code = slept.error().code;
  auto again = co_await loop.sleep_ms(kForeverMs, stop);
  EXPECT_FALSE(again);
}

Task<void> stop_and_join(Scope& scope) {
  scope.request_stop();
  co_await scope.join();
}

TEST(UvLoopTest, AStopEndsASleepAndEveryLaterOne) {
  UvLoop loop;
  Scope sleepers;
  ErrorCode code = ErrorCode::kIo;
  sleepers.spawn(sleep_until_stopped(loop, sleepers.token(), code));
  run_to_end(loop, stop_and_join(sleepers));
  EXPECT_EQ(code, ErrorCode::kCancelled);
}

Task<void> sleep_with_deadline(Loop& loop, ErrorCode& code) {
  Deadline deadline(loop, 1);
  auto slept = co_await loop.sleep_ms(kForeverMs, deadline.token());
  code = slept.error().code;
  EXPECT_TRUE(deadline.expired());
}

TEST(UvLoopTest, ADeadlineEndsAWaitWithTimeout) {
  UvLoop loop;
  ErrorCode code = ErrorCode::kIo;
  run_to_end(loop, sleep_with_deadline(loop, code));
  EXPECT_EQ(code, ErrorCode::kTimeout);
}

Task<void> wait_for(Event& event, StopToken stop, int& wakes) {
  while (co_await event.wait(stop)) wakes++;
}

TEST(UvLoopTest, WaitsAreDestroyedWhileSuspendedOrReady) {
  UvLoop loop;
  Event event(loop);
  int wakes = 0;
  {
    Scope scope;
    ErrorCode code = ErrorCode::kIo;
    scope.spawn(sleep_until_stopped(loop, scope.token(), code));
    scope.spawn(wait_for(event, scope.token(), wakes));
    event.notify();  // ready now, and destroyed before it runs
  }
  event.notify();
  EXPECT_EQ(wakes, 0);
  loop.stop();
  loop.run();
}

TEST(UvLoopTest, NotificationsBeforeAWaitAreKeptAsOne) {
  UvLoop loop;
  Event event(loop);
  event.notify();
  event.notify();
  int wakes = 0;
  Scope scope;
  scope.spawn(wait_for(event, scope.token(), wakes));
  EXPECT_EQ(wakes, 1);
  run_to_end(loop, stop_and_join(scope));
  EXPECT_EQ(wakes, 1);
}

TEST(UvLoopTest, PostsFromManyThreadsAllArriveInTheirOrder) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5'000;
  UvLoop loop;
  std::vector<int> last(kThreads, -1);
  int total = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; i++) {
        loop.post([&, t, i] {
          ordered = ordered && last[t] == i - 1;
          last[t] = i;
          if (++total == kThreads * kPosts) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(ordered);
  EXPECT_EQ(total, kThreads * kPosts);
}

TEST(UvLoopTest, TheLastRingIsNeverLost) {
  // Each thread publishes a number, then rings; the loop must come to see the last number of each.
  constexpr int kThreads = 3;
  constexpr uint64_t kLast = 50'000;
  UvLoop loop;
  std::atomic<uint64_t> published[kThreads] = {};
  uint64_t answers = 0;
  Doorbell bell(loop, [&] {
    answers++;
    for (const auto& value : published) {
      if (value.load(std::memory_order_acquire) != kLast) return;
    }
    loop.stop();
  });
  std::vector<std::thread> threads;
  for (auto& value : published) {
    threads.emplace_back([&value, &bell] {
      for (uint64_t i = 1; i <= kLast; i++) {
        value.store(i, std::memory_order_release);
        bell.ring();
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(answers, 1u);
  EXPECT_LE(answers, kThreads * kLast);
}

TEST(UvLoopTest, ARungBellMayBeDestroyed) {
  UvLoop loop;
  int answers = 0;
  {
    Doorbell bell(loop, [&] { answers++; });
    bell.ring();
  }
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(answers, 0);
}

TEST(UvLoopTest, ACallbackThatPostsItselfDoesNotHoldUpTheRest) {
  UvLoop loop;
  struct Repeater {
    Loop& loop;
    bool& done;
    void operator()() const {
      if (!done) loop.post(Repeater{loop, done});
    }
  };
  bool done = false;
  loop.post(Repeater{loop, done});
  Timer timer(loop, [&] {
    done = true;
    loop.stop();
  });
  timer.once_after_ms(2);
  loop.run();
  EXPECT_TRUE(done);
}

TEST(UvLoopTest, HooksRunBeforeEachSleepAndAfterWhatTheyMadeReady) {
  UvLoop loop;
  Event event(loop);
  int wakes = 0;
  std::vector<int> seen;  // the wakes that each run of the hook saw
  Scope scope;
  scope.spawn(wait_for(event, scope.token(), wakes));
  BeforeSleep hook(loop, [&] {
    seen.push_back(wakes);
    if (wakes == 0) event.notify();
    if (wakes == 1) loop.stop();
  });
  loop.run();
  EXPECT_EQ(seen, (std::vector<int>{0, 1}));
  scope.request_stop();
}

Task<void> compute_elsewhere(Loop& loop, std::thread::id& where, int& value) {
  auto result = co_await loop.offload([&where] {
    where = std::this_thread::get_id();
    return 42;
  });
  value = *result;
  EXPECT_TRUE(co_await loop.offload([] {}));
}

TEST(UvLoopTest, OffloadedWorkRunsOnAnotherThread) {
  UvLoop loop;
  std::thread::id where;
  int value = 0;
  run_to_end(loop, compute_elsewhere(loop, where, value));
  EXPECT_EQ(value, 42);
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(UvLoopTest, WorkOutlivesTheTaskThatWaitedForIt) {
  std::atomic<int> runs{0};
  {
    UvLoop loop;
    Scope scope;
    auto start = [](Loop& on, std::atomic<int>& count) -> Task<void> {
      co_await on.offload([&count] { count++; });
      count += 100;
    };
    scope.spawn(start(loop, runs));
  }
  EXPECT_EQ(runs.load(), 1);
}

TEST(UvLoopTest, SignalsCallBack) {
  UvLoop loop;
  int calls = 0;
  auto handler = loop.handle_signal(SIGHUP, [&] {
    calls++;
    loop.stop();
  });
  loop.post([] { std::raise(SIGHUP); });
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(UvLoopTest, RunsAgainAfterAStopFromAnotherThread) {
  UvLoop loop;
  for (int i = 0; i < 3; i++) {
    std::thread stopper([&] { loop.stop(); });
    loop.run();
    stopper.join();
  }
}

}  // namespace
}  // namespace tandem
