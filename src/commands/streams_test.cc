#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Streams, AddTakesAnId) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> XADD x NOMKSTREAM * f v
nil
> XADD x * f v
1000000-0
~ XADD x 1000000-0 f v
> XADD x * f v
1000000-1
~ XADD x 1000000-1 f v
> XADD x 1000000-* f v
1000000-2
~ XADD x 1000000-2 f v
> XADD x 2000000 f v g w
2000000-0
~ XADD x 2000000-0 f v g w
> XADD x 5-0 f v
!ERR The ID specified in XADD is equal or smaller than the target stream top item
> XADD x 0-0 f v
!ERR The ID specified in XADD must be greater than 0-0
> XADD y 0-* f v
0-1
~ XADD y 0-1 f v
> XADD x nonsense f v
!ERR Invalid stream ID specified as stream command argument
> XADD x * f v g
!ERR wrong number of arguments for 'xadd' command
> XADD z 18446744073709551615-18446744073709551615 f v
18446744073709551615-18446744073709551615
~ XADD z 18446744073709551615-18446744073709551615 f v
> XADD z * f v
!ERR The stream has exhausted the last possible ID, unable to add more items
> XLEN x
4
> XRANGE x - + COUNT 1
[[1000000-0 [f v]]]
> XREVRANGE x + 2000000
[[2000000-0 [f v g w]]]
> XRANGE x (1000000-1 1000000
[[1000000-2 [f v]]]
> XRANGE x - + COUNT 0
nil-array
> XRANGE none - +
[]
> XRANGE x (18446744073709551615-18446744073709551615 +
!ERR invalid start ID for the interval
> XDEL x 1000000-0 7-7
1
~ XDEL x 1000000-0 7-7
> XDEL x 7-7
0
)");
}

TEST(Streams, TrimsReplicateExactly) {
  Stage stage;
  for (int i = 1; i <= 250; ++i) stage.run("XADD x " + std::to_string(i) + " f v");
  stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> XADD x MAXLEN ~ 200 251 f v
251-0
~ XADD x MAXLEN = 251 251-0 f v
> XADD x MAXLEN ~ 140 252 f v
252-0
~ XADD x MAXLEN = 152 252-0 f v
> XADD x MINID = 150 NOMKSTREAM 253 f v
253-0
~ XADD x MINID = 150-0 253-0 f v
> XADD x MINID ~ 201 254 f v
254-0
~ XADD x MINID = 201-0 254-0 f v
> XADD x MAXLEN 10 255 f v
255-0
~ XADD x MAXLEN = 10 255-0 f v
> XTRIM x MAXLEN 20
0
> XTRIM x MAXLEN 5
5
~ XTRIM x MAXLEN = 5
> XTRIM x MINID 9999
5
~ XTRIM x MAXLEN = 0
> XLEN x
0
> EXISTS x
1
> XTRIM x LIMIT 5 MAXLEN 5
!ERR syntax error, LIMIT cannot be used without the special ~ option
> XTRIM x LIMIT 5
!ERR syntax error, LIMIT cannot be used without specifying a trimming strategy
> XTRIM x MAXLEN ~ -1
!ERR The MAXLEN argument must be >= 0.
> XTRIM x MAXLEN 1 MINID 1
!ERR syntax error, MAXLEN and MINID options at the same time are not compatible
> XTRIM x MAXLEN ~ 1 LIMIT -1
!ERR The LIMIT argument must be >= 0.
> XTRIM x MAXLEN = 5 more
!ERR syntax error
)");
}

TEST(Streams, ReadAndWait) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> XADD a 1 f v
1-0
~ XADD a 1-0 f v
> XADD a 2 f v
2-0
~ XADD a 2-0 f v
> XREAD COUNT 1 STREAMS a b 0 0
[[a [[1-0 [f v]]]]]
> XREAD STREAMS a 1-0
[[a [[2-0 [f v]]]]]
> XREAD STREAMS a $
nil-array
b> XREAD BLOCK 0 STREAMS a b $ $
(waits)
c> XREAD BLOCK 100 STREAMS a 2-0
(waits)
> XADD b 5 g w
5-0
~ XADD b 5-0 g w
b< [[b [[5-0 [g w]]]]]
+ 200
c< nil-array
b> XREAD BLOCK 0 STREAMS a $
(waits)
c> XREAD BLOCK 0 STREAMS a 0
[[a [[1-0 [f v]] [2-0 [f v]]]]]
> XADD a 3 f v
3-0
~ XADD a 3-0 f v
b< [[a [[3-0 [f v]]]]]
> XREAD STREAMS a b 0
!ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.
> XREAD BLOCK -1 STREAMS a 0
!ERR timeout is negative
> XREAD COUNT 1 BLOCK 1
!ERR syntax error
> XREAD GROUP g c STREAMS a 0
!ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.
)");
  EXPECT_EQ(stage.run("XREAD STREAMS a >"),
            "!ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
            "<consumer> option.");
}

}  // namespace
}  // namespace tandem
