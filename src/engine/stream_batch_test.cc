// What goes into a batch, what ends it, and what is taken off again under the stripes.
#include "engine/stream_batch.h"

#include <gtest/gtest.h>

#include "base/test_clock.h"
#include "engine/batch_executor.h"
#include "engine/executor.h"
#include "engine/testing.h"
#include "resp/request.h"

namespace tandem {
namespace {

std::string request(std::initializer_list<Bytes> args) {
  std::string bytes;
  append_request(bytes, args);
  return bytes;
}

void set_text(Context& c, Bytes text) {
  c.keys.set_text(event::kSet, c.args[2], text, kNoExpiry, as_is(c));
  c.reply.ok();
}

CommandRow subcommand(std::string_view name, Handler handler) {
  return {.name = name,
          .arity = 3,
          .flags = kWrite | kBrief,
          .keys = {key_at(2, "OW update")},
          .handler = handler};
}

std::vector<CommandRow> rows() {
  std::vector<CommandRow> all = engine_rows();
  all.push_back(plain_get_row());
  all.push_back(plain_set_row());
  CommandRow pair = plain_set_row();
  pair.name = "pair";
  pair.keys = {keys_range(1, 1, 1, "OW update")};
  all.push_back(std::move(pair));
  CommandRow longset = plain_set_row();
  longset.name = "longset";
  longset.flags = kWrite;
  all.push_back(std::move(longset));
  all.push_back({.name = "box",
                 .arity = -2,
                 .subcommands = {subcommand("one", [](Context& c) { set_text(c, "1"); }),
                                 subcommand("two", [](Context& c) { set_text(c, "2"); })}});
  all.push_back({.name = "fails",
                 .arity = 2,
                 .flags = kWrite | kFast,
                 .keys = {key_at(1, "OW update")},
                 .handler = [](Context& c) { c.reply.error("ERR on purpose"); }});
  return all;
}

struct StreamBatchTest : testing::Test, OpenEngine<TestClock> {
  static constexpr uint64_t kGeneration = 1;

  StreamBatchTest() : OpenEngine({.keyspace = {.databases = 2, .hash_seed = 1}}, rows()) {
    const ExclusiveGuard all(keyspace);
    gate.set(Gate::kReplica, true);
    engine.role_generation = kGeneration;
    log.reset(all, {.id = *ReplicationId::parse(std::string(ReplicationId::kLength, 'a'))});
  }

  size_t fill(std::string bytes) {
    stream = std::move(bytes);
    batch.begin(stream, 0);
    while (batch.add_step()) {
    }
    return batch.size();
  }
  void apply() {
    executor.apply(batch, kGeneration, [] {});
  }
  std::string text(Bytes key, int database = 0) {
    const Entry* entry = keyspace.find(database, key);
    char digits[kInt64TextMax];
    return entry == nullptr ? "" : std::string(entry->text(digits));
  }
  void wait_for(Bytes key) { keyspace.interest().add(keyspace.place(key).hash); }

  std::string stream;  // of the batch
  ExecutorCounters counters{registry.id_count()};
  StreamBatch batch{engine};
  BatchExecutor executor{engine, counters, nullptr, 1};
};

const std::string kSet = request({"set", "a", "1"});

TEST_F(StreamBatchTest, TakesWholePlainChangesAndEndsBeforeWhatIsNot) {
  for (const std::string& other :
       {request({"longset", "a", "2"}), request({"get", "a"}), request({"set", "a"}),
        request({"nosuch", "a"}), request({"select", "2"}), request({"select", "x"}),
        request({"exec"}), request({"discard"}), std::string("\r\n"), std::string("*0\r\n"),
        std::string("set a 1\r\n"), std::string("*-1\r\n"), std::string("*1\r\n$x\r\n"),
        std::string("rubbish")}) {
    EXPECT_EQ(fill(kSet + kSet + other + kSet), 2U) << other;
    EXPECT_EQ(batch.bytes(), kSet + kSet) << other;
    EXPECT_EQ(batch.database(), 0) << other;
  }
}

TEST_F(StreamBatchTest, TellsSubcommandsApart) {
  EXPECT_EQ(fill(request({"box", "one", "a"}) + request({"box", "two", "b"}) +
                 request({"box", "one", "c"})),
            3U);
  apply();
  EXPECT_EQ(text("a") + text("b") + text("c"), "121");
}

TEST_F(StreamBatchTest, EndsBeforeWhatIsNotThereWhole) {
  for (size_t cut = 1; cut < kSet.size(); ++cut) {
    EXPECT_EQ(fill(kSet + kSet.substr(0, cut)), 1U);
    EXPECT_EQ(batch.bytes(), kSet);
  }
}

TEST_F(StreamBatchTest, HasAllOfATransactionOrNothing) {
  const std::string multi = request({"multi"});
  const std::string exec = request({"exec"});
  EXPECT_EQ(fill(kSet + multi + kSet + request({"select", "1"}) + kSet + exec + kSet), 7U);
  EXPECT_EQ(batch.database(), 1);
  for (const std::string& inner : {kSet, kSet + request({"longset", "a", "2"}) + exec,
                                   kSet + multi + exec, kSet + request({"discard"})}) {
    EXPECT_EQ(fill(kSet + multi + request({"select", "1"}) + inner), 1U) << inner;
    EXPECT_EQ(batch.bytes(), kSet);
    EXPECT_EQ(batch.database(), 0);
  }
}

TEST_F(StreamBatchTest, HasItsLimits) {
  std::string many;
  for (size_t i = 0; i < StreamBatch::kCommandsMax + 5; ++i) many += kSet;
  EXPECT_EQ(fill(many), StreamBatch::kCommandsMax);
  const std::string large = request({"set", "a", std::string(5000, 'x')});
  std::string bytes;
  for (size_t i = 0; i < 60; ++i) bytes += large;
  EXPECT_EQ(fill(bytes), StreamBatch::kBytesMax / large.size());
  EXPECT_EQ(fill(request({"set", "a", std::string(StreamBatch::kBytesMax, 'x')})), 0U);
  // A transaction that is too long for any batch is none's.
  std::string transaction = request({"multi"}) + many + request({"exec"});
  EXPECT_EQ(fill(kSet + transaction), 1U);
}

TEST_F(StreamBatchTest, LeavesAloneWhatSomebodyWaitsFor) {
  wait_for("b");
  const std::string whole =
      kSet + request({"multi"}) + kSet + request({"set", "b", "2"}) + request({"exec"}) + kSet;
  EXPECT_EQ(fill(whole), 1U);
  EXPECT_EQ(fill(request({"set", "b", "2"})), 0U);
}

// He came between the cut of the batch and its stripes.
TEST_F(StreamBatchTest, TakesOffWhatSomebodyHasComeToWaitFor) {
  const std::string whole = request({"select", "1"}) + kSet + request({"multi"}) +
                            request({"select", "0"}) + request({"set", "c", "1"}) +
                            request({"set", "b", "2"}) + request({"exec"}) + kSet;
  EXPECT_EQ(fill(whole), 8U);
  wait_for("b");
  apply();
  EXPECT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.database(), 1);
  EXPECT_EQ(text("a", 1), "1");
  EXPECT_EQ(text("c") + text("b") + text("a"), "");
  EXPECT_EQ(log.end(), batch.bytes().size());
  EXPECT_EQ(log.selected_database(), 1U);
}

TEST_F(StreamBatchTest, IsNotAppliedWhereItMayNotBe) {
  const auto refused = [this] {
    fill(kSet + kSet);
    apply();
    return batch.empty() && text("a").empty() && log.end() == 0;
  };
  engine.role_generation = kGeneration + 1;
  EXPECT_TRUE(refused());
  engine.role_generation = kGeneration;
  gate.set(Gate::kMonitored, true);
  EXPECT_TRUE(refused());
  gate.set(Gate::kMonitored, false);
  for (const int64_t slow_us : {0, 999}) {
    engine.slow_command_us = slow_us;
    EXPECT_TRUE(refused());
  }
  engine.slow_command_us = 10'000;
  for (const auto kind : {PauseKind::kWrites, PauseKind::kAll}) {
    engine.pauses.begin(PauseReason::kClientPause, kind);
    EXPECT_TRUE(refused());
    engine.pauses.end(PauseReason::kClientPause);
  }
  {
    const ExclusiveGuard all(keyspace);
    engine.journal.close(all);
  }
  EXPECT_TRUE(refused());
  engine.journal.reopen();
  EXPECT_FALSE(refused());
}

TEST_F(StreamBatchTest, CountsItsCommandsAndTellsWhichFailed) {
  fill(kSet + request({"multi"}) + request({"fails", "a"}) + kSet + request({"exec"}) + kSet);
  apply();
  const auto of = [this](Bytes name) -> CommandCounters& {
    return counters.by_command[static_cast<size_t>(registry.find(name)->id)];
  };
  EXPECT_EQ(counters.commands.get(), 6U);
  EXPECT_EQ(of("set").calls.get(), 3U);
  EXPECT_EQ(of("set").failed.get(), 0U);
  EXPECT_EQ(of("multi").calls.get(), 1U);
  EXPECT_EQ(of("exec").calls.get(), 1U);
  EXPECT_EQ(of("fails").calls.get(), 1U);
  EXPECT_EQ(of("fails").failed.get(), 1U);
  EXPECT_EQ(counters.changes.get(), 3U);
  ASSERT_EQ(executor.failures().size(), 1U);
  EXPECT_EQ(executor.failures()[0].at, 2U);
  EXPECT_EQ(executor.failures()[0].reply, "-ERR on purpose\r\n");
}

// Each command is in one lane, in its order; those that share a stripe are in the same.
TEST_F(StreamBatchTest, LanesDoNotTouchEachOther) {
  std::string whole;
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const std::string a = std::to_string(random.below(500));
    const std::string b = std::to_string(random.below(500));
    whole += random.below(6) == 0 ? request({"pair", a, b}) : request({"set", a, b});
  }
  ASSERT_EQ(fill(whole), 200U);
  batch.sort_into_lanes();
  std::vector<int> lane_of_stripe(kStripes, -1);
  std::vector<int> seen(batch.size());
  for (size_t lane = 0; lane < batch.lanes().size(); ++lane) {
    uint16_t last = 0;
    for (const uint16_t at : batch.lanes()[lane]) {
      ++seen[at];
      EXPECT_GE(at, last);
      last = at;
      for (const DeclaredKey& key : batch.keys(batch.items()[at])) {
        int& known = lane_of_stripe[static_cast<size_t>(key.place.stripe())];
        if (known < 0) known = static_cast<int>(lane);
        EXPECT_EQ(known, static_cast<int>(lane));
      }
    }
  }
  EXPECT_EQ(seen, std::vector<int>(batch.size(), 1));
  EXPECT_GT(batch.lanes().size(), 1U);
}

}  // namespace
}  // namespace tandem
