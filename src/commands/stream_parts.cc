#include "commands/stream_parts.h"

#include <limits>
#include <string>
#include <vector>

#include "base/number.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

constexpr Bytes kInvalidId = "ERR Invalid stream ID specified as stream command argument";
constexpr size_t kIdTextMax = 127;

// What strtoull takes: spaces and a sign may lead, and zeros; below zero it counts down from the
// top. Only a plain negative number is refused.
std::optional<uint64_t> parse_part(Bytes text) {
  if (parse_int64(text).value_or(0) < 0) return std::nullopt;
  while (!text.empty() && ascii_space(text.front())) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::optional<uint64_t> value = parse_uint64(without_leading_zeros(text));
  return value && negative ? uint64_t{0} - *value : value;
}

std::optional<NewStreamId> parse_id(Bytes text, bool may_be_open) {
  if (text.size() > kIdTextMax) return std::nullopt;
  text = text.substr(0, text.find('\0'));
  const size_t dash = text.find('-');
  const std::optional<uint64_t> ms = parse_part(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == Bytes::npos) return NewStreamId{.ms = ms, .seq = std::nullopt};
  const Bytes seq_text = text.substr(dash + 1);
  if (may_be_open && seq_text == "*") return NewStreamId{.ms = ms, .seq = std::nullopt};
  const std::optional<uint64_t> seq = parse_part(seq_text);
  if (!seq) return std::nullopt;
  return NewStreamId{.ms = ms, .seq = seq};
}

std::optional<StreamId> parse_or_reply(Context& ctx, Bytes text, uint64_t missing_seq) {
  const std::optional<StreamId> id = parse_stream_id(text, missing_seq);
  if (!id) ctx.reply.error(kInvalidId);
  return id;
}

}  // namespace

std::optional<StreamId> parse_stream_id(Bytes text, uint64_t missing_seq) {
  const std::optional<NewStreamId> id = parse_id(text, false);
  if (!id) return std::nullopt;
  return StreamId{.ms = *id->ms, .seq = id->seq.value_or(missing_seq)};
}

std::optional<StreamId> stream_id_argument(Context& ctx, size_t index, uint64_t missing_seq) {
  return parse_or_reply(ctx, ctx.args[index], missing_seq);
}

std::optional<std::vector<StreamId>> stream_id_arguments(Context& ctx, size_t first) {
  std::vector<StreamId> ids;
  for (size_t i = first; i < ctx.args.size(); ++i) {
    const std::optional<StreamId> id = stream_id_argument(ctx, i, 0);
    if (!id) return std::nullopt;
    ids.push_back(*id);
  }
  return ids;
}

std::optional<StreamId> stream_bound_argument(Context& ctx, size_t index, RangeEnd end) {
  Bytes text = ctx.args[index];
  const bool start = end == RangeEnd::kStart;
  const bool exclusive = text.size() > 1 && text.front() == '(';
  if (exclusive) text.remove_prefix(1);
  if (!exclusive && text == "-") return kStreamIdMin;
  if (!exclusive && text == "+") return kStreamIdMax;
  const uint64_t missing_seq = start ? 0 : std::numeric_limits<uint64_t>::max();
  const std::optional<StreamId> id = parse_or_reply(ctx, text, missing_seq);
  if (!id || !exclusive) return id;
  const std::optional<StreamId> inside = start ? id->next() : id->previous();
  if (!inside) {
    ctx.reply.error(start ? "ERR invalid start ID for the interval"
                          : "ERR invalid end ID for the interval");
  }
  return inside;
}

std::optional<NewStreamId> new_stream_id_argument(Context& ctx, size_t index) {
  const Bytes text = ctx.args[index];
  if (text == "*") return NewStreamId{};
  std::optional<NewStreamId> id = parse_id(text, true);
  if (!id) {
    ctx.reply.error(kInvalidId);
    return std::nullopt;
  }
  // Without a dash the sequence number is 0, not open.
  if (text.find('-') == Bytes::npos) id->seq = 0;
  return id;
}

void reply_entry(ReplyWriter& reply, StreamId id, std::span<const Element> fields_and_values) {
  reply.array(2);
  reply.bulk(id.text());
  reply.array(static_cast<int64_t>(fields_and_values.size()));
  for (const Element& element : fields_and_values) reply.bulk(element.text());
}

bool reply_entry(ReplyWriter& reply, const Stream& stream, StreamId id) {
  bool found = false;
  stream.for_each(id, id, false, [&](StreamId, std::span<const Element> fields_and_values) {
    reply_entry(reply, id, fields_and_values);
    found = true;
    return false;
  });
  return found;
}

void reply_entries(ReplyWriter& reply, const Stream& stream, const EntryRange& range) {
  const ReplyWriter::Mark array = reply.begin_array();
  uint64_t count = 0;
  stream.for_each(range.first, range.last, range.backwards,
                  [&](StreamId id, std::span<const Element> fields_and_values) {
                    reply_entry(reply, id, fields_and_values);
                    return ++count != range.count_max;
                  });
  reply.end_array(array, static_cast<int64_t>(count));
}

Attendant attend(Context& ctx, Bytes key, StreamGroup& group, Bytes name) {
  StreamConsumer* consumer = group.write_consumer(name);
  const bool is_new = consumer == nullptr;
  if (is_new) {
    group.add_consumer(name, ctx.now_ms);
    consumer = group.write_consumer(name);
    ctx.keys.tell(event::kXGroupCreateConsumer, key);
  }
  consumer->seen_time_ms = ctx.now_ms;
  return {.consumer = *consumer, .is_new = is_new};
}

void replicate_claim(Context& ctx, Bytes key, const StreamGroup& group, Bytes id,
                     const PendingEntry& entry) {
  if (!ctx.replicates()) return;
  const std::string time = int64_text(entry.delivery_time_ms);
  const std::string count = int64_text(static_cast<int64_t>(entry.delivery_count));
  ctx.replicate({"XCLAIM", key, group.name(), *entry.consumer, "0", id, "TIME", time, "RETRYCOUNT",
                 count, "FORCE", "JUSTID", "LASTID", group.last_id().text()});
}

void replicate_position(Context& ctx, Bytes key, const StreamGroup& group) {
  if (!ctx.replicates()) return;
  ctx.replicate({"XGROUP", "SETID", key, group.name(), group.last_id().text(), "ENTRIESREAD",
                 int64_text(group.entries_read())});
}

// Times come from clients and files, too, and may be anything: differences wrap around.
int64_t elapsed_ms(const Context& ctx, int64_t time_ms) {
  const auto elapsed =
      static_cast<int64_t>(static_cast<uint64_t>(ctx.now_ms) - static_cast<uint64_t>(time_ms));
  return std::max<int64_t>(elapsed, 0);
}

bool is_idle(const Context& ctx, const PendingEntry& entry, int64_t min_idle_ms) {
  return min_idle_ms <= 0 || elapsed_ms(ctx, entry.delivery_time_ms) >= min_idle_ms;
}

}  // namespace tandem
