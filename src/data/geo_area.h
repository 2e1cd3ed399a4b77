// Circles and boxes on the Earth, and the cells of the geohash grid to look for their members in.
// Metres and degrees. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/geohash.h"

namespace tandem {

class GeoArea {
 public:
  // Sizes are in units of `unit_m` metres; none is negative, all may be infinite.
  static GeoArea circle(const GeoPosition& center, double radius, double unit_m);
  static GeoArea box(const GeoPosition& center, double width, double height, double unit_m);

  // How far it is from the centre; nothing: it is not in the area.
  std::optional<double> distance_m(const GeoPosition& position) const;

  // Scores from `first` on that are below `end`.
  struct Scores {
    double first;
    double end;
  };
  // Together they hold all that is in the area, and more around it: of the cell with the centre and
  // of its eight neighbours those that are needed. In Redis's order, which clients see.
  std::vector<Scores> scores() const;

 private:
  GeoArea() = default;

  GeoCell::Area bounds() const;
  int steps_for_reach() const;
  bool reaches_beyond(const GeoCell& middle) const;

  GeoPosition center_{};
  bool is_circle_ = true;
  double reach_m_ = 0;  // from the centre to the farthest point
  double width_m_ = 0;
  double height_m_ = 0;
};

}  // namespace tandem
