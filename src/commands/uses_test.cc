// How keys were used, as commands tell and change it.
#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Uses, LookingAtAKeyIsAUseAndAskingAboutItIsNone) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v
OK
~ SET k v
+ 5000
> OBJECT IDLETIME k
5
> TYPE k
string
> EXISTS k
1
> TTL k
-1
> OBJECT IDLETIME k
5
> GET k
v
> OBJECT IDLETIME k
0
+ 3000
> TOUCH k
1
> OBJECT IDLETIME k
0
+ 2000
> APPEND k w
2
~ APPEND k w
> OBJECT IDLETIME k
0
+ 2000
> EXPIRE k 1000
1
~ PEXPIREAT k 2012000
> OBJECT IDLETIME k
0
> OBJECT IDLETIME none
nil
)");
}

TEST(Uses, AValueTakesItsUseAlongAndACopyIsNew) {
  Stage stage;
  stage.keyspace.use_rules().by_frequency = true;
  stage.keyspace.use_rules().log_factor = 0;
  stage.keyspace.use_rules().decay_minutes = 0;
  EXPECT_TRANSCRIPT(stage, R"(
> SET k v
OK
~ SET k v
> GET k
v
> GET k
v
> OBJECT FREQ k
7
> RENAME k other
OK
~ RENAME k other
> OBJECT FREQ other
8
> COPY other third
1
~ COPY other third
> OBJECT FREQ third
5
> OBJECT FREQ other
9
> MOVE other 1
1
~ MOVE other 1
> SET third again
OK
~ SET third again
> OBJECT FREQ third
6
)");
}

}  // namespace
}  // namespace tandem
