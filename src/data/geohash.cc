#include "data/geohash.h"

#include <algorithm>
#include <cmath>

#include "base/bytes.h"

namespace tandem {
namespace {

// Moves each bit of the number to the place with twice its number: the low bits of two numbers make
// room for each other. ("Interleave bits by binary magic numbers" in S. E. Anderson's collection.)
uint64_t spread(uint32_t number) {
  uint64_t bits = number;
  bits = (bits | bits << 16) & 0x0000FFFF0000FFFF;
  bits = (bits | bits << 8) & 0x00FF00FF00FF00FF;
  bits = (bits | bits << 4) & 0x0F0F0F0F0F0F0F0F;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}

uint32_t gathered(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0F;
  bits = (bits | bits >> 4) & 0x00FF00FF00FF00FF;
  bits = (bits | bits >> 8) & 0x0000FFFF0000FFFF;
  return static_cast<uint32_t>(bits | bits >> 16);
}

// Which of the 2^steps parts of the range from -max to max.
uint32_t part_of_range(double value, double max, int steps) {
  const double share = (value + max) / (max + max);
  return static_cast<uint32_t>(share * static_cast<double>(uint64_t{1} << steps));
}

double edge_of_part(uint32_t part, double max, int steps) {
  const double parts = static_cast<double>(uint64_t{1} << steps);
  return -max + part * 1.0 / parts * (max + max);
}

GeoCell cell_within(const GeoPosition& position, double latitude_max, int steps) {
  return {.column = part_of_range(position.longitude, kLongitudeMax, steps),
          .row = part_of_range(position.latitude, latitude_max, steps),
          .steps = steps};
}

// A score that a client made up may be any number. What is no unsigned number becomes what
// processors of the x86-64 family, and so Redis there, make of it.
uint64_t bits_of_score(double score) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (score >= 2 * kTwoTo63) return 0;
  if (score >= 0) return static_cast<uint64_t>(score);
  if (score < -kTwoTo63) return uint64_t{1} << 63;
  return static_cast<uint64_t>(static_cast<int64_t>(score));
}

}  // namespace

bool is_on_map(const GeoPosition& position) {
  return std::abs(position.longitude) <= kLongitudeMax &&
         std::abs(position.latitude) <= kLatitudeMax;
}

uint64_t GeoCell::number() const { return spread(row) | spread(column) << 1; }

GeoCell::Area GeoCell::area() const {
  return {.low = {.longitude = edge_of_part(column, kLongitudeMax, steps),
                  .latitude = edge_of_part(row, kLatitudeMax, steps)},
          .high = {.longitude = edge_of_part(column + 1, kLongitudeMax, steps),
                   .latitude = edge_of_part(row + 1, kLatitudeMax, steps)}};
}

GeoCell cell_around(const GeoPosition& position, int steps) {
  return cell_within(position, kLatitudeMax, steps);
}

uint64_t geohash_of(const GeoPosition& position) {
  return cell_around(position, kGeohashSteps).number();
}

GeoPosition position_of(double score) {
  const uint64_t bits = bits_of_score(score);
  const GeoCell cell{.column = gathered(bits >> 1), .row = gathered(bits), .steps = kGeohashSteps};
  const GeoCell::Area area = cell.area();
  const auto middle = [](double low, double high, double max) {
    return std::clamp((low + high) / 2, -max, max);
  };
  return {.longitude = middle(area.low.longitude, area.high.longitude, kLongitudeMax),
          .latitude = middle(area.low.latitude, area.high.latitude, kLatitudeMax)};
}

std::string geohash_text(const GeoPosition& position) {
  constexpr Bytes kDigits = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr int kDigitBits = 5;
  constexpr double kPole = 90;
  const uint64_t bits = cell_within(position, kPole, kGeohashSteps).number();
  std::string text;
  for (int shift = 2 * kGeohashSteps - kDigitBits; shift >= 0; shift -= kDigitBits) {
    text += kDigits[bits >> shift & 0x1F];
  }
  // The two bits that are left are no whole digit.
  return text + '0';
}

double latitude_distance_m(double from, double to) {
  return kEarthRadiusM * std::abs(radians(to) - radians(from));
}

// The haversine formula.
double distance_m(const GeoPosition& from, const GeoPosition& to) {
  const double across = std::sin((radians(to.longitude) - radians(from.longitude)) / 2);
  if (across == 0) return latitude_distance_m(from.latitude, to.latitude);
  const double begin = radians(from.latitude);
  const double end = radians(to.latitude);
  const double along = std::sin((end - begin) / 2);
  const double square = along * along + std::cos(begin) * std::cos(end) * across * across;
  // On the far side of the Earth rounding may go beyond 1.
  return 2.0 * kEarthRadiusM * std::asin(std::min(1.0, std::sqrt(square)));
}

}  // namespace tandem
