// A transfer to targets that behave, and to those that do not, in every state of the conversation.
#include "migration/transfer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "migration/fake_target.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {
namespace {

using Script = FakeTarget::Script;
using enum Script::End;
const std::vector<std::string> kOk{"+OK\r\n"};

class TransferTest : public testing::Test {
 protected:
  static TransferOrder order(std::vector<TransferItem> items) {
    return {.host = "10.0.0.1",
            .port = FakeTarget::kPort,
            .timeout_ms = 1000,
            .database = 3,
            .items = std::move(items)};
  }
  static TransferOrder two_keys() {
    return order({{.key = "a", .payload = "A"}, {.key = "b", .payload = "B"}});
  }

  void serve(Script script) {
    target_.reset();
    target_process_.stop();
    target_process_.start([&](SimProcess& process) {
      target_ = std::make_shared<FakeTarget>(process.loop(), process.network(), std::move(script));
      return target_;
    });
  }

  // "ab" for which keys arrived ("-" for one that did not), and the error behind a blank.
  std::string run(TransferOrder order) {
    std::vector<TransferItem> items = order.items;
    std::optional<TransferOutcome> outcome;
    const int64_t begun_us = world_.now_us();
    own_process_.start([&](SimProcess& process) {
      process.tasks().spawn(keep(process, std::move(order), outcome));
      return nullptr;
    });
    if (!world_.run_until([&] { return outcome.has_value(); }, 3'600'000)) return "no end";
    took_ms_ = (world_.now_us() - begun_us) / 1000;
    own_process_.stop();
    std::string text;
    for (size_t at = 0; at < items.size(); ++at) {
      text += outcome->arrived.at(at) ? items[at].key : "-";
    }
    return outcome->error.empty() ? text : text + " " + outcome->error;
  }
  std::string run(Script script) {
    serve(std::move(script));
    return run(two_keys());
  }

  ~TransferTest() override {
    target_.reset();
    target_process_.stop();
    own_process_.stop();
  }

  SimWorld world_{7};
  SimProcess& target_process_{world_.add_process("10.0.0.1")};
  SimProcess& own_process_{world_.add_process("10.0.0.2")};
  std::shared_ptr<FakeTarget> target_;
  int64_t took_ms_ = 0;

 private:
  static Task<void> keep(SimProcess& process, TransferOrder order,
                         std::optional<TransferOutcome>& outcome) {
    outcome = co_await transfer(process.loop(), process.network(), std::move(order), {});
  }
};

const std::string kNothing = "--";
const std::string kReading = " " + std::string(kNotRead);
const std::string kWriting = " " + std::string(kNotWritten);
const std::string kSaid = " ERR Target instance replied with error: ";

TEST_F(TransferTest, SendsKeysOnceTheTargetHasTheDatabase) {
  EXPECT_EQ(run({.answers = {kOk, kOk, kOk}}), "ab");
  EXPECT_EQ(target_->requests,
            (std::vector<std::string>{"SELECT 3", "RESTORE a 0 A", "RESTORE b 0 B"}));
  EXPECT_EQ(target_->connections, 1);
}

TEST_F(TransferTest, GivesAPassword) {
  serve({.answers = {kOk, kOk, kOk, kOk}});
  TransferOrder with_password = two_keys();
  with_password.password = "secret";
  with_password.replaces = true;
  EXPECT_EQ(run(with_password), "ab");
  TransferOrder with_user = two_keys();
  with_user.user = "ann";
  with_user.password = "hers";
  EXPECT_EQ(run(with_user), "ab");
  EXPECT_EQ(target_->requests,
            (std::vector<std::string>{"AUTH secret", "SELECT 3", "RESTORE a 0 A REPLACE",
                                      "RESTORE b 0 B REPLACE", "AUTH ann hers", "SELECT 3",
                                      "RESTORE a 0 A", "RESTORE b 0 B"}));
}

TEST_F(TransferTest, CarriesWhatIsLeftOfALifetime) {
  serve({.answers = {kOk, kOk, kOk}});
  const int64_t now_ms = target_process_.clock().unix_ms();
  EXPECT_EQ(run(order({{.key = "past", .payload = "P", .expiry_ms = now_ms - 1},
                       {.key = "later", .payload = "L", .expiry_ms = now_ms + 1'000'000}})),
            "-later");
  ASSERT_EQ(target_->requests.size(), 2u);
  Bytes request = target_->requests[1];
  const Bytes begin = "RESTORE later ";
  ASSERT_TRUE(request.starts_with(begin)) << request;
  const int64_t ttl_ms = std::stoll(std::string(request.substr(begin.size())));
  EXPECT_GT(ttl_ms, 999'000);
  EXPECT_LE(ttl_ms, 1'000'000);
}

TEST_F(TransferTest, AllHaveExpiredMeanwhile) {
  serve({.answers = {kOk}});
  EXPECT_EQ(run(order({{.key = "past", .payload = "P", .expiry_ms = 1}})), "-");
  EXPECT_EQ(target_->requests, std::vector<std::string>{"SELECT 3"});
}

TEST_F(TransferTest, NobodyListens) {
  target_process_.start([](SimProcess&) { return nullptr; });
  EXPECT_EQ(run(two_keys()), kNothing + kWriting);
}

TEST_F(TransferTest, TheMachineIsAway) {
  EXPECT_EQ(run(two_keys()), kNothing + kWriting);
  EXPECT_GE(took_ms_, 1000);
  EXPECT_LT(took_ms_, 1500);
}

TEST_F(TransferTest, APortBelowZeroIsNoPlace) {
  serve({});
  TransferOrder to_nowhere = two_keys();
  to_nowhere.port = -1;
  EXPECT_EQ(run(to_nowhere), kNothing + " " + std::string(kNoConnection));
  EXPECT_EQ(target_->connections, 0);
}

TEST_F(TransferTest, TheTargetCloses) {
  const std::pair<size_t, std::string> cases[] = {
      {0, kNothing + kReading}, {1, kNothing + kReading}, {2, "a-" + kReading}, {3, "ab"}};
  for (const auto& [answers, expected] : cases) {
    SCOPED_TRACE(answers);
    EXPECT_EQ(run({.answers = std::vector(answers, kOk), .end = kCloses}), expected);
  }
}

TEST_F(TransferTest, TheTargetFallsSilent) {
  const std::pair<size_t, std::string> cases[] = {
      {0, kNothing + kReading}, {1, kNothing + kReading}, {2, "a-" + kReading}};
  for (const auto& [answers, expected] : cases) {
    SCOPED_TRACE(answers);
    EXPECT_EQ(run({.answers = std::vector(answers, kOk)}), expected);
    EXPECT_GE(took_ms_, 1000);
    EXPECT_LT(took_ms_, 1500);
  }
}

TEST_F(TransferTest, TheTargetTalksRubbish) {
  const std::string rubbish[] = {"hello\r\n",
                                 "\r\n",
                                 "$3\r\nabc\r\n",
                                 ":1\r\n",
                                 std::string("\0\x01\xff\n", 4),
                                 "+" + std::string(3'000'000, 'x'),
                                 "-" + std::string(3'000'000, 'x'),
                                 std::string(3'000'000, '\n')};
  for (const std::string& bytes : rubbish) {
    SCOPED_TRACE(bytes.substr(0, 10));
    EXPECT_EQ(run({.answers = {{bytes}}}), kNothing + kReading);
    EXPECT_EQ(run({.answers = {kOk, kOk, {bytes}}}), "a-" + kReading);
  }
}

TEST_F(TransferTest, TheTargetRefuses) {
  EXPECT_EQ(run({.answers = {{"-LOADING Redis is loading the dataset in memory\r\n"}}}),
            kNothing + kSaid + "LOADING Redis is loading the dataset in memory");
  EXPECT_EQ(target_->requests.size(), 1u) << "no key goes out";
}

TEST_F(TransferTest, OneKeyIsRefused) {
  EXPECT_EQ(run({.answers = {kOk, {"-BUSYKEY taken\r\n"}, kOk}}), "-b" + kSaid + "BUSYKEY taken");
}

TEST_F(TransferTest, TheFirstErrorIsTold) {
  EXPECT_EQ(run({.answers = {kOk, {"-ERR one\r\n"}, {"-ERR two\r\n"}}}),
            kNothing + kSaid + "ERR one");
  EXPECT_EQ(run({.answers = {kOk, {"-ERR one\r\n"}}, .end = kCloses}),
            kNothing + kSaid + "ERR one");
}

TEST_F(TransferTest, AnswersComeInPieces) {
  EXPECT_EQ(run({.answers = {{"+", "O", "K\r", "\n"}, {"+O", "K\r\n"}, {"+\n"}}, .pause_ms = 900}),
            "ab");
  EXPECT_GT(took_ms_, 6000) << "the time is for each wait";
  EXPECT_EQ(run({.answers = {kOk, {"+O"}}, .end = kCloses}), kNothing + kReading);
  EXPECT_EQ(run({.answers = {kOk, {"+O"}}}), kNothing + kReading);
}

TEST_F(TransferTest, SeveralAnswersComeTogether) {
  EXPECT_EQ(run({.answers = {kOk, {"+OK\r\n+OK\r\n"}}}), "ab");
}

TEST_F(TransferTest, ALargeValueGoesOutInSlices) {
  serve({.answers = {kOk, kOk, kOk}});
  const std::string large(3'000'000, 'v');
  EXPECT_EQ(run(order({{.key = "large", .payload = large}, {.key = "b", .payload = "B"}})),
            "largeb");
  ASSERT_EQ(target_->requests.size(), 3u);
  EXPECT_EQ(target_->requests[1], "RESTORE large 0 " + large);
}

// What nobody takes is no progress.
TEST_F(TransferTest, TheTargetDoesNotRead) {
  serve({.answers = {}, .reads = false});
  TransferOrder to_the_deaf = two_keys();
  to_the_deaf.password = std::string(3'000'000, 'p');
  EXPECT_EQ(run(to_the_deaf), kNothing + kWriting);
}

}  // namespace
}  // namespace tandem
