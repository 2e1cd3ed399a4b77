#include "base/lock.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

void wait_until_contended(const Lock& lock) {
  while (!lock.contended()) std::this_thread::yield();
}

TEST(Lock, OneHolderAtATimeHoweverItIsTaken) {
  Lock lock;
  int64_t count = 0;
  const auto plain = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const Guard guard(lock);
      ++count;
    }
  };
  const auto patient = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const PatientGuard guard(lock);
      ++count;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(plain);
  threads.emplace_back(plain);
  threads.emplace_back(plain);
  threads.emplace_back(patient);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 80'000);
}

// With a plain unlock and lock the same thread would win nearly every time.
TEST(Lock, WhoeverSleptGoesBeforeAHolderThatComesBack) {
  Lock lock;
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> was_in{false};
    lock.lock_behind_others();
    std::thread other([&] {
      const Guard guard(lock);
      was_in.store(true);
    });
    wait_until_contended(lock);
    lock.unlock_to_others();
    lock.lock_behind_others();
    EXPECT_TRUE(was_in.load()) << round;
    lock.unlock_to_others();
    other.join();
  }
}

TEST(Lock, AReservedLockGoesToWhoeverComesFirst) {
  Lock lock;
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> were_in{0};
    lock.lock_behind_others();
    std::vector<std::thread> others;
    for (int i = 0; i < 3; ++i) {
      others.emplace_back([&] {
        const Guard guard(lock);
        were_in.fetch_add(1);
      });
    }
    wait_until_contended(lock);
    lock.unlock_to_others();
    {
      const PatientGuard guard(lock);
      EXPECT_GE(were_in.load(), 1);
    }
    for (std::thread& other : others) other.join();
    EXPECT_EQ(were_in.load(), 3);
  }
}

}  // namespace
}  // namespace tandem
