#include "commands/testing.h"

namespace tandem {
namespace {

class Sort : public testing::Test {
 protected:
  void SetUp() override {
    stage.run("RPUSH l 3 1 2 10");
    stage.run("SADD s c a b");
    stage.run("ZADD z 3 x 1 y 2 w");
    stage.run("MSET w_1 5 w_2 '' w_3 0x7 w_10 -1e2");
    stage.run("HSET h_1 name one n 3");
    stage.run("HSET h_2 name two n 1");
    stage.run("HSET h_3 name three n 2");
    stage.effects();
  }

  Stage stage;
};

TEST_F(Sort, ElementsByThemselves) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l
[1 2 3 10]
> SORT l DESC
[10 3 2 1]
> SORT l DESC ASC
[1 2 3 10]
> SORT l ALPHA
[1 10 2 3]
> SORT l alpha desc
[3 2 10 1]
> SORT s ALPHA
[a b c]
> SORT z ALPHA DESC
[y x w]
> SORT none
[]
> SORT_RO l DESC
[10 3 2 1]
> RPUSH mixed '' 2.5 -3 1e1 -inf
5
~ RPUSH mixed "" 2.5 -3 1e1 -inf
> SORT mixed
[-inf -3 "" 2.5 1e1]
> RPUSH equal 1.0 01 1
3
~ RPUSH equal 1.0 01 1
> SORT equal
[01 1 1.0]
> SORT equal DESC
[1.0 1 01]
)");
}

TEST_F(Sort, SomeOfThem) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l LIMIT 1 2
[2 3]
> SORT l LIMIT 0 0
[]
> SORT l LIMIT -5 2
[1 2]
> SORT l LIMIT 2 -1
[3 10]
> SORT l LIMIT 3 100
[10]
> SORT l LIMIT 4 1
[]
> SORT l LIMIT 1 1 DESC
[3]
> SORT l LIMIT 9 9 LIMIT 0 1
[1]
> SORT l LIMIT 9223372036854775807 9223372036854775807
[]
)");
}

TEST_F(Sort, InTheOrderOfTheSource) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l BY nosort
[3 1 2 10]
> SORT l BY nosort DESC
[10 2 1 3]
> SORT l BY nosort DESC LIMIT 1 2
[2 1]
> SORT l BY nosort LIMIT 1 2
[1 2]
> SORT z BY nosort
[y w x]
> SORT z BY nosort DESC LIMIT 0 2
[x w]
> SORT z BY nosort LIMIT 1 5
[w x]
> SORT l BY nosort BY w_*
[3 1 2 10]
> SORT l BY w_* BY nosort
[3 1 2 10]
> SORT s BY nosort STORE d
3
~ SORT s BY nosort STORE d
> LRANGE d 0 -1
[a b c]
> SORT s BY nosort DESC LIMIT 0 2 STORE d
2
~ SORT s BY nosort DESC LIMIT 0 2 STORE d
> LRANGE d 0 -1
[c b]
)");
  EXPECT_EQ(stage.run("SORT s BY nosort LIMIT 1 2").size(), Bytes("[a b]").size());
}

TEST_F(Sort, ByWhatOtherKeysHold) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l BY w_*
[10 2 1 3]
> SORT l BY w_* DESC
[3 1 2 10]
> SORT l BY w_* LIMIT 1 2
[2 1]
> SORT l BY w_* ALPHA
[2 10 3 1]
> SORT l BY h_*->n
[10 2 3 1]
> SORT l BY h_*->name ALPHA
[10 1 3 2]
> SORT l BY nosuch*
[1 10 2 3]
> DEL w_3
1
~ DEL w_3
> SORT l BY w_* ALPHA
[3 2 10 1]
> SORT l BY w_*
[10 2 3 1]
)");
}

// As redis-server 7.0.15 answers: by its two ways to sort, of which one keeps the order of equals.
TEST_F(Sort, EqualTextsComeAsInRedis) {
  EXPECT_TRANSCRIPT(stage, R"(
> RPUSH many 1 2 3 4 5 6 7 8 9 10 11 12 13
13
~ RPUSH many 1 2 3 4 5 6 7 8 9 10 11 12 13
> SORT many BY nosuch* ALPHA
[1 2 3 4 5 6 7 8 9 10 11 12 13]
> SORT many BY nosuch* ALPHA DESC
[1 2 3 4 5 6 7 8 9 10 11 12 13]
> SORT many BY nosuch* ALPHA LIMIT 0 5
[13 2 3 4 5]
> SORT many BY nosuch* ALPHA LIMIT 2 5
[3 4 5 6 7]
> SORT many BY nosuch* ALPHA LIMIT 2 50
[3 4 5 6 7 8 9 10 11 12 1]
> SORT many BY nosuch* ALPHA LIMIT 9 2 DESC
[10 11]
)");
}

TEST_F(Sort, OtherValuesInTheirStead) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l GET w_*
[5 "" 0x7 -1e2]
> SORT l GET # GET h_*->name GET h_*->nosuch
[1 one nil 2 two nil 3 three nil 10 nil nil]
> SORT l GET nostar
[nil nil nil nil]
> SORT l LIMIT 0 1 GET # LIMIT 0 2 GET #
[1 1 2 2]
> SET w_1-> arrow
OK
~ SET w_1-> arrow
> SORT l GET w_*-> LIMIT 0 1
[arrow]
> HSET h_1 a->b inner
1
~ HSET h_1 a->b inner
> SORT l GET h_*->a->b LIMIT 0 1
[inner]
> SET g->_1 outer
OK
~ SET g->_1 outer
> SORT l GET g->_* LIMIT 0 1
[outer]
> SET w_1* second
OK
~ SET w_1* second
> SORT l GET w_** LIMIT 0 1
[second]
> SORT l GET h_* LIMIT 0 1
[nil]
> SORT l GET w_*->field LIMIT 0 1
[nil]
> HSET 3 f plain
1
~ HSET 3 f plain
> SORT l BY nosort GET *->f LIMIT 0 1
[plain]
)");
}

TEST_F(Sort, IsStored) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l DESC STORE d
4
~ SORT l DESC STORE d
> LRANGE d 0 -1
[10 3 2 1]
> OBJECT ENCODING d
listpack
> SORT l STORE other STORE l
4
~ SORT l STORE other STORE l
> LRANGE l 0 -1
[1 2 3 10]
> EXISTS other
0
> SORT l BY h_*->n GET # GET h_*->name STORE d
8
~ SORT l BY h_*->n GET # GET h_*->name STORE d
> LRANGE d 0 -1
[10 "" 2 two 3 three 1 one]
> SORT none STORE d
0
~ SORT none STORE d
> SORT none STORE d
0
> SORT l LIMIT 0 0 STORE s
0
~ SORT l LIMIT 0 0 STORE s
)");
}

// In which order equal texts come depends on more than them: a replica might see or choose another.
TEST_F(Sort, ByEqualTextsReplicatesAsItsResult) {
  EXPECT_TRANSCRIPT(stage, R"(
> SORT l BY nosuch* ALPHA STORE d
4
~ MULTI
~ DEL d
~ RPUSH d 3 1 2 10
~ EXEC
> SORT none BY nosuch* ALPHA STORE d
0
~ SORT none BY nosuch* ALPHA STORE d
)");
  std::string add = "RPUSH large";
  for (int i = 0; i < 2000; ++i) add += " e";
  stage.run(add);
  stage.effects();
  EXPECT_EQ(stage.run("SORT large BY nosuch* ALPHA STORE d"), "2000");
  EXPECT_EQ(stage.effects().size(), 5u) << "MULTI, DEL, two times RPUSH, EXEC";
}

// What a script sees is the same whatever order a set has. Here it is a table's, for a long member.
TEST(SortInAScript, DoesNotHangOnChance) {
  const Registry registry{keyspace_rows()};
  Keyspace keyspace{{.databases = 1, .hash_seed = 7}};
  const EncodingLimits limits;
  Effects effects;
  KeyAccess access{keyspace, limits, effects};
  const StripeSet every_stripe = StripeSet::all();
  access.begin(1'000'000, ExpiryMode::kDelete, {}, every_stripe);
  View view(access, 0);
  Random random(1);
  const auto run = [&](Bytes line) {
    std::string storage;
    std::vector<Bytes> args;
    EXPECT_TRUE(split_arguments(line, storage, args));
    std::string out;
    ReplyWriter reply(out);
    const Command& command = *registry.resolve(args);
    Context context{.command = command,
                    .args = args,
                    .keys = view,
                    .reply = reply,
                    .random = random,
                    .now_ms = access.now_ms(),
                    .from_script = true};
    command.row.handler(context);
    return rendered(Bytes(out));
  };
  const std::string last(100, 'z');
  run("SADD s e d c b a " + last);
  EXPECT_EQ(run("SORT s BY nosort"), "[a b c d e " + last + "]");
  EXPECT_EQ(run("SORT_RO s BY nosort DESC LIMIT 0 2"), "[" + last + " e]");
}

TEST_F(Sort, IsCheckedAsInRedis) {
  struct Refused {
    Bytes command;
    Bytes error;
  };
  constexpr Bytes kSyntax = "!ERR syntax error";
  constexpr Bytes kNoNumber = "!ERR One or more scores can't be converted into double";
  constexpr Bytes kType = "!WRONGTYPE Operation against a key holding the wrong kind of value";
  stage.run("MSET v_1 1 v_2 x v_3 3 v_10 4");
  stage.run("RPUSH huge 1e999");
  stage.effects();
  constexpr Refused kRefused[] = {
      {"SORT s", kNoNumber},
      {"SORT huge", kNoNumber},
      {"SORT l BY v_*", kNoNumber},
      {"SORT l BY h_*->name STORE d", kNoNumber},
      {"SORT w_1", kType},
      {"SORT h_1", kType},
      {"SORT w_1 FOO", kSyntax},
      {"SORT none FOO", kSyntax},
      {"SORT l LIMIT 1", kSyntax},
      {"SORT l LIMIT x 1", "!ERR value is not an integer or out of range"},
      {"SORT l LIMIT 1 x", "!ERR value is not an integer or out of range"},
      {"SORT l BY", kSyntax},
      {"SORT l GET", kSyntax},
      {"SORT l STORE", kSyntax},
      {"SORT_RO l STORE d", kSyntax},
  };
  for (const Refused& refused : kRefused) {
    EXPECT_EQ(stage.run(refused.command), refused.error) << refused.command;
  }
  EXPECT_TRUE(stage.effects().empty());
}

// Keys that only the elements name are held, and those that are over are not there.
TEST_F(Sort, MeetsKeysThatHaveExpired) {
  EXPECT_TRANSCRIPT(stage, R"(
> PEXPIRE w_10 100
1
~ PEXPIREAT w_10 1000100
+ 101
> SORT l BY w_* LIMIT 0 1
[10]
~ DEL w_10
> SORT l BY w_* LIMIT 0 2
[10 2]
)");
}

}  // namespace
}  // namespace tandem
