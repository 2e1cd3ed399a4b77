// What the commands of streams share: ids as they write them, entries as they show them.
#pragma once

#include <cstdint>
#include <optional>

#include "data/stream.h"
#include "data/stream_id.h"
#include "engine/context.h"
#include "resp/reply_writer.h"

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

struct EntryRange {
  StreamId first;
  StreamId last;
  bool backwards = false;
  uint64_t count_max = 0;  // 0: no limit
};

// [[id, [field, value, ...]], ...]
void reply_entries(ReplyWriter& reply, const Stream& stream, const EntryRange& range);

}  // namespace tandem
