#include "engine/admission.h"

#include <gtest/gtest.h>

#include "engine/test_world.h"

namespace tandem {
namespace {

// Every combination of flags that admission looks at, under every single condition of the node and
// of the client.
TEST(Admission, LooksNoFurtherOnlyWhereNothingWouldRefuse) {
  constexpr uint32_t kLookedAt[] = {kWrite,           kReadOnly, kDenyOom,          kLoading,
                                    kStale,           kNoAuth,   kReportsDiskError, kMayReplicate,
                                    kWhileSubscribed, kAllowBusy};
  for (uint32_t chosen = 0; chosen < 1u << std::size(kLookedAt); ++chosen) {
    CommandRow row{.name = "some"};
    for (size_t i = 0; i < std::size(kLookedAt); ++i) {
      if ((chosen >> i & 1) != 0) row.flags |= kLookedAt[i];
    }
    std::vector<CommandRow> rows;
    rows.push_back(row);
    const Registry registry(std::move(rows));
    const Command& command = *registry.find("some");
    for (const uint32_t condition :
         {uint32_t{0}, uint32_t{kUnauthenticated}, uint32_t{kSubscribed}, uint32_t{kMonitors}}) {
      ClientState client(ClientKind::kNormal);
      if (condition != 0) client.set(static_cast<ClientCondition>(condition), true);
      // A stale link is refused by three conditions together.
      constexpr uint32_t kBackground = Gate::kReplica | Gate::kStaleRefused;
      for (uint32_t bit = 1; bit <= Gate::kStaleRefused; bit <<= 1) {
        const uint32_t bits = kBackground | bit;
        const uint32_t flags = effective_flags(command, client, {});
        const bool let_in =
            !refusal(command, flags, client, bits) && !is_held_back(flags, client, bits);
        if (is_let_in_at_once(command, client, bits)) {
          EXPECT_TRUE(let_in) << chosen << " " << condition << " " << bits;
        }
      }
    }
  }
}

TEST(Admission, WhatIsQueuedCountsInEveryCondition) {
  World world;
  const Command& exec = *world.registry.find("exec");
  Client client;
  world.run(client, {"MULTI"});
  world.run(client, {"GET", "a"});
  const uint32_t stale = Gate::kReplica | Gate::kLinkDown | Gate::kStaleRefused;
  EXPECT_TRUE(refusal(exec, effective_flags(exec, client, {}), client, stale));
  EXPECT_TRUE(refusal(exec, effective_flags(exec, client, {}), client, Gate::kDatasetLoading));
  EXPECT_FALSE(refusal(exec, effective_flags(exec, client, {}), client, Gate::kReadOnlyReplica));
  world.run(client, {"SET", "a", "1"});
  EXPECT_TRUE(refusal(exec, effective_flags(exec, client, {}), client, Gate::kReadOnlyReplica));
  EXPECT_TRUE(refusal(exec, effective_flags(exec, client, {}), client, Gate::kTooFewReplicas));
}

TEST(Admission, ACallMayStateItsOwnFlags) {
  std::vector<CommandRow> rows;
  rows.push_back({.name = "some",
                  .arity = 2,
                  .flags = kReadOnly,
                  .flags_of = [](std::span<const Bytes> args) -> uint32_t {
                    return args[1] == "writes" ? kWrite : kReadOnly;
                  }});
  const Registry registry(std::move(rows));
  const Command& command = *registry.find("some");
  const ClientState client(ClientKind::kNormal);
  constexpr uint32_t kBits = Gate::kReadOnlyReplica;
  EXPECT_FALSE(is_let_in_at_once(command, client, kBits));
  for (const bool writes : {false, true}) {
    const Bytes args[] = {"some", writes ? "writes" : "reads"};
    const uint32_t flags = effective_flags(command, client, args);
    EXPECT_EQ(refusal(command, flags, client, kBits).has_value(), writes);
    EXPECT_EQ(is_held_back(flags, client, Gate::kPausedWrites), writes);
  }
}

}  // namespace
}  // namespace tandem
