#include "commands/testing.h"

namespace tandem {
namespace {

TEST(Geo, AddsAsZadd) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
2
~ ZADD g 3479099956230698 Palermo 3479447370796909 Catania
> GEOADD g NX CH 13.361389 38.2 Palermo 1 2 new
1
~ ZADD g NX CH 3479101030759983 Palermo 3378080408407459 new
> GEOADD g xx 13.361389 38.2 Palermo 1 2 none
0
~ ZADD g xx 3479101030759983 Palermo 3378080408407459 none
> GEOADD g XX CH 13.361389 38.2 Palermo 1 2 none
0
> GEOADD g CH 13.361389 38.115556 Palermo
1
~ ZADD g CH 3479099956230698 Palermo
> GEOADD fresh XX 1 2 a
0
> EXISTS fresh
0
> TYPE g
zset
)");
}

constexpr Bytes kSicily =
    "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 "
    "Agrigento";

TEST(Geo, TellsPlacesAndDistances) {
  Stage stage;
  stage.run(kSicily);
  (void)stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> GEOPOS g Palermo none
[[13.36138933897018433 38.11555639549629859] nil-array]
> GEOPOS none a
[nil-array]
> GEOPOS g
[]
> GEOHASH g Palermo none Catania
[sqc8b49rny0 nil sqdtr74hyu0]
> GEOHASH none a
[nil]
> GEODIST g Palermo Catania
166274.1516
> GEODIST g Palermo Catania km
166.2742
> GEODIST g Palermo Catania MI
103.3182
> GEODIST g Palermo Catania ft
545518.8700
> GEODIST g Palermo Palermo
0.0000
> GEODIST g Palermo none
nil
> GEODIST none a b
nil
)");
  stage.client("").protocol = 3;
  EXPECT_EQ(stage.run("GEOPOS g Palermo none"),
            "[[,13.36138933897018433 ,38.11555639549629859] nil]");
  EXPECT_EQ(stage.run("GEODIST g Palermo Catania"), "166274.1516");
}

TEST(Geo, RefusesWhatRedisRefuses) {
  Stage stage;
  EXPECT_TRANSCRIPT(stage, R"(
> SET s v
OK
~ SET s v
> GEOADD g NX XX 1 2 a
!ERR syntax error
> GEOADD g 1 2 a 3
!ERR syntax error
> GEOADD g CH CH CH
!ERR syntax error
> GEOADD s 1 x a
!ERR value is not a valid float
> GEOADD s 1 86 a
!ERR invalid longitude,latitude pair 1.000000,86.000000
> GEOADD s inf 1 a
!ERR invalid longitude,latitude pair inf,1.000000
> GEOADD s 1 2 a
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEOPOS s a
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEOHASH s a
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEODIST s a b
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEODIST none a b yard
!ERR unsupported unit provided. please use M, KM, FT, MI
> GEODIST none a b m x
!ERR syntax error
)");
}

TEST(GeoSearch, FindsWhatIsInACircleOrABox) {
  Stage stage;
  stage.run(kSicily);
  (void)stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> GEORADIUS g 15 37 200 km ASC
[Catania Agrigento Palermo]
> GEORADIUS g 15 37 200 km DESC WITHDIST
[[Palermo 190.4424] [Agrigento 130.4235] [Catania 56.4413]]
> GEORADIUS_RO g 15 37 100 km WITHCOORD WITHHASH
[[Catania 3479447370796909 [15.08726745843887329 37.50266842333162032]]]
> GEORADIUS g 15 37 200 km COUNT 1
[Catania]
> GEORADIUS g 15 37 200 km COUNT 2 DESC
[Palermo Agrigento]
> GEORADIUS g 15 37 200 km ANY COUNT 1
[Agrigento]
> GEORADIUSBYMEMBER g Agrigento 100 km
[Agrigento Palermo]
> GEORADIUSBYMEMBER_RO g Agrigento 57 mi ASC WITHDIST
[[Agrigento 0.0000] [Palermo 56.5311]]
> GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC
[Catania Agrigento Palermo]
> GEOSEARCH g BYBOX 400 100 km FROMMEMBER Agrigento DESC COUNT 5
[Catania Agrigento]
> GEOSEARCH g FROMMEMBER Palermo BYRADIUS 0 m
[Palermo]
> GEOSEARCH none FROMMEMBER Palermo BYRADIUS 1 m
[]
> GEORADIUS none 1 1 1 m
[]
> GEORADIUSBYMEMBER none x y z
[]
)");
}

TEST(GeoSearch, StoresWhatItFinds) {
  Stage stage;
  stage.run(kSicily);
  (void)stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2
2
~ GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2
> GEOHASH d Catania Agrigento Palermo
[sqdtr74hyu0 sq9sm1716e0 nil]
> GEOSEARCHSTORE d g FROMMEMBER Agrigento BYRADIUS 100 km STOREDIST
2
~ GEOSEARCHSTORE d g FROMMEMBER Agrigento BYRADIUS 100 km STOREDIST
> ZSCORE d Agrigento
0
> ZRANGE d 0 -1
[Agrigento Palermo]
> GEORADIUS g 15 37 100 km STORE d
1
~ GEORADIUS g 15 37 100 km STORE d
> ZSCORE d Catania
3479447370796909
# of several keys the last one counts, and the word before it
> GEORADIUS g 13.583333 37.316667 1 m STORE d STOREDIST e STOREDIST f
1
~ GEORADIUS g 13.583333 37.316667 1 m STORE d STOREDIST e STOREDIST f
> EXISTS e
0
> ZCARD f
1
> GEORADIUSBYMEMBER g Agrigento 100 km STOREDIST f STORE g
2
~ GEORADIUSBYMEMBER g Agrigento 100 km STOREDIST f STORE g
> ZCARD g
2
> GEORADIUS g 100 10 1 m STORE d
0
~ GEORADIUS g 100 10 1 m STORE d
> EXISTS d
0
> GEORADIUS g 100 10 1 m STORE d
0
> GEOSEARCHSTORE f none FROMMEMBER x BYRADIUS 1 m
0
~ GEOSEARCHSTORE f none FROMMEMBER x BYRADIUS 1 m
> SET s v
OK
~ SET s v
> GEORADIUSBYMEMBER none x 1 m STORE s
0
~ GEORADIUSBYMEMBER none x 1 m STORE s
> EXISTS s
0
)");
}

TEST(GeoSearch, RefusesWhatRedisRefuses) {
  Stage stage;
  stage.run(kSicily);
  (void)stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> SET s v
OK
~ SET s v
> GEORADIUS s x 1 1 m
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEORADIUS none x 1 1 m
!ERR value is not a valid float
> GEORADIUS none 1 91 1 m
!ERR invalid longitude,latitude pair 1.000000,91.000000
> GEORADIUS none 1 1 x m
!ERR need numeric radius
> GEORADIUS none 1 1 -1 yard
!ERR radius cannot be negative
> GEORADIUS none 1 1 1 yard
!ERR unsupported unit provided. please use M, KM, FT, MI
> GEORADIUS none 1 1 1 m COUNT x
!ERR value is not an integer or out of range
> GEORADIUS none 1 1 1 m COUNT 0
!ERR COUNT must be > 0
> GEORADIUS none 1 1 1 m ANY
!ERR the ANY argument requires COUNT argument
> GEORADIUS none 1 1 1 m STORE
!ERR syntax error
> GEORADIUS none 1 1 1 m BYBOX 1 1 m
!ERR syntax error
> GEORADIUS none 1 1 1 m WITHDIST STORE d
!ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options
> GEORADIUS_RO none 1 1 1 m STORE d
!ERR syntax error
> GEORADIUSBYMEMBER s x y z
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEORADIUSBYMEMBER g none x m
!ERR could not decode requested zset member
> GEORADIUSBYMEMBER g Palermo x m
!ERR need numeric radius
> GEORADIUSBYMEMBER none x y z FOO
!ERR syntax error
> GEORADIUSBYMEMBER_RO g Palermo 1 m STOREDIST d
!ERR syntax error
)");
}

TEST(GeoSearch, RefusesPlacesThatDoNotFit) {
  Stage stage;
  stage.run(kSicily);
  (void)stage.effects();
  EXPECT_TRANSCRIPT(stage, R"(
> SET s v
OK
~ SET s v
> GEOSEARCH s FROMMEMBER x BYRADIUS x m
!WRONGTYPE Operation against a key holding the wrong kind of value
> GEOSEARCH g FROMMEMBER none BYRADIUS x m
!ERR could not decode requested zset member
> GEOSEARCH none FROMMEMBER x BYRADIUS x m
!ERR need numeric radius
> GEOSEARCH none FROMMEMBER x BYBOX x 1 m
!ERR need numeric width
> GEOSEARCH none FROMMEMBER x BYBOX 1 x m
!ERR need numeric height
> GEOSEARCH none FROMMEMBER x BYBOX 1 -1 yard
!ERR height or width cannot be negative
> GEOSEARCH none FROMMEMBER x BYBOX 1 1 yard
!ERR unsupported unit provided. please use M, KM, FT, MI
> GEOSEARCH none FROMMEMBER x FROMLONLAT 1 1 BYRADIUS 1 m
!ERR syntax error
> GEOSEARCH none FROMLONLAT 1 1 FROMMEMBER x BYRADIUS 1 m
!ERR syntax error
> GEOSEARCH none FROMMEMBER x BYRADIUS 1 m BYBOX 1 1 m
!ERR syntax error
> GEOSEARCH none FROMMEMBER x BYBOX 1 1 m BYRADIUS 1 m
!ERR syntax error
> GEOSEARCH none FROMMEMBER x BYBOX 1 1 m STORE d
!ERR syntax error
> GEOSEARCH none FROMMEMBER x BYBOX 1 1 m STOREDIST
!ERR syntax error
> GEOSEARCH none ASC ASC ASC ASC ASC
!ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH
> GEOSEARCHSTORE d none FROMLONLAT 1 1 ASC ASC ASC
!ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCHSTORE
> GEOSEARCHSTORE d none ASC ASC ASC ASC WITHHASH
!ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options
# the same once more is fine
> GEOSEARCH g FROMMEMBER Palermo FROMMEMBER Catania BYRADIUS 1 km BYRADIUS 2 m
[Catania]
> GEOSEARCH g FROMLONLAT 1 1 FROMLONLAT 13.361389 38.115556 BYBOX 1 1 m BYBOX 3 3 m
[Palermo]
)");
}

}  // namespace
}  // namespace tandem
