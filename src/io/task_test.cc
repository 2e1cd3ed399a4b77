#include "io/task.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

// A place to suspend that the test resumes by hand.
class Gate {
 public:
  struct Pass {
    Gate& gate;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) const { gate.waiter_ = waiter; }
    void await_resume() const {}
  };
  Pass pass() { return {*this}; }
  void open() { std::exchange(waiter_, {}).resume(); }

 private:
  std::coroutine_handle<> waiter_;
};

// Notes its destruction.
struct Trace {
  std::vector<std::string>& lines;
  std::string name;
  ~Trace() { lines.push_back(name); }
};

Task<int> answer(int value) { co_return value; }

Task<std::unique_ptr<int>> boxed(int value) { co_return std::make_unique<int>(value); }

Task<void> add_up(int& sum) {
  sum += co_await answer(40);
  auto box = co_await boxed(2);
  sum += *box;
}

TEST(TaskTest, RunsOnlyWhenAwaitedAndHandsOverMoveOnlyResults) {
  int sum = 0;
  Task<void> task = add_up(sum);
  EXPECT_EQ(sum, 0);
  Scope scope;
  scope.spawn(std::move(task));
  EXPECT_EQ(sum, 42);
  EXPECT_EQ(scope.live_count(), 0u);
}

Task<int> one() { co_return 1; }

Task<void> count_to(int limit, int& count) {
  while (count < limit) count += co_await one();
}

TEST(TaskTest, AMillionAwaitsInARowDoNotDeepenTheStack) {
  int count = 0;
  Scope scope;
  scope.spawn(count_to(1'000'000, count));
  EXPECT_EQ(count, 1'000'000);
}

Task<int> inner(Gate& gate, std::vector<std::string>& lines) {
  Trace trace{lines, "inner"};
  co_await gate.pass();
  co_return 7;
}

Task<void> outer(Gate& gate, std::vector<std::string>& lines) {
  Trace trace{lines, "outer"};
  const int value = co_await inner(gate, lines);
  lines.push_back("got " + std::to_string(value));
}

TEST(TaskTest, ASuspendedTaskIsDestroyedInnermostFirst) {
  Gate gate;
  std::vector<std::string> lines;
  {
    Scope scope;
    scope.spawn(outer(gate, lines));
    EXPECT_EQ(scope.live_count(), 1u);
    EXPECT_TRUE(lines.empty());
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"inner", "outer"}));
}

TEST(TaskTest, ATaskThatNeverStartedIsDestroyedToo) {
  Gate gate;
  std::vector<std::string> lines;
  {
    Task<void> task = outer(gate, lines);
  }
  EXPECT_TRUE(lines.empty());
}

TEST(ScopeTest, DestroysTheYoungestFirst) {
  Gate first;
  Gate second;
  std::vector<std::string> lines;
  auto wait_at = [](Gate& gate, std::vector<std::string>& out, std::string name) -> Task<void> {
    Trace trace{out, name};
    co_await gate.pass();
  };
  {
    Scope scope;
    scope.spawn(wait_at(first, lines, "first"));
    scope.spawn(wait_at(second, lines, "second"));
    EXPECT_EQ(scope.live_count(), 2u);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"second", "first"}));
}

Task<void> join_all(std::unique_ptr<Scope>& scope, std::vector<std::string>& lines) {
  co_await scope->join();
  scope.reset();
  lines.push_back("joined");
}

TEST(ScopeTest, TheJoinerGoesOnAfterTheLastTaskAndMayDestroyTheScope) {
  Gate first;
  Gate second;
  std::vector<std::string> lines;
  auto scope = std::make_unique<Scope>();
  scope->spawn(outer(first, lines));
  scope->spawn(outer(second, lines));
  Scope joiners;
  joiners.spawn(join_all(scope, lines));
  second.open();
  EXPECT_EQ(joiners.live_count(), 1u);
  first.open();
  EXPECT_EQ(joiners.live_count(), 0u);
  EXPECT_EQ(lines, (std::vector<std::string>{"inner", "got 7", "outer", "inner", "got 7", "outer",
                                             "joined"}));
}

TEST(ScopeTest, JoiningAnEmptyScopeDoesNotSuspend) {
  std::vector<std::string> lines;
  auto scope = std::make_unique<Scope>();
  Scope joiners;
  joiners.spawn(join_all(scope, lines));
  EXPECT_EQ(lines, (std::vector<std::string>{"joined"}));
}

TEST(ScopeTest, AJoinerThatIsDestroyedIsForgotten) {
  Gate gate;
  std::vector<std::string> lines;
  auto scope = std::make_unique<Scope>();
  scope->spawn(outer(gate, lines));
  {
    Scope joiners;
    joiners.spawn(join_all(scope, lines));
  }
  gate.open();
  EXPECT_EQ(scope->live_count(), 0u);
  EXPECT_EQ(lines, (std::vector<std::string>{"inner", "got 7", "outer"}));
}

TEST(StopTest, FollowsItsParentAndKeepsTheFirstReason) {
  Stop parent;
  Stop child(parent.token());
  Stop grandchild(child.token());
  child.request(ErrorCode::kTimeout);
  EXPECT_TRUE(grandchild.requested());
  EXPECT_EQ(grandchild.reason(), ErrorCode::kTimeout);
  EXPECT_FALSE(parent.requested());
  parent.request();
  EXPECT_EQ(child.reason(), ErrorCode::kTimeout);
  Stop late(parent.token());
  EXPECT_TRUE(late.requested());
  EXPECT_FALSE(StopToken().requested());
}

}  // namespace
}  // namespace tandem
