// XREAD and XREADGROUP, which may wait.
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/error_text.h"
#include "commands/arguments.h"
#include "commands/stream_parts.h"
#include "commands/table.h"
#include "data/stream.h"
#include "engine/context.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

constexpr Bytes kNewsOnly = ">";
constexpr Bytes kFromNowOn = "$";

// XREADGROUP reads as a consumer of a group.
struct Reader {
  Bytes group;
  Bytes consumer;
};

struct ReadRequest {
  std::optional<Reader> reader;
  bool acknowledged = false;  // NOACK: what is delivered does not become pending
  uint64_t count_max = 0;     // 0: no limit
  bool may_wait = false;
  int64_t deadline_ms = 0;
  size_t first_key = 0;
  size_t streams = 0;

  Bytes key(const Context& ctx, size_t number) const { return ctx.args[first_key + number]; }
  size_t id_index(size_t number) const { return first_key + streams + number; }
};

enum class Reads : uint8_t { kForAll, kForGroup };

// The words that only XREADGROUP takes. False: it is none of them, or has answered.
bool take_reader_words(OptionWords& words, ReadRequest& request) {
  if (words.take("GROUP", 2)) {
    const Bytes group = words.text();
    request.reader = Reader{.group = group, .consumer = words.text()};
    return true;
  }
  if (!words.take("NOACK")) return false;
  request.acknowledged = true;
  return true;
}

bool refuse_reader_words(Context& ctx, OptionWords& words) {
  const bool group = words.take("GROUP", 2);
  if (!group && !words.take("NOACK")) return false;
  ctx.reply.error(
      fmt::format("ERR The {} option is only supported by XREADGROUP. You called XREAD instead.",
                  group ? "GROUP" : "NOACK"));
  return true;
}

// The words up to STREAMS, which is not found if there is a fault. Has answered if false.
bool parse_words(Context& ctx, Reads reads, ReadRequest& request) {
  for (OptionWords words(ctx, 1); !words.done() && request.first_key == 0;) {
    if (words.take("BLOCK", 1)) {
      if (ctx.from_script) {
        ctx.reply.error(error_text("ERR {} command is not allowed with BLOCK option from scripts",
                                   ctx.args[0]));
        return false;
      }
      const std::optional<int64_t> deadline_ms = deadline_ms_argument(ctx, words.position());
      if (!deadline_ms) return false;
      words.text();
      request.may_wait = true;
      request.deadline_ms = *deadline_ms;
    } else if (words.take("COUNT", 1)) {
      const std::optional<int64_t> count = words.integer();
      if (!count) return false;
      request.count_max = *count < 0 ? 0 : static_cast<uint64_t>(*count);
    } else if (words.take("STREAMS", 1)) {
      request.first_key = words.position();
    } else if (reads == Reads::kForAll && refuse_reader_words(ctx, words)) {
      return false;
    } else if (reads == Reads::kForAll || !take_reader_words(words, request)) {
      break;
    }
  }
  return true;
}

bool parse_read(Context& ctx, Reads reads, ReadRequest& request) {
  if (!parse_words(ctx, reads, request)) return false;
  if (request.first_key == 0) {
    ctx.reply.error(kSyntaxError);
    return false;
  }
  const size_t left = ctx.args.size() - request.first_key;
  if (left % 2 != 0) {
    ctx.reply.error(fmt::format(
        "ERR Unbalanced '{}' list of streams: for each stream key an ID or '{}' must be specified.",
        ctx.command.full_name, reads == Reads::kForAll ? kFromNowOn : kNewsOnly));
    return false;
  }
  request.streams = left / 2;
  if (reads == Reads::kForGroup && !request.reader) {
    ctx.reply.error("ERR Missing GROUP option for XREADGROUP");
    return false;
  }
  return true;
}

// The reply is an array of pairs, or a map.
void begin_stream(Context& ctx, Bytes key) {
  if (ctx.reply.protocol() == 2) ctx.reply.array(2);
  ctx.reply.bulk(key);
}

void end_streams(Context& ctx, ReplyWriter::Mark streams, int64_t count) {
  ctx.reply.protocol() == 2 ? ctx.reply.end_array(streams, count)
                            : ctx.reply.end_map(streams, count);
}

// A stream to read, null if its key is absent, and the id to read after.
struct Source {
  Bytes key;
  const Stream* stream = nullptr;
  StreamId after;

  bool has_news() const { return stream != nullptr && stream->last_live_id() > after; }
};

std::optional<Source> source_argument(Context& ctx, const ReadRequest& request, size_t number) {
  Source source{.key = request.key(ctx, number), .stream = nullptr, .after = {}};
  if (!ctx.keys.read(source.key, source.stream)) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  const size_t id_index = request.id_index(number);
  if (ctx.args[id_index] == kFromNowOn) {
    if (source.stream != nullptr) source.after = source.stream->last_id();
    return source;
  }
  if (ctx.args[id_index] == kNewsOnly) {
    ctx.reply.error(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP "
        "<group> <consumer> option.");
    return std::nullopt;
  }
  const std::optional<StreamId> id = stream_id_argument(ctx, id_index, 0);
  if (!id) return std::nullopt;
  source.after = *id;
  return source;
}

// While it waits, $ means the last id of the moment when it began.
void wait_for_news(Context& ctx, const ReadRequest& request, const std::vector<Source>& sources) {
  BlockRequest wait{
      .keys = {}, .type = ValueType::kStream, .deadline_ms = request.deadline_ms, .args = {}};
  wait.args.assign(ctx.args.begin(), ctx.args.end());
  for (size_t i = 0; i < sources.size(); ++i) {
    wait.keys.emplace_back(sources[i].key);
    wait.args[request.id_index(i)] = sources[i].after.text();
  }
  ctx.block(std::move(wait));
}

void xread(Context& ctx) {
  ReadRequest request;
  if (!parse_read(ctx, Reads::kForAll, request)) return;
  std::vector<Source> sources;
  for (size_t i = 0; i < request.streams; ++i) {
    const std::optional<Source> source = source_argument(ctx, request, i);
    if (!source) return;
    sources.push_back(*source);
  }
  const ReplyWriter::Mark streams = ctx.reply.begin_array();
  int64_t with_news = 0;
  for (const Source& source : sources) {
    if (!source.has_news()) continue;
    ++with_news;
    begin_stream(ctx, source.key);
    reply_entries(ctx.reply, *source.stream,
                  {.first = *source.after.next(), .count_max = request.count_max});
  }
  if (with_news != 0) return end_streams(ctx, streams, with_news);
  request.may_wait ? wait_for_news(ctx, request, sources) : ctx.reply.null_array();
}

// ---- As a consumer of a group. ----

// What a consumer wants of a stream: the ids after this one of what is pending with it, its
// history; or nothing, for news.
struct Wanted {
  std::optional<StreamId> after;
};

std::optional<Wanted> wanted_argument(Context& ctx, const ReadRequest& request, size_t number) {
  const Bytes key = request.key(ctx, number);
  const Stream* stream;
  if (!ctx.keys.read(key, stream)) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  if (stream == nullptr || stream->groups().find(request.reader->group) == nullptr) {
    ctx.reply.error(error_text(
        "NOGROUP No such key '{}' or consumer group '{}' in XREADGROUP with GROUP option", key,
        request.reader->group));
    return std::nullopt;
  }
  const Bytes id_text = ctx.args[request.id_index(number)];
  if (id_text == kFromNowOn) {
    ctx.reply.error(
        "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of "
        "this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID "
        "would just return an empty result set.");
    return std::nullopt;
  }
  if (id_text == kNewsOnly) return Wanted{};
  const std::optional<StreamId> id = stream_id_argument(ctx, request.id_index(number), 0);
  if (!id) return std::nullopt;
  // Nothing can be after it: as in Redis, it asks for news.
  return *id == kStreamIdMax ? Wanted{} : Wanted{.after = id};
}

// One stream, read by a consumer. Lives for one step of the command.
class GroupRead {
 public:
  GroupRead(Context& ctx, const ReadRequest& request, Bytes key)
      : ctx_(ctx),
        request_(request),
        key_(key),
        edit_(ctx.keys, key),
        stream_(edit_.change()),
        group_(*stream_.write_group(request.reader->group)),
        attendant_(attend(ctx, key, group_, request.reader->consumer)) {
    if (attendant_.is_new && request.acknowledged) {
      ctx.replicate({"XGROUP", "CREATECONSUMER", key, group_.name(), request.reader->consumer});
    }
  }

  // False: there is nothing to answer about this stream.
  bool read(const Wanted& wanted) {
    const bool served = wanted.after || stream_.last_live_id() > group_.last_id();
    if (served) {
      begin_stream(ctx_, key_);
      wanted.after ? show_history(*wanted.after) : deliver_news();
    }
    const uint64_t changes = (attendant_.is_new ? 1 : 0) + (served ? 1 : 0);
    edit_.done_quietly(changes, Effect::none());
    return served;
  }

 private:
  void deliver_news() {
    const ReplyWriter::Mark entries = ctx_.reply.begin_array();
    uint64_t count = 0;
    stream_.for_each(*group_.last_id().next(), kStreamIdMax, false,
                     [&](StreamId id, std::span<const Element> fields_and_values) {
                       stream_.note_delivery(group_, id);
                       reply_entry(ctx_.reply, id, fields_and_values);
                       if (!request_.acknowledged) make_pending(id);
                       return ++count != request_.count_max;
                     });
    ctx_.reply.end_array(entries, static_cast<int64_t>(count));
    if (request_.acknowledged) replicate_position(ctx_, key_, group_);
  }

  void make_pending(StreamId id) {
    StreamConsumer& consumer = attendant_.consumer;
    group_.assign(id, consumer, ctx_.now_ms, 1);
    consumer.active_time_ms = ctx_.now_ms;
    replicate_claim(ctx_, key_, group_, id.text(), *group_.pending().find(id));
  }

  // What the stream has no more is shown as null, so that it can be acknowledged.
  void show_history(StreamId after) {
    const StreamConsumer& consumer = attendant_.consumer;
    const ReplyWriter::Mark entries = ctx_.reply.begin_array();
    uint64_t count = 0;
    for (auto id = consumer.pending().at_or_after(*after.next()); id; id.next()) {
      show_again(*id);
      if (++count == request_.count_max) break;
    }
    ctx_.reply.end_array(entries, static_cast<int64_t>(count));
  }

  void show_again(StreamId id) {
    if (!reply_entry(ctx_.reply, stream_, id)) {
      ctx_.reply.array(2);
      ctx_.reply.bulk(id.text());
      return ctx_.reply.null_array();
    }
    const uint64_t count = group_.pending().find(id)->delivery_count + 1;
    group_.assign(id, attendant_.consumer, ctx_.now_ms, count);
  }

  Context& ctx_;
  const ReadRequest& request_;
  const Bytes key_;
  Edit<Stream> edit_;
  Stream& stream_;
  StreamGroup& group_;
  const Attendant attendant_;
};

// Who waits is served in its turn: the first takes the entry, and the others go on waiting.
void wait_for_delivery(Context& ctx, const ReadRequest& request) {
  BlockRequest wait{.type = ValueType::kStream,
                    .deadline_ms = request.deadline_ms,
                    .needs_keys = true,
                    .args = {}};
  for (size_t i = 0; i < request.streams; ++i) wait.keys.emplace_back(request.key(ctx, i));
  ctx.block(std::move(wait));
}

void xreadgroup(Context& ctx) {
  ReadRequest request;
  if (!parse_read(ctx, Reads::kForGroup, request)) return;
  std::vector<Wanted> wanted;
  for (size_t i = 0; i < request.streams; ++i) {
    const std::optional<Wanted> of_stream = wanted_argument(ctx, request, i);
    if (!of_stream) return;
    wanted.push_back(*of_stream);
  }
  const ReplyWriter::Mark streams = ctx.reply.begin_array();
  int64_t served = 0;
  for (size_t i = 0; i < request.streams; ++i) {
    served += GroupRead(ctx, request, request.key(ctx, i)).read(wanted[i]) ? 1 : 0;
  }
  if (served != 0) return end_streams(ctx, streams, served);
  request.may_wait ? wait_for_delivery(ctx, request) : ctx.reply.null_array();
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> stream_read_rows() {
  return {
      {.name = "xread", .arity = -4,
       .flags = kReadOnly | kBlocking | kMovableKeys,
       .keys = {KeySpec{.use = "RO access", .begin = 1,
                .begin_keyword = "STREAMS", .last = -1, .step = 1, .limit = 2}}, .handler = xread,
       .group = "stream", .since = "5.0.0", .complexity = "O(N) for N entries",
       .summary = "Returns entries after an id from several streams, waiting for them if asked",
       .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]"},
      {.name = "xreadgroup", .arity = -7,
       .flags = kWrite | kBlocking | kMovableKeys,
       .keys = {KeySpec{.use = "RO access", .begin = 4,
                .begin_keyword = "STREAMS", .last = -1, .step = 1, .limit = 2}},
       .handler = xreadgroup, .group = "stream", .since = "5.0.0",
       .complexity = "O(N) for N entries returned; for XADD, O(N) for N clients that wait",
       .summary = "Returns entries to a consumer of a group: new ones, waiting for them if asked, "
                  "or those that are pending with it",
       .syntax = "group-block:GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] "
                 "STREAMS key [key ...] id [id ...]"},
  };
}
// clang-format on

}  // namespace tandem
