#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Lcs, FindsTheSubsequence) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> MSET a ohmytext b mynewtext i 123 j 1234
OK
~ MSET a ohmytext b mynewtext i 123 j 1234
> LCS a b
mytext
> LCS a b LEN
6
> LCS a b IDX
[matches [[[4 7] [5 8]] [[2 3] [0 1]]] len 6]
> LCS a b IDX MINMATCHLEN 4
[matches [[[4 7] [5 8]]] len 6]
> LCS a b MINMATCHLEN -4 WITHMATCHLEN IDX
[matches [[[4 7] [5 8] 4] [[2 3] [0 1] 2]] len 6]
> LCS a b WITHMATCHLEN MINMATCHLEN 5
mytext
> LCS i j
123
> LCS a none
""
> LCS none none LEN
0
> LCS none a IDX
[matches [] len 0]
)");
  stage.client("").protocol = 3;
  EXPECT_EQ(stage.run("LCS i j IDX"), "%[matches [[[0 2] [0 2]]] len 3]");
}

TEST(Lcs, RefusesWhatRedisRefuses) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> LPUSH l a
1
~ LPUSH l a
> LCS none l FOO
!ERR The specified keys must contain string values
> LCS a b FOO
!ERR syntax error
> LCS a b MINMATCHLEN
!ERR syntax error
> LCS a b MINMATCHLEN x
!ERR value is not an integer or out of range
> LCS a b LEN IDX
!ERR If you want both the length and indexes, please just use IDX.
)");
}

// Four bytes for each pair of places, those before the first bytes among them.
TEST(Lcs, KeepsToTheLimitOfRedis) {
  Stage stage;
  stage.engine.limits.string_bytes_max = 1024 * 1024;
  stage.run("SETRANGE a 510 x");  // 512 rows
  stage.run("SETRANGE b 510 x");
  EXPECT_EQ(stage.run("LCS a b LEN"), "511");
  stage.run("APPEND b x");
  EXPECT_EQ(stage.run("LCS a b LEN"),
            "!ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
}

}  // namespace
}  // namespace tandem
