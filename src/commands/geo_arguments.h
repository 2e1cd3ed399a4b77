// What the commands on geo indexes share: reading places and units, and answering with them. Like
// those of commands/arguments.h, what returns nothing has written the error reply.
#pragma once

#include <optional>

#include "data/geohash.h"
#include "engine/context.h"

namespace tandem {

// Longitude and latitude.
std::optional<GeoPosition> position_argument(Context& ctx, size_t first);
// How many metres a unit has: M, KM, FT or MI.
std::optional<double> unit_argument(Context& ctx, size_t index);

void reply_position(ReplyWriter& reply, const GeoPosition& position);
void reply_distance(ReplyWriter& reply, double distance);  // four decimals

}  // namespace tandem
