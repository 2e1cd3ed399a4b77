#include "data/geo_area.h"

#include <algorithm>
#include <cmath>

namespace tandem {
namespace {

struct Direction {
  int column;
  int row;
};
// North, south, east, west, and the corners.
constexpr Direction kAround[] = {{0, 1}, {0, -1}, {1, 0},  {-1, 0},
                                 {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};

// The map has no edge: behind the last column comes the first, and rows go round as well.
uint32_t moved(uint32_t part, int by, int steps) {
  if (by == 0) return part;
  return (part + static_cast<uint32_t>(by)) & ((uint32_t{1} << steps) - 1);
}

GeoCell neighbour(const GeoCell& cell, Direction to) {
  return {.column = moved(cell.column, to.column, cell.steps),
          .row = moved(cell.row, to.row, cell.steps),
          .steps = cell.steps};
}

GeoArea::Scores scores_of(const GeoCell& cell) {
  const int shift = 2 * (kGeohashSteps - cell.steps);
  return {.first = static_cast<double>(cell.number() << shift),
          .end = static_cast<double>((cell.number() + 1) << shift)};
}

}  // namespace

GeoArea GeoArea::circle(const GeoPosition& center, double radius, double unit_m) {
  GeoArea area;
  area.center_ = center;
  area.reach_m_ = radius * unit_m;
  area.width_m_ = area.height_m_ = 2 * area.reach_m_;
  return area;
}

GeoArea GeoArea::box(const GeoPosition& center, double width, double height, double unit_m) {
  GeoArea area;
  area.center_ = center;
  area.is_circle_ = false;
  area.reach_m_ = std::sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) * unit_m;
  area.width_m_ = width * unit_m;
  area.height_m_ = height * unit_m;
  return area;
}

std::optional<double> GeoArea::distance_m(const GeoPosition& position) const {
  if (!is_circle_) {
    // The cheaper question first.
    if (latitude_distance_m(position.latitude, center_.latitude) > height_m_ / 2) {
      return std::nullopt;
    }
    const GeoPosition beside{.longitude = center_.longitude, .latitude = position.latitude};
    if (tandem::distance_m(position, beside) > width_m_ / 2) return std::nullopt;
  }
  const double distance = tandem::distance_m(center_, position);
  if (is_circle_ && distance > reach_m_) return std::nullopt;
  return distance;
}

// Meridians come nearer to each other towards the pole, so the edge that is nearer to it has the
// greater difference of longitudes.
GeoCell::Area GeoArea::bounds() const {
  const double up = degrees(height_m_ / 2 / kEarthRadiusM);
  const double edge = center_.latitude < 0 ? center_.latitude - up : center_.latitude + up;
  const double across = degrees(width_m_ / 2 / kEarthRadiusM / std::cos(radians(edge)));
  return {.low = {.longitude = center_.longitude - across, .latitude = center_.latitude - up},
          .high = {.longitude = center_.longitude + across, .latitude = center_.latitude + up}};
}

// The finest grid of which nine cells hold the area, but near its edges: that is seen to later.
int GeoArea::steps_for_reach() const {
  constexpr double kMercatorMaxM = 20037726.37;
  constexpr double kFarNorth = 66;
  constexpr double kPolar = 80;
  if (reach_m_ == 0) return kGeohashSteps;
  int steps = -1;
  for (double reach = reach_m_; reach < kMercatorMaxM; reach *= 2) ++steps;
  const double latitude = std::abs(center_.latitude);
  if (latitude > kFarNorth) --steps;
  if (latitude > kPolar) --steps;
  return std::clamp(steps, 1, kGeohashSteps);
}

bool GeoArea::reaches_beyond(const GeoCell& middle) const {
  const GeoCell::Area area = bounds();
  const auto outer = [&](int column, int row) {
    return neighbour(middle, {.column = column, .row = row}).area();
  };
  return outer(0, 1).high.latitude < area.high.latitude ||
         outer(0, -1).low.latitude > area.low.latitude ||
         outer(1, 0).high.longitude < area.high.longitude ||
         outer(-1, 0).low.longitude > area.low.longitude;
}

std::vector<GeoArea::Scores> GeoArea::scores() const {
  GeoCell middle = cell_around(center_, steps_for_reach());
  if (middle.steps > 1 && reaches_beyond(middle)) middle = cell_around(center_, middle.steps - 1);
  const GeoCell::Area inner = middle.area();
  const GeoCell::Area area = bounds();
  // On a coarse grid, cells on both sides are the same, and none is left out.
  const bool leaves_out = middle.steps >= 2;
  const auto is_needed = [&](Direction to) {
    return !leaves_out || !((to.row < 0 && inner.low.latitude < area.low.latitude) ||
                            (to.row > 0 && inner.high.latitude > area.high.latitude) ||
                            (to.column < 0 && inner.low.longitude < area.low.longitude) ||
                            (to.column > 0 && inner.high.longitude > area.high.longitude));
  };
  std::vector<Scores> found = {scores_of(middle)};
  std::optional<GeoCell> last;
  for (const Direction to : kAround) {
    const GeoCell cell = neighbour(middle, to);
    if (!is_needed(to) || cell == last) continue;
    found.push_back(scores_of(cell));
    last = cell;
  }
  return found;
}

}  // namespace tandem
