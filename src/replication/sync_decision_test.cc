#include "replication/sync_decision.h"

#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

ReplicationId id_of(char digit) {
  return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
}

// Our history is 'a' and holds [100, 200]; up to 150 we followed 'b'.
const LogHistory kHistory{.id = id_of('a'), .id2 = id_of('b'), .id2_valid_until = 150};
const LogWindow kWindow{.first = 100, .end = 200};

struct Case {
  const char* name;
  std::optional<Position> position;
  std::string expected;  // "partial <offset>", or the reason's number
};

std::string outcome(const SyncDecision& decision) {
  if (const auto* partial = std::get_if<PartialSync>(&decision)) {
    return "partial " + std::to_string(partial->offset);
  }
  const auto& full = std::get<FullSync>(decision);
  EXPECT_FALSE(describe(full).empty());
  switch (full.reason) {
    case FullSyncReason::kFirstSync:
      return "first";
    case FullSyncReason::kUnknownHistory:
      return "unknown";
    case FullSyncReason::kDivergedHistory:
      return "diverged";
    case FullSyncReason::kBacklogExceeded:
      return "exceeded " + std::to_string(full.backlog_bytes_needed);
    case FullSyncReason::kAheadOfPrimary:
      return "ahead";
  }
  return "";
}

TEST(SyncDecisionTest, Table) {
  const Case cases[] = {
      {"no history", std::nullopt, "first"},
      {"at our end", Position{id_of('a'), 200}, "partial 200"},
      {"in the middle", Position{id_of('a'), 150}, "partial 150"},
      {"at the first byte held", Position{id_of('a'), 100}, "partial 100"},
      {"just behind the backlog", Position{id_of('a'), 99}, "exceeded 101"},
      {"one byte ahead of us", Position{id_of('a'), 201}, "ahead"},
      {"another history", Position{id_of('c'), 150}, "unknown"},
      {"the former history, where we left it", Position{id_of('b'), 150}, "partial 150"},
      {"the former history, earlier", Position{id_of('b'), 120}, "partial 120"},
      {"the former history, further than we went", Position{id_of('b'), 151}, "diverged"},
      {"the former history, no longer held", Position{id_of('b'), 50}, "exceeded 150"},
      {"the id that names none", Position{ReplicationId(), 150}, "unknown"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(outcome(decide_sync({test.position}, kHistory, kWindow)), test.expected) << test.name;
  }
}

TEST(SyncDecisionTest, NoSecondIdMatchesNothing) {
  const LogHistory fresh{.id = id_of('a'), .id2 = {}, .id2_valid_until = 0};
  EXPECT_EQ(outcome(decide_sync({Position{ReplicationId(), 0}}, fresh, {0, 0})), "unknown");
}

TEST(SyncRequestTest, ParsesTheWire) {
  EXPECT_FALSE(parse_sync_request("?", "-1")->position);
  const std::string id(40, 'a');
  EXPECT_EQ(*parse_sync_request(id, "1")->position, (Position{id_of('a'), 0}));
  EXPECT_EQ(*parse_sync_request(id, "1001")->position, (Position{id_of('a'), 1000}));
  EXPECT_FALSE(parse_sync_request(id, "many"));
  EXPECT_TRUE(parse_sync_request("short", "7")->position->id.is_none());
  EXPECT_TRUE(parse_sync_request(id, "0")->position->id.is_none());
  EXPECT_TRUE(parse_sync_request(id, "-5")->position->id.is_none());
}

}  // namespace
}  // namespace tandem
