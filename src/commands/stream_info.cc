// What a stream, its groups and their consumers are at: XINFO, XPENDING.
#include <optional>
#include <string>

#include "base/error_text.h"
#include "commands/arguments.h"
#include "commands/stream_parts.h"
#include "commands/table.h"
#include "data/stream.h"
#include "engine/context.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// ---- XPENDING ----

// A part of what is pending, by id.
struct PendingRange {
  int64_t min_idle_ms = 0;
  StreamId first;
  StreamId last;
  uint64_t count_max = 0;
  std::optional<Bytes> consumer;
};

// [IDLE min-idle-time] start end count [consumer]. What is behind the consumer nobody looks at.
std::optional<PendingRange> parse_pending_range(Context& ctx) {
  PendingRange range;
  size_t at = 3;
  if (equal_ignore_case(ctx.args[3], "IDLE")) {
    const std::optional<int64_t> min_idle_ms = integer_argument(ctx, 4);
    if (!min_idle_ms) return std::nullopt;
    range.min_idle_ms = *min_idle_ms;
    at = 5;
  }
  if (ctx.args.size() < at + 3) {
    ctx.reply.error(kSyntaxError);
    return std::nullopt;
  }
  const std::optional<int64_t> count = integer_argument(ctx, at + 2);
  if (!count) return std::nullopt;
  range.count_max = *count < 0 ? 0 : static_cast<uint64_t>(*count);
  const std::optional<StreamId> first = stream_bound_argument(ctx, at, RangeEnd::kStart);
  if (!first) return std::nullopt;
  const std::optional<StreamId> last = stream_bound_argument(ctx, at + 1, RangeEnd::kStop);
  if (!last) return std::nullopt;
  range.first = *first;
  range.last = *last;
  if (ctx.args.size() > at + 3) range.consumer = ctx.args[at + 3];
  return range;
}

// [count, least id, greatest id, [[consumer, count as text], ...]]
void reply_pending_summary(ReplyWriter& reply, const StreamGroup& group) {
  reply.array(4);
  reply.integer(static_cast<int64_t>(group.pending().size()));
  if (group.pending().empty()) {
    reply.null();
    reply.null();
    return reply.null_array();
  }
  reply.bulk(group.pending().first()->id.text());
  reply.bulk(group.pending().last()->id.text());
  const ReplyWriter::Mark consumers = reply.begin_array();
  int64_t count = 0;
  for (auto consumer = group.consumers().first(); consumer; consumer.next()) {
    if (consumer->pending().empty()) continue;
    ++count;
    reply.array(2);
    reply.bulk(consumer->name());
    reply.bulk_integer(static_cast<int64_t>(consumer->pending().size()));
  }
  reply.end_array(consumers, count);
}

// Visits what is pending in the group from `first` on, or of that what one consumer has, until
// `visit` returns false.
void for_each_pending(const StreamGroup& group, const StreamConsumer* consumer, StreamId first,
                      FunctionRef<bool(const PendingEntry&)> visit) {
  if (consumer == nullptr) {
    for (auto entry = group.pending().at_or_after(first); entry && visit(*entry);) entry.next();
    return;
  }
  for (auto id = consumer->pending().at_or_after(first); id && visit(*group.pending().find(*id));) {
    id.next();
  }
}

// [[id, consumer, milliseconds since the delivery, deliveries], ...]
void reply_pending(Context& ctx, const StreamGroup& group, const PendingRange& range) {
  const StreamConsumer* consumer = nullptr;
  if (range.consumer) {
    consumer = group.consumers().find(*range.consumer);
    if (consumer == nullptr) return ctx.reply.array(0);
  }
  const ReplyWriter::Mark entries = ctx.reply.begin_array();
  uint64_t count = 0;
  for_each_pending(group, consumer, range.first, [&](const PendingEntry& entry) {
    if (count == range.count_max || entry.id > range.last) return false;
    if (!is_idle(ctx, entry, range.min_idle_ms)) return true;
    ++count;
    ctx.reply.array(4);
    ctx.reply.bulk(entry.id.text());
    ctx.reply.bulk(*entry.consumer);
    ctx.reply.integer(elapsed_ms(ctx, entry.delivery_time_ms));
    ctx.reply.integer(static_cast<int64_t>(entry.delivery_count));
    return true;
  });
  ctx.reply.end_array(entries, static_cast<int64_t>(count));
}

void xpending(Context& ctx) {
  constexpr size_t kSummaryArguments = 3;
  const size_t arguments = ctx.args.size();
  const bool summary = arguments == kSummaryArguments;
  if (!summary && (arguments < 6 || arguments > 9)) return ctx.reply.error(kSyntaxError);
  std::optional<PendingRange> range;
  if (!summary && !(range = parse_pending_range(ctx))) return;
  const Stream* stream;
  if (!ctx.keys.read(ctx.args[1], stream)) return ctx.reply.error(kWrongType);
  const StreamGroup* group = stream == nullptr ? nullptr : stream->groups().find(ctx.args[2]);
  if (group == nullptr) {
    return ctx.reply.error(
        error_text("NOGROUP No such key '{}' or consumer group '{}'", ctx.args[1], ctx.args[2]));
  }
  range ? reply_pending(ctx, *group, *range) : reply_pending_summary(ctx.reply, *group);
}

// ---- XINFO <subcommand> <key> ... ----

// Has answered if it is null.
const Stream* stream_argument(Context& ctx) {
  const Stream* stream;
  if (!ctx.keys.read(ctx.args[2], stream)) {
    ctx.reply.error(kWrongType);
    return nullptr;
  }
  if (stream == nullptr) ctx.reply.error(kNoSuchKey);
  return stream;
}

void reply_number_or_null(ReplyWriter& reply, std::optional<int64_t> number) {
  number ? reply.integer(*number) : reply.null();
}

// Where a group stands: four pairs of a map.
void reply_progress(ReplyWriter& reply, const Stream& stream, const StreamGroup& group) {
  std::optional<int64_t> read;
  if (group.entries_read() != StreamGroup::kEntriesReadUnknown) read = group.entries_read();
  reply.bulk("last-delivered-id");
  reply.bulk(group.last_id().text());
  reply.bulk("entries-read");
  reply_number_or_null(reply, read);
  reply.bulk("lag");
  reply_number_or_null(reply, stream.lag(group));
}

void reply_count(ReplyWriter& reply, Bytes name, uint64_t count) {
  reply.bulk(name);
  reply.integer(static_cast<int64_t>(count));
}

void xinfo_groups(Context& ctx) {
  const Stream* stream = stream_argument(ctx);
  if (stream == nullptr) return;
  ctx.reply.array(static_cast<int64_t>(stream->groups().size()));
  for (auto group = stream->groups().first(); group; group.next()) {
    ctx.reply.map(6);
    ctx.reply.bulk("name");
    ctx.reply.bulk(group->name());
    reply_count(ctx.reply, "consumers", group->consumers().size());
    reply_count(ctx.reply, "pending", group->pending().size());
    reply_progress(ctx.reply, *stream, *group);
  }
}

void xinfo_consumers(Context& ctx) {
  const Stream* stream = stream_argument(ctx);
  if (stream == nullptr) return;
  const StreamGroup* group = stream->groups().find(ctx.args[3]);
  if (group == nullptr) {
    return ctx.reply.error(error_text("NOGROUP No such consumer group '{}' for key name '{}'",
                                      ctx.args[3], ctx.args[2]));
  }
  ctx.reply.array(static_cast<int64_t>(group->consumers().size()));
  for (auto consumer = group->consumers().first(); consumer; consumer.next()) {
    const bool was_active = consumer->active_time_ms != StreamConsumer::kNeverActive;
    ctx.reply.map(4);
    ctx.reply.bulk("name");
    ctx.reply.bulk(consumer->name());
    reply_count(ctx.reply, "pending", consumer->pending().size());
    ctx.reply.bulk("idle");
    ctx.reply.integer(elapsed_ms(ctx, consumer->seen_time_ms));
    ctx.reply.bulk("inactive");
    ctx.reply.integer(was_active ? elapsed_ms(ctx, consumer->active_time_ms)
                                 : StreamConsumer::kNeverActive);
  }
}

// Seven pairs of a map. Redis counts the nodes of a radix tree, which has one more than its keys as
// long as it has but one.
void reply_stream(ReplyWriter& reply, const Stream& stream) {
  reply_count(reply, "length", stream.length());
  reply_count(reply, "radix-tree-keys", stream.nodes().size());
  reply_count(reply, "radix-tree-nodes", stream.nodes().size() + 1);
  reply.bulk("last-generated-id");
  reply.bulk(stream.last_id().text());
  reply.bulk("max-deleted-entry-id");
  reply.bulk(stream.max_deleted_id().text());
  reply_count(reply, "entries-added", stream.entries_added());
  reply.bulk("recorded-first-entry-id");
  reply.bulk(stream.first_id().text());
}

void reply_entry_or_null(ReplyWriter& reply, const Stream& stream, std::optional<StreamId> id) {
  if (!id || !reply_entry(reply, stream, *id)) reply.null();
}

void reply_stream_summary(ReplyWriter& reply, const Stream& stream) {
  reply.map(10);
  reply_stream(reply, stream);
  reply_count(reply, "groups", stream.groups().size());
  reply.bulk("first-entry");
  reply_entry_or_null(reply, stream, stream.first_id());
  reply.bulk("last-entry");
  reply_entry_or_null(reply, stream, stream.last_live_id());
}

// [[id, (consumer,) delivery time, deliveries], ...], `count_max` of them; 0: all.
void reply_full_pending(ReplyWriter& reply, const StreamGroup& group,
                        const StreamConsumer* consumer, uint64_t count_max) {
  const ReplyWriter::Mark entries = reply.begin_array();
  uint64_t count = 0;
  for_each_pending(group, consumer, kStreamIdMin, [&](const PendingEntry& entry) {
    reply.array(consumer == nullptr ? 4 : 3);
    reply.bulk(entry.id.text());
    if (consumer == nullptr) reply.bulk(*entry.consumer);
    reply.integer(entry.delivery_time_ms);
    reply.integer(static_cast<int64_t>(entry.delivery_count));
    return ++count != count_max;
  });
  reply.end_array(entries, static_cast<int64_t>(count));
}

void reply_full_consumer(ReplyWriter& reply, const StreamGroup& group,
                         const StreamConsumer& consumer, uint64_t count_max) {
  reply.map(5);
  reply.bulk("name");
  reply.bulk(consumer.name());
  reply.bulk("seen-time");
  reply.integer(consumer.seen_time_ms);
  reply.bulk("active-time");
  reply.integer(consumer.active_time_ms);
  reply_count(reply, "pel-count", consumer.pending().size());
  reply.bulk("pending");
  reply_full_pending(reply, group, &consumer, count_max);
}

void reply_full_group(ReplyWriter& reply, const Stream& stream, const StreamGroup& group,
                      uint64_t count_max) {
  reply.map(7);
  reply.bulk("name");
  reply.bulk(group.name());
  reply_progress(reply, stream, group);
  reply_count(reply, "pel-count", group.pending().size());
  reply.bulk("pending");
  reply_full_pending(reply, group, nullptr, count_max);
  reply.bulk("consumers");
  reply.array(static_cast<int64_t>(group.consumers().size()));
  for (auto consumer = group.consumers().first(); consumer; consumer.next()) {
    reply_full_consumer(reply, group, *consumer, count_max);
  }
}

void reply_full_stream(ReplyWriter& reply, const Stream& stream, uint64_t count_max) {
  reply.map(9);
  reply_stream(reply, stream);
  reply.bulk("entries");
  reply_entries(reply, stream, {.count_max = count_max});
  reply.bulk("groups");
  reply.array(static_cast<int64_t>(stream.groups().size()));
  for (auto group = stream.groups().first(); group; group.next()) {
    reply_full_group(reply, stream, *group, count_max);
  }
}

// FULL, or FULL COUNT n: how many of each are shown.
std::optional<uint64_t> full_count_argument(Context& ctx) {
  constexpr uint64_t kCountByDefault = 10;
  OptionWords words(ctx, 3);
  const bool full = words.take("FULL");
  if (full && words.done()) return kCountByDefault;
  if (!full || ctx.args.size() != 6 || !words.take("COUNT", 1)) {
    reply_subcommand_syntax(ctx, "xinfo");
    return std::nullopt;
  }
  const std::optional<int64_t> count = words.integer();
  if (!count) return std::nullopt;
  return *count < 0 ? kCountByDefault : static_cast<uint64_t>(*count);
}

void xinfo_stream(Context& ctx) {
  const Stream* stream = stream_argument(ctx);
  if (stream == nullptr) return;
  if (ctx.args.size() == 3) return reply_stream_summary(ctx.reply, *stream);
  const std::optional<uint64_t> count_max = full_count_argument(ctx);
  if (count_max) reply_full_stream(ctx.reply, *stream, *count_max);
}

constexpr Bytes kInfoHelp[] = {
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
};

void xinfo_help(Context& ctx) { write_help(ctx.reply, "xinfo", kInfoHelp); }

// clang-format off: a row is a record
std::vector<CommandRow> info_subcommands() {
  return {
      {.name = "consumers", .arity = 4, .flags = kReadOnly, .keys = {key_at(2, "RO access")},
       .handler = xinfo_consumers, .group = "stream", .tips = "nondeterministic_output",
       .since = "5.0.0",
       .history = "7.2.0 Tells inactive, and idle since the last attempt, not the last success",
       .complexity = "O(1)", .summary = "Lists the consumers of a group", .syntax = "key group"},
      {.name = "groups", .arity = 3, .flags = kReadOnly, .keys = {key_at(2, "RO access")},
       .handler = xinfo_groups, .group = "stream", .since = "5.0.0",
       .history = "7.0.0 Tells entries-read and lag", .complexity = "O(1)",
       .summary = "Lists the consumer groups of a stream", .syntax = "key"},
      {.name = "stream", .arity = -3, .flags = kReadOnly, .keys = {key_at(2, "RO access")},
       .handler = xinfo_stream, .group = "stream", .since = "5.0.0",
       .history = "6.0.0 Takes FULL; 7.0.0 Tells what was deleted and added, entries-read and lag; "
                  "7.2.0 Tells active-time, and seen-time since the last attempt",
       .complexity = "O(1)", .summary = "Describes a stream",
       .syntax = "key full-block:[FULL [COUNT count]]"},
      {.name = "help", .arity = 2, .flags = kLoading | kStale, .handler = xinfo_help,
       .group = "stream", .since = "5.0.0", .complexity = "O(1)",
       .summary = "Lists the subcommands"},
  };
}

}  // namespace

std::vector<CommandRow> stream_info_rows() {
  return {
      {.name = "xpending", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = xpending, .group = "stream", .tips = "nondeterministic_output",
       .since = "5.0.0", .history = "6.2.0 Takes IDLE, and an end may be excluded",
       .complexity = "O(N) for N entries returned, or left out as not idle; O(N) for N consumers "
                     "without a range",
       .summary = "Tells which entries of a group are pending, and with whom",
       .syntax = "key group filters:[[IDLE min-idle-time:integer]@6.2.0 start:string end:string "
                 "count [consumer]]"},
      {.name = "xinfo", .arity = -2, .group = "stream", .since = "5.0.0",
       .complexity = "Depends on the subcommand",
       .summary = "Looks into a stream, its groups and their consumers",
       .subcommands = info_subcommands()},
  };
}
// clang-format on

}  // namespace tandem
