#include "base/thread.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

namespace tandem {
namespace {

TEST(ThreadTest, HasANameOfUpToFifteenBytes) {
  char name[16] = {};
  std::thread([&name] {
    name_thread("a name of nineteen.");
    pthread_getname_np(pthread_self(), name, sizeof name);
  }).join();
  EXPECT_STREQ(name, "a name of ninet");
}

TEST(ThreadTest, RunsUnderItsNameUntilItIsJoined) {
  char name[16] = {};
  auto thread = Thread::start("one", [&name, kept = std::make_unique<int>(1)] {
    pthread_getname_np(pthread_self(), name, sizeof name);
  });
  ASSERT_TRUE(thread);
  EXPECT_TRUE(thread->joinable());
  Thread moved = std::move(*thread);
  moved.join();
  EXPECT_FALSE(moved.joinable());
  EXPECT_STREQ(name, "one");
  moved.join();
}

TEST(ThreadTest, OneThatCannotBeHadIsAnError) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  rlimit none = before;
  none.rlim_cur = 1;  // no memory for a stack
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &none), 0);
  // The stacks of former threads may be kept; each of these takes one until it is joined.
  std::vector<Thread> had;
  had.reserve(100);
  std::string error;
  while (error.empty() && had.size() < had.capacity()) {
    auto thread = Thread::start("none", [] {});
    if (thread) {
      had.push_back(std::move(*thread));
    } else {
      error = thread.error().text;
    }
  }
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  for (Thread& thread : had) thread.join();
  EXPECT_EQ(error, "the thread 'none' cannot be had: Resource temporarily unavailable");
}

// Each look at it is half a millisecond of work.
class BusyClock final : public Clock {
 public:
  int64_t unix_us() const override { return 0; }
  int64_t monotonic_us() const override { return 500 * ++looks; }
  mutable int64_t looks = 0;
};

class StandingClock final : public Clock {
 public:
  int64_t unix_us() const override { return 0; }
  int64_t monotonic_us() const override {
    ++looks;
    return now_us;
  }
  mutable int64_t looks = 0;
  mutable int64_t now_us = 0;
};

TEST(ThreadTest, ABreatherLeavesThePolicyOfItsThreadAsItWas) {
  const BusyClock clock;
  std::thread([&clock] {
    for (const int policy : {SCHED_OTHER, SCHED_BATCH}) {
      const sched_param none{};
      ASSERT_EQ(sched_setscheduler(0, policy, &none), 0);
      Breather breather(clock);
      breather.take_at_times();
      EXPECT_EQ(sched_getscheduler(0), policy);
    }
  }).join();
  EXPECT_EQ(clock.looks, 6) << "it rested both times";
}

TEST(ThreadTest, ABreatherDoesNotRestFromWaiting) {
  const StandingClock clock;
  Breather breather(clock);
  breather.begin_wait();
  clock.now_us += 10'000;
  breather.end_wait();
  breather.take_at_times();
  EXPECT_EQ(clock.looks, 4) << "it would look once more when it has rested";
  clock.now_us += 500;
  breather.take_at_times();
  EXPECT_EQ(clock.looks, 6);
}

}  // namespace
}  // namespace tandem
