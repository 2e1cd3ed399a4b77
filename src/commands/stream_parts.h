// What the commands of streams share: ids as they are written, entries as they are shown, and what
// those about consumer groups do with a group. Functions that return an optional have written the
// error reply when they return nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "data/stream.h"
#include "engine/context.h"

namespace tandem {

// ---- Ids. ----

// An id as XADD takes it: "*" takes the time, "5-*" the next sequence number.
struct NewStreamId {
  std::optional<uint64_t> ms;
  std::optional<uint64_t> seq;
};
std::optional<NewStreamId> new_stream_id_argument(Context& ctx, size_t index);

// "5-3", or "5" with the sequence number that the command assumes. Nothing, without a reply: it is
// no id.
std::optional<StreamId> parse_stream_id(Bytes text, uint64_t missing_seq);
std::optional<StreamId> stream_id_argument(Context& ctx, size_t index, uint64_t missing_seq);
// All arguments from `first` on; the sequence numbers may be missing.
std::optional<std::vector<StreamId>> stream_id_arguments(Context& ctx, size_t first);

// One end of a range: also "-", "+" and "(5-3", which leaves the id itself out.
enum class RangeEnd : uint8_t { kStart, kStop };
std::optional<StreamId> stream_bound_argument(Context& ctx, size_t index, RangeEnd end);

// ---- Entries. ----

// [id, [field, value, ...]]
void reply_entry(ReplyWriter& reply, StreamId id, std::span<const Element> fields_and_values);
// The entry of this id; false: it is not there, and nothing is written.
bool reply_entry(ReplyWriter& reply, const Stream& stream, StreamId id);

struct EntryRange {
  StreamId first = kStreamIdMin;
  StreamId last = kStreamIdMax;
  bool backwards = false;
  uint64_t count_max = 0;  // 0: no limit
};
// [entry, ...]
void reply_entries(ReplyWriter& reply, const Stream& stream, const EntryRange& range);

// ---- Groups. ----

// A consumer that reads or claims now. A new one is made, and told of.
struct Attendant {
  StreamConsumer& consumer;
  bool is_new;
};
Attendant attend(Context& ctx, Bytes key, StreamGroup& group, Bytes name);

// What replicas must execute where an entry has become pending with another consumer, or in another
// way: an XCLAIM that asks nothing. `id` as a client wrote it will do. A replica that has no such
// entry in its stream forgets that it is pending.
void replicate_claim(Context& ctx, Bytes key, const StreamGroup& group, Bytes id,
                     const PendingEntry& entry);
// The same for how far a group has read.
void replicate_position(Context& ctx, Bytes key, const StreamGroup& group);

// How long ago something was, as shown to people who watch clocks: never below 0.
int64_t elapsed_ms(const Context& ctx, int64_t time_ms);
// Whether an entry was left alone for so long.
bool is_idle(const Context& ctx, const PendingEntry& entry, int64_t min_idle_ms);

}  // namespace tandem
