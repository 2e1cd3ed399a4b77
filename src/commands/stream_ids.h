// Stream ids as commands write them.
#pragma once

#include <optional>

#include "data/stream_id.h"
#include "engine/context.h"

namespace tandem {

// "5-3", or "5" with the sequence number that the command assumes. Has answered if there is
// nothing.
std::optional<StreamId> stream_id_argument(Context& ctx, size_t index, uint64_t missing_seq);

// One end of XRANGE: also "-", "+" and "(5-3", which leaves the id itself out.
enum class RangeEnd : uint8_t { kStart, kStop };
std::optional<StreamId> stream_bound_argument(Context& ctx, size_t index, RangeEnd end);

// XADD's: "*" takes the time, "5-*" the next sequence number.
struct NewStreamId {
  std::optional<uint64_t> ms;
  std::optional<uint64_t> seq;
};
std::optional<NewStreamId> new_stream_id_argument(Context& ctx, size_t index);

}  // namespace tandem
