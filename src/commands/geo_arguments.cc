#include "commands/geo_arguments.h"

#include <cmath>

#include <fmt/format.h>

#include "commands/arguments.h"

namespace tandem {

std::optional<GeoPosition> position_argument(Context& ctx, size_t first) {
  const std::optional<double> longitude = double_argument(ctx, first);
  if (!longitude) return std::nullopt;
  const std::optional<double> latitude = double_argument(ctx, first + 1);
  if (!latitude) return std::nullopt;
  const GeoPosition position{.longitude = *longitude, .latitude = *latitude};
  if (is_on_map(position)) return position;
  ctx.reply.error(
      fmt::format("ERR invalid longitude,latitude pair {:f},{:f}", *longitude, *latitude));
  return std::nullopt;
}

std::optional<double> unit_argument(Context& ctx, size_t index) {
  struct Unit {
    Bytes name;
    double metres;
  };
  constexpr Unit kUnits[] = {{"M", 1}, {"KM", 1000}, {"FT", 0.3048}, {"MI", 1609.34}};
  for (const Unit& unit : kUnits) {
    if (equal_ignore_case(ctx.args[index], unit.name)) return unit.metres;
  }
  ctx.reply.error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return std::nullopt;
}

void reply_position(ReplyWriter& reply, const GeoPosition& position) {
  reply.array(2);
  reply.long_number(position.longitude);
  reply.long_number(position.latitude);
}

void reply_distance(ReplyWriter& reply, double distance) {
  constexpr int64_t kParts = 10'000;
  const int64_t parts = std::llrint(distance * kParts);
  reply.bulk(fmt::format("{}.{:04}", parts / kParts, parts % kParts));
}

}  // namespace tandem
