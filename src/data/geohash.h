// Places on the Earth as numbers: Redis's geohash of 52 bits, which is the score of a member of a
// geo index. Halving latitude and longitude in turns, 26 times each, gives a cell; its number has
// the bits of both, interleaved, longitude first. Cells that are near each other mostly have
// numbers that are. Niemeyer, geohash.org (2008); the bounds and the sphere are Redis's.
//
// Degrees and metres. Pure.
#pragma once

#include <cstdint>
#include <numbers>
#include <string>

namespace tandem {

// Exactly so: the last digits that clients see depend on the order of operations.
inline double radians(double degrees) { return degrees * (std::numbers::pi / 180.0); }
inline double degrees(double radians) { return radians / (std::numbers::pi / 180.0); }

struct GeoPosition {
  double longitude;
  double latitude;
};

inline constexpr double kLongitudeMax = 180;
// Web Mercator (EPSG:3857) ends here.
inline constexpr double kLatitudeMax = 85.05112878;
inline constexpr double kEarthRadiusM = 6372797.560856;

bool is_on_map(const GeoPosition& position);

inline constexpr int kGeohashSteps = 26;  // of each coordinate

// A cell of the grid that has 2^steps rows and as many columns. What lies on the upper edge of the
// map is in a row or column of its own behind the last.
struct GeoCell {
  uint32_t column;  // longitude
  uint32_t row;     // latitude
  int steps;

  // By half as many bits as its steps say; the numbers of cells of 26 steps are geohashes.
  uint64_t number() const;

  struct Area {
    GeoPosition low;
    GeoPosition high;
  };
  Area area() const;

  bool operator==(const GeoCell&) const = default;
};

// REQUIRES: is_on_map().
GeoCell cell_around(const GeoPosition& position, int steps);
uint64_t geohash_of(const GeoPosition& position);

// The middle of the cell with this score. A score that is no geohash gives some place, too.
GeoPosition position_of(double score);

// The text that other systems read: 11 characters, the last one always "0", on a grid whose
// latitudes reach to the poles.
std::string geohash_text(const GeoPosition& position);

// Along a great circle.
double distance_m(const GeoPosition& from, const GeoPosition& to);
// Along a meridian.
double latitude_distance_m(double from, double to);

}  // namespace tandem
