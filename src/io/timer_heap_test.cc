#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/test_clock.h"
#include "io/loop.h"
#include "io/timer.h"

namespace tandem {
namespace {

// A loop that only keeps timers, at a time that the test sets.
class HeapLoop final : public Loop {
 public:
  const Clock& clock() const override { return time; }
  void run() override {}
  std::unique_ptr<SignalHandler> handle_signal(int, Callback) override { return nullptr; }
  void arm(TimerNode& timer) override { heap.insert(timer); }
  void disarm(TimerNode& timer) noexcept override { heap.remove(timer); }
  void submit(std::unique_ptr<Work>) override {}
  void wake() override {}
  void pop() {
    TimerNode& node = heap.soonest();
    heap.remove(node);
    node.on_timer();
  }

  TimerHeap heap;
  TestClock time{0};
};

class Node final : public TimerNode {
 public:
  Node(Loop& loop, int number, std::vector<int>& fired)
      : TimerNode(loop), number_(number), fired_(fired) {}
  void on_timer() override { fired_.push_back(number_); }

 private:
  int number_;
  std::vector<int>& fired_;
};

TEST(TimerHeapTest, FiresInOrderOfDeadlineThenOfArmingWhateverIsDisarmedBetween) {
  for (uint64_t seed = 1; seed <= 50; seed++) {
    Random random{seed};
    HeapLoop loop;
    std::vector<int> fired;
    std::vector<std::unique_ptr<Node>> nodes;
    std::multimap<int64_t, int> model;  // equal keys keep their order of insertion
    for (int i = 0; i < 200; i++) {
      nodes.push_back(std::make_unique<Node>(loop, i, fired));
      const auto deadline_us = static_cast<int64_t>(random.below(40));
      nodes.back()->arm_at_us(deadline_us);
      model.emplace(deadline_us, i);
      if (random.below(3) == 0) {
        auto victim = model.begin();
        std::advance(victim, random.below(model.size()));
        nodes[victim->second]->disarm();
        model.erase(victim);
      }
    }
    std::vector<int> expected;
    for (const auto& [deadline_us, number] : model) expected.push_back(number);
    while (!loop.heap.empty()) loop.pop();
    EXPECT_EQ(fired, expected) << "seed " << seed;
  }
}

TEST(TimerTest, ARepeatingTimerSkipsThePeriodsItMissed) {
  HeapLoop loop;
  int calls = 0;
  Timer timer(loop, [&] { calls++; });
  timer.every_ms(100);
  loop.time.now_us = 100'000;
  loop.pop();
  EXPECT_EQ(loop.heap.soonest().deadline_us(), 200'000);
  loop.time.now_us = 570'000;
  loop.pop();
  EXPECT_EQ(loop.heap.soonest().deadline_us(), 670'000);
  EXPECT_EQ(calls, 2);
  timer.cancel();
  EXPECT_TRUE(loop.heap.empty());
}

TEST(TimerTest, ADestroyedTimerIsDisarmed) {
  HeapLoop loop;
  {
    Timer timer(loop, [] {});
    timer.once_after_ms(5);
    EXPECT_FALSE(loop.heap.empty());
  }
  EXPECT_TRUE(loop.heap.empty());
}

}  // namespace
}  // namespace tandem
