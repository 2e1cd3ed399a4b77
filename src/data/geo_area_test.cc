#include "data/geo_area.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "base/number.h"
#include "base/random.h"

namespace tandem {
namespace {

double between(Random& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random.below(1'000'000)) / 1e6;
}

// Numbers of redis-server 7.0.15.
TEST(Geohash, HasTheNumbersOfRedis) {
  struct Golden {
    GeoPosition position;
    uint64_t geohash;
    Bytes text;
    Bytes longitude;
    Bytes latitude;
  };
  constexpr Golden kGolden[] = {
      {{13.361389, 38.115556},
       3479099956230698,
       "sqc8b49rny0",
       "13.36138933897018433",
       "38.11555639549629859"},
      {{15.087269, 37.502669},
       3479447370796909,
       "sqdtr74hyu0",
       "15.08726745843887329",
       "37.50266842333162032"},
      {{1, 2}, 3378080408407459, "s02equ04ve0", "0.99999994039535522", "2.0000001856465488"},
      {{180, 85.05112878}, 13510798882111488, "bp05b5048p0", "180", "85.0511287799999991"},
  };
  for (const Golden& golden : kGolden) {
    EXPECT_EQ(geohash_of(golden.position), golden.geohash);
    const GeoPosition middle = position_of(static_cast<double>(golden.geohash));
    EXPECT_EQ(geohash_text(middle), golden.text);
    EXPECT_EQ(long_double_text(middle.longitude), golden.longitude);
    EXPECT_EQ(long_double_text(middle.latitude), golden.latitude);
  }
}

TEST(Geohash, ComesBackToItsCell) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    const GeoPosition position{between(random, -kLongitudeMax, kLongitudeMax),
                               between(random, -kLatitudeMax, kLatitudeMax)};
    const uint64_t geohash = geohash_of(position);
    const GeoPosition middle = position_of(static_cast<double>(geohash));
    EXPECT_EQ(geohash_of(middle), geohash);
    EXPECT_LT(distance_m(position, middle), 0.6);
  }
}

TEST(Geohash, AnyScoreIsSomePlace) {
  for (const double score :
       {-1e300, -5.0, -0.5, 0.0, 1e15, 9e15, 1e19, 2e19, 1e300,
        std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    EXPECT_TRUE(is_on_map(position_of(score))) << score;
  }
}

TEST(Geohash, DistancesAreThoseOfTheSphere) {
  const double quarter = kEarthRadiusM * std::numbers::pi / 2;
  EXPECT_NEAR(distance_m({0, 0}, {90, 0}), quarter, 1e-6);
  EXPECT_NEAR(distance_m({0, 0}, {180, 0}), 2 * quarter, 1e-6);
  EXPECT_NEAR(distance_m({7, -45}, {7, 45}), quarter, 1e-6);
  EXPECT_EQ(distance_m({7, 45}, {7, 45}), 0);
  // The other end of the Earth, wherever it is.
  Random random(2);
  for (int round = 0; round < 10'000; ++round) {
    const GeoPosition here{between(random, -180, 0), between(random, -85, 85)};
    const double distance = distance_m(here, {here.longitude + 180, -here.latitude});
    EXPECT_NEAR(distance, 2 * quarter, 1);
  }
}

bool holds(const std::vector<GeoArea::Scores>& all, double score) {
  return std::ranges::any_of(all, [&](const GeoArea::Scores& scores) {
    return score >= scores.first && score < scores.end;
  });
}

// Where the map has no edge near: there Redis does not look at the other side.
TEST(GeoArea, ItsCellsHoldAllThatIsInIt) {
  Random random(3);
  int inside = 0;
  for (int round = 0; round < 20'000; ++round) {
    const GeoPosition center{between(random, -100, 100), between(random, -60, 60)};
    const double size = between(random, 0, round % 2 == 0 ? 3e3 : 1e6);
    const GeoArea area = round % 3 == 0 ? GeoArea::box(center, size, between(random, 0, size), 1)
                                        : GeoArea::circle(center, size / 2, 1);
    const std::vector<GeoArea::Scores> scores = area.scores();
    EXPECT_LE(scores.size(), 9u);
    for (int i = 0; i < 10; ++i) {
      const double spread = size / 50'000;  // degrees
      const GeoPosition near{center.longitude + between(random, -spread, spread),
                             center.latitude + between(random, -spread / 2, spread / 2)};
      const auto score = static_cast<double>(geohash_of(near));
      if (!area.distance_m(position_of(score))) continue;
      ++inside;
      EXPECT_TRUE(holds(scores, score));
    }
  }
  EXPECT_GT(inside, 10'000);
}

TEST(GeoArea, NoCellComesTwice) {
  for (const double size :
       {0.0, 1.0, 1e3, 1e6, 5e6, 1e7, 2e7, 1e300, std::numeric_limits<double>::infinity()}) {
    for (const double latitude : {-85.0, 0.0, 67.0, 81.0, 85.0}) {
      const auto scores = GeoArea::circle({179, latitude}, size, 1).scores();
      for (size_t i = 0; i < scores.size(); ++i) {
        for (size_t k = 0; k < i; ++k) EXPECT_NE(scores[i].first, scores[k].first);
      }
    }
  }
}

TEST(GeoArea, EndsAtItsEdge) {
  const GeoArea circle = GeoArea::circle({0, 0}, 1, 1000);
  const double degree_m = kEarthRadiusM * std::numbers::pi / 180;
  EXPECT_TRUE(circle.distance_m({999 / degree_m, 0}));
  EXPECT_FALSE(circle.distance_m({1001 / degree_m, 0}));
  const GeoArea box = GeoArea::box({0, 0}, 4, 2, 1000);
  EXPECT_TRUE(box.distance_m({1999 / degree_m, 999 / degree_m}));
  EXPECT_FALSE(box.distance_m({2001 / degree_m, 0}));
  EXPECT_FALSE(box.distance_m({0, 1001 / degree_m}));
}

}  // namespace
}  // namespace tandem
