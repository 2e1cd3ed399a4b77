#include "base/thread.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include "base/test_clock.h"

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
  pthread_attr_t usual;
  ASSERT_EQ(::pthread_getattr_default_np(&usual), 0);
  pthread_attr_t boundless = usual;
  constexpr size_t kWholeAddressSpace = size_t{1} << 47;  // for the stack
  ASSERT_EQ(::pthread_attr_setstacksize(&boundless, kWholeAddressSpace), 0);
  ASSERT_EQ(::pthread_setattr_default_np(&boundless), 0);
  const auto thread = Thread::start("none", [] {});
  ASSERT_EQ(::pthread_setattr_default_np(&usual), 0);
  ASSERT_FALSE(thread);
  EXPECT_EQ(thread.error().text,
            "the thread 'none' cannot be had: Resource temporarily unavailable");
}

TEST(ThreadTest, ABreatherLeavesThePolicyOfItsThreadAsItWas) {
  TestClock clock;
  clock.step_us = 500;  // the work between two looks at it
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
  TestClock clock;
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
