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
  const auto patient = [&](Lock::Purpose purpose) {
    for (int i = 0; i < 20'000; ++i) {
      const PatientGuard guard(lock, purpose);
      ++count;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(plain);
  threads.emplace_back(plain);
  threads.emplace_back(plain);
  threads.emplace_back(patient, Lock::Purpose::kSnapshot);
  threads.emplace_back(patient, Lock::Purpose::kStream);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 100'000);
}

// With a plain unlock and lock the same thread would win nearly every time.
TEST(Lock, WhoeverSleptGoesBeforeAHolderThatComesBack) {
  Lock lock;
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> was_in{false};
    lock.lock_behind_others(Lock::Purpose::kStream);
    std::thread other([&] {
      const Guard guard(lock);
      was_in.store(true);
    });
    wait_until_contended(lock);
    lock.unlock_to_others(Lock::Purpose::kStream);
    lock.lock_behind_others(Lock::Purpose::kStream);
    EXPECT_TRUE(was_in.load()) << round;
    lock.unlock_to_others(Lock::Purpose::kStream);
    other.join();
  }
}

TEST(Lock, WhoeverGivesUpLeavesNoTraceAndLosesNobodysWake) {
  Lock lock;
  lock.lock();
  std::thread([&lock] {
    const bool taken = lock.lock_within(1);
    EXPECT_FALSE(taken);
    if (taken) lock.unlock();
  }).join();
  EXPECT_FALSE(lock.contended());
  std::atomic<bool> was_in{false};
  std::thread patient([&] {
    const Guard guard(lock);
    was_in.store(true);
  });
  wait_until_contended(lock);
  std::thread impatient([&] {
    if (lock.lock_within(1)) lock.unlock();
  });
  impatient.join();
  EXPECT_FALSE(was_in.load());
  lock.unlock();
  patient.join();
  EXPECT_TRUE(was_in.load());
  const bool free = lock.lock_within(1);
  EXPECT_TRUE(free);
  if (free) lock.unlock();
}

TEST(Lock, GivingUpMeetsUnlocksInEveryOrder) {
  Lock lock;
  int64_t count = 0;
  std::atomic<int64_t> taken{0};
  const auto work = [&] {
    for (int i = 0; i < 5'000; ++i) {
      if (lock.lock_within(0)) {
        ++count;
        taken.fetch_add(1);
        lock.unlock();
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, taken.load());
  EXPECT_FALSE(lock.contended());
}

TEST(Lock, AReservedLockGoesToWhoeverComesFirst) {
  Lock lock;
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> were_in{0};
    lock.lock_behind_others(Lock::Purpose::kStream);
    std::vector<std::thread> others;
    for (int i = 0; i < 3; ++i) {
      others.emplace_back([&] {
        const Guard guard(lock);
        were_in.fetch_add(1);
      });
    }
    wait_until_contended(lock);
    lock.unlock_to_others(Lock::Purpose::kStream);
    {
      const PatientGuard guard(lock, Lock::Purpose::kStream);
      EXPECT_GE(were_in.load(), 1);
    }
    for (std::thread& other : others) other.join();
    EXPECT_EQ(were_in.load(), 3);
  }
}

// Each would wait for the other for ever, if it kept away from what the other has reserved.
TEST(Lock, TwoWhoTakeItInARowLetEachOtherGo) {
  Lock lock;
  const auto take_in_a_row = [&](Lock::Purpose purpose) {
    for (int i = 0; i < 50'000; ++i) {
      const PatientGuard guard(lock, purpose);
    }
  };
  std::thread snapshot(take_in_a_row, Lock::Purpose::kSnapshot);
  std::thread stream(take_in_a_row, Lock::Purpose::kStream);
  snapshot.join();
  stream.join();
  EXPECT_FALSE(lock.contended());
}

}  // namespace
}  // namespace tandem
