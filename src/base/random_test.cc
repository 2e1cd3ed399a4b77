#include "base/random.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(Random, TheSameSeedGivesTheSameSequence) {
  Random a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

TEST(Random, BelowStaysBelowAndReachesEveryValue) {
  Random random(1);
  int seen[5] = {};
  for (int i = 0; i < 1000; ++i) ++seen[random.below(5)];
  for (int count : seen) EXPECT_GT(count, 100);
}

TEST(Random, HexHasTheAskedLength) {
  Random random(1);
  const std::string id = random.hex(40);
  EXPECT_EQ(id.size(), 40u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace tandem
