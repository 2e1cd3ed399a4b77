// What the engine does with rights: whom it asks, when it asks again, and what the denied are told.
#include "engine/rights.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/admission.h"
#include "engine/test_world.h"

namespace tandem {
namespace {

// Denies one command, or everything that names one key.
struct FakeRights final : Rights {
  explicit FakeRights(std::string its_command = "", std::string its_key = "")
      : command(std::move(its_command)), key(std::move(its_key)) {}
  bool are_unlimited() const override { return command.empty() && key.empty(); }
  std::optional<Denial> denial(const Command& asked, std::span<const Bytes> args) const override {
    ++times_asked;
    if (asked.full_name == command) return Denial{};
    for (size_t at = 1; at < args.size(); ++at) {
      if (args[at] == key) return Denial{DenialReason::kKey, at};
    }
    return std::nullopt;
  }
  const std::string command;
  const std::string key;
  mutable int times_asked = 0;
};

struct DenialNotes final : CommandObserver {
  void command_shown(const ClientState&, const Command&, std::span<const Bytes>, int64_t) override {
  }
  void slow_command(const ClientState&, const Command&, std::span<const Bytes>, int64_t,
                    int64_t) override {}
  void error_reply(Bytes) override {}
  void command_denied(const ClientState& client, const Command& command,
                      std::span<const Bytes> args, const Denial& denial, DenialContext context,
                      int64_t) override {
    static constexpr const char* kContexts[] = {"alone", "transaction", "script"};
    const bool of_command = denial.reason == DenialReason::kCommand;
    notes.push_back(std::to_string(client.id) + " " + client.account->name + " " +
                    (of_command ? command.full_name : std::string(args[denial.at])) + " " +
                    kContexts[static_cast<size_t>(context)]);
  }
  std::vector<std::string> notes;
};

constexpr Bytes kNoSet = "-NOPERM User bob has no permissions to run the 'set' command\r\n";
constexpr Bytes kNoKey = "-NOPERM No permissions to access a key\r\n";

struct RightsTest : testing::Test {
  RightsTest() {
    world.engine.observer = &denials;
    bob.id = 7;
    bob.become(account);
  }
  // From here on, as who changes a user has it.
  void give(std::shared_ptr<const Rights> rights) {
    const ExclusiveGuard all(world.keyspace);
    account->set_rights(std::move(rights));
    world.gate.rights_changed();
  }
  void deny_command(Bytes command) { give(std::make_shared<FakeRights>(std::string(command))); }
  void deny_key(Bytes key) { give(std::make_shared<FakeRights>("", std::string(key))); }
  uint64_t rejected(Bytes command) {
    const auto id = static_cast<size_t>(world.registry.find(command)->id);
    return world.executor.counters().by_command[id].rejected.get();
  }

  World world;
  DenialNotes denials;
  std::shared_ptr<Account> account =
      std::make_shared<Account>("bob", std::make_shared<FakeRights>());
  Client bob;
  Client other;  // nobody's: not limited
};

TEST_F(RightsTest, WhoMayDoEverythingIsNotAskedFor) {
  const auto unlimited = std::make_shared<FakeRights>();
  give(unlimited);
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(world.run(other, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(unlimited->times_asked, 0);
  const Command& get = *world.registry.find("get");
  EXPECT_TRUE(is_let_in_at_once(get, bob, world.gate.word()));
  deny_command("set");
  EXPECT_FALSE(is_let_in_at_once(get, bob, world.gate.word()));
  EXPECT_EQ(world.run(bob, {"GET", "a"}), "$1\r\n1\r\n");
  EXPECT_FALSE(is_let_in_at_once(get, bob, world.gate.word()));
  give(unlimited);
  world.run(bob, {"GET", "a"});
  EXPECT_TRUE(is_let_in_at_once(get, bob, world.gate.word()));
}

TEST_F(RightsTest, TheDeniedAreToldWhatAndWatchersOfWhom) {
  deny_command("set");
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), kNoSet);
  deny_key("a");
  EXPECT_EQ(world.run(bob, {"SET", "b", "a"}), kNoKey);
  EXPECT_EQ(world.run(bob, {"SET", "b", "1"}), "+OK\r\n");
  EXPECT_EQ(world.run(other, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(denials.notes, (std::vector<std::string>{"7 bob set alone", "7 bob a alone"}));
  EXPECT_EQ(rejected("set"), 2u);
  const Denial channel{DenialReason::kChannel, 1};
  EXPECT_EQ(denial_text(channel, *world.registry.find("set"), "bob"),
            "No permissions to access a channel");
}

TEST_F(RightsTest, ANewVersionCountsFromTheNextCommandOn) {
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), "+OK\r\n");
  deny_command("set");
  EXPECT_EQ(world.run(bob, {"SET", "a", "2"}), kNoSet);
  deny_command("get");
  EXPECT_EQ(world.run(bob, {"SET", "a", "2"}), "+OK\r\n");
  give(nullptr);  // the user is deleted
  EXPECT_EQ(world.run(bob, {"SET", "a", "3"}), kNoSet);
}

TEST_F(RightsTest, AnotherUserHasItsOwn) {
  deny_command("set");
  world.run(bob, {"GET", "a"});
  bob.become(std::make_shared<Account>("eve", std::make_shared<FakeRights>("get")));
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), "+OK\r\n");
  EXPECT_EQ(world.run(bob, {"GET", "a"}),
            "-NOPERM User eve has no permissions to run the 'get' command\r\n");
}

// Who it is comes before what it may, and what it may before all else.
TEST_F(RightsTest, AreLookedAtInTheOrderOfRedis) {
  deny_command("set");
  world.gate.set(Gate::kReadOnlyReplica, true);
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), kNoSet);
  bob.set(kUnauthenticated, true);
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), kNoSet);  // nobody asks for a password
  world.gate.set(Gate::kAuthRequired, true);
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(denials.notes.size(), 2u);
}

TEST_F(RightsTest, WhatIsDeniedWhileQueueingFailsTheTransaction) {
  deny_command("set");
  world.run(bob, {"MULTI"});
  EXPECT_EQ(world.run(bob, {"SET", "a", "1"}), kNoSet);
  EXPECT_EQ(world.run(bob, {"EXEC"}),
            "-EXECABORT Transaction discarded because of previous errors.\r\n");
  EXPECT_EQ(denials.notes, std::vector<std::string>{"7 bob set transaction"});
}

TEST_F(RightsTest, AreAskedAgainForEachCommandOfATransaction) {
  world.run(bob, {"MULTI"});
  world.run(bob, {"SET", "a", "1"});
  world.run(bob, {"INCR", "b"});
  deny_command("set");
  EXPECT_EQ(world.run(bob, {"EXEC"}),
            "*2\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated "
            "and the EXEC call. This command is no longer allowed for the following reason: no "
            "permission to execute the command or subcommand\r\n:1\r\n");
  EXPECT_EQ(denials.notes, std::vector<std::string>{"7 bob set transaction"});
  EXPECT_EQ(rejected("set"), 0u);  // as Redis counts
  give(std::make_shared<FakeRights>());
  world.run(bob, {"MULTI"});
  world.run(bob, {"SET", "a", "1"});
  deny_key("a");
  EXPECT_TRUE(world.run(bob, {"EXEC"}).contains("no permission to touch the specified keys"));
}

TEST_F(RightsTest, ExecItselfMayBeDenied) {
  deny_command("exec");
  world.run(bob, {"MULTI"});
  world.run(bob, {"SET", "a", "1"});
  EXPECT_EQ(world.run(bob, {"EXEC"}),
            "-EXECABORT Transaction discarded because of: NOPERM User bob has no permissions to "
            "run the 'exec' command\r\n");
  EXPECT_FALSE(bob.in_transaction);
}

TEST_F(RightsTest, AreAskedAgainBeforeAClientThatWaitedIsServed) {
  world.run(bob, {"BPOP", "list"});
  world.run(other, {"BPOP", "list"});
  deny_key("list");
  EXPECT_EQ(bob.unblocked, std::vector<std::string>());  // it may hope to get them back
  Client pusher;
  world.run(pusher, {"PUSH", "list", "x"});
  EXPECT_EQ(bob.unblocked, std::vector<std::string>{std::string(kNoKey)});
  EXPECT_EQ(other.unblocked, std::vector<std::string>{"$1\r\nx\r\n"});
  EXPECT_EQ(denials.notes, std::vector<std::string>{"7 bob list alone"});
  EXPECT_EQ(rejected("bpop"), 1u);
  EXPECT_EQ(world.engine.blocked.count(), 0);
}

}  // namespace
}  // namespace tandem
