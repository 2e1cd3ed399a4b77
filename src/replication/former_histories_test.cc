#include <string>

#include <gtest/gtest.h>

#include "replication/sync_decision.h"

namespace tandem {
namespace {

ReplicationId id_of(char digit) {
  return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
}
Position at(char id, uint64_t offset) { return {.id = id_of(id), .offset = offset}; }

TEST(FormerHistoriesTest, AnOldNameCountsUpToItsEnd) {
  FormerHistories former;
  former.add(at('a', 100));
  EXPECT_EQ(former.resolve(at('a', 100), id_of('c')), at('c', 100));
  EXPECT_EQ(former.resolve(at('a', 101), id_of('c')), at('a', 101));
  EXPECT_EQ(former.resolve(at('b', 50), id_of('c')), at('b', 50));
  former.clear();
  EXPECT_EQ(former.resolve(at('a', 100), id_of('c')), at('a', 100));
}

TEST(FormerHistoriesTest, TheOldestNamesAreForgotten) {
  FormerHistories former;
  const std::string digits = "0123456789";
  for (const char digit : digits) former.add(at(digit, 7));
  const size_t kept = FormerHistories::kNamesMax;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool known = former.resolve(at(digits[i], 7), id_of('c')).id == id_of('c');
    EXPECT_EQ(known, i >= digits.size() - kept) << digits[i];
  }
}

TEST(FormerHistoriesTest, ALogWithoutASecondIdAddsNothing) {
  FormerHistories former;
  former.add_second_of({.id = id_of('a'), .id2 = {}, .id2_valid_until = 0});
  EXPECT_EQ(former.resolve({.id = {}, .offset = 0}, id_of('c')).id, ReplicationId());
}

}  // namespace
}  // namespace tandem
