#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "io/background.h"

namespace tandem {
namespace {

void wait_for(const std::atomic<bool>& flag) {
  while (!flag.load()) std::this_thread::yield();
}

TEST(ThreadBackgroundTest, WorksAreDoneStepByStepInTheOrderOfTheirBeginning) {
  std::string steps;  // the thread's until `done`
  std::atomic<bool> done{false};
  ThreadBackground background("test");
  for (const char name : {'a', 'b'}) {
    background.begin([&steps, name, left = 3]() mutable {
      steps += name;
      return --left > 0;
    });
  }
  background.begin([&done] {
    done.store(true);
    return false;
  });
  wait_for(done);
  EXPECT_EQ(steps, "aaabbb");
}

TEST(ThreadBackgroundTest, BeginsAgainAfterARest) {
  ThreadBackground background("test");
  for (int i = 0; i < 100; ++i) {
    std::atomic<bool> done{false};
    background.begin([&done] {
      done.store(true);
      return false;
    });
    wait_for(done);
  }
}

// What a step holds goes with it: the next work may need it.
TEST(ThreadBackgroundTest, AWorkIsDestroyedBeforeTheNextBegins) {
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  std::atomic<bool> done{false};
  std::atomic<bool> gone{false};
  ThreadBackground background("test");
  background.begin([held = std::move(held)] { return false; });
  background.begin([&] {
    gone.store(seen.expired());
    done.store(true);
    return false;
  });
  wait_for(done);
  EXPECT_TRUE(gone.load());
}

TEST(ThreadBackgroundTest, ItsEndDropsWhatIsLeft) {
  std::atomic<bool> begun{false};
  std::atomic<bool> other{false};
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  {
    ThreadBackground background("test");
    background.begin([&begun, held = std::move(held)] {
      begun.store(true);
      return true;
    });
    background.begin([&other] { return !other.exchange(true); });
    wait_for(begun);
  }
  EXPECT_TRUE(seen.expired());
  EXPECT_FALSE(other.load());
}

}  // namespace
}  // namespace tandem
