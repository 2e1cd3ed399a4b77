#include "server/client/lookahead.h"

#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

struct LookaheadTest : testing::Test {
  Keyspace keyspace{{.databases = 2, .hash_seed = 7}};
  Lookahead lookahead{keyspace};
};

constexpr std::string_view kGet = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

std::string repeated(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += kGet;
  return bytes;
}

TEST_F(LookaheadTest, CountsWholeRequestsUpToItsLimit) {
  EXPECT_EQ(lookahead.prepare(0, ""), 0);
  EXPECT_EQ(lookahead.prepare(0, repeated(3)), 3);
  EXPECT_EQ(lookahead.prepare(1, repeated(3) + "*2\r\n$3\r\nGE"), 3);
  EXPECT_EQ(lookahead.prepare(0, repeated(100)), Lookahead::kRequestsMax);
}

TEST_F(LookaheadTest, StopsAtWhatIsNoRequest) {
  EXPECT_EQ(lookahead.prepare(0, repeated(2) + "*1\r\n$zz\r\n" + repeated(2)), 2);
  EXPECT_EQ(lookahead.prepare(0, repeated(2)), 2) << "an error is forgotten";
}

TEST_F(LookaheadTest, PassesByStripesThatAreHeld) {
  keyspace.lock_all();
  EXPECT_EQ(lookahead.prepare(0, repeated(5)), 5);
  keyspace.unlock_all();
}

TEST_F(LookaheadTest, TakesAnyNumberOfRequestsAndLetsGoOfTheirStripes) {
  for (int i = 0; i < 3 * Lookahead::kRequestsMax; ++i) lookahead.add(i % 2, "k");
  lookahead.add(0, "");
  lookahead.fetch();
  lookahead.fetch();
  keyspace.lock_all();
  keyspace.unlock_all();
}

}  // namespace
}  // namespace tandem
