// XREAD, which may wait. While it waits, $ means the last id of the moment when it began.
#include "commands/arguments.h"
#include "commands/rows.h"
#include "commands/stream_parts.h"

namespace tandem {
namespace {

struct ReadRequest {
  uint64_t count_max = 0;
  bool may_wait = false;
  int64_t deadline_ms = 0;
  size_t first_key = 0;
  size_t streams = 0;
};

bool parse_read(Context& ctx, ReadRequest& request) {
  OptionWords words(ctx, 1);
  while (!words.done() && request.first_key == 0) {
    if (words.take("BLOCK", 1)) {
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
    } else if (words.take("GROUP", 2)) {
      ctx.reply.error(
          "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
      return false;
    } else if (words.take("NOACK")) {
      ctx.reply.error(
          "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
      return false;
    } else {
      break;
    }
  }
  if (request.first_key == 0) {
    ctx.reply.error(kSyntaxError);
    return false;
  }
  const size_t left = ctx.args.size() - request.first_key;
  if (left % 2 != 0) {
    ctx.reply.error(
        "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be "
        "specified.");
    return false;
  }
  request.streams = left / 2;
  return true;
}

// A stream to read, null if its key is absent, and the id to read after.
struct Source {
  Bytes key;
  const Stream* stream = nullptr;
  StreamId after;

  bool has_news() const { return stream != nullptr && stream->last_live_id() > after; }
};

std::optional<Source> source_argument(Context& ctx, const ReadRequest& request, size_t number) {
  const size_t id_index = request.first_key + request.streams + number;
  Source source{.key = ctx.args[request.first_key + number], .stream = nullptr, .after = {}};
  if (!ctx.keys.read(source.key, source.stream)) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  if (ctx.args[id_index] == "$") {
    if (source.stream != nullptr) source.after = source.stream->last_id();
    return source;
  }
  if (ctx.args[id_index] == ">") {
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

void wait_for_news(Context& ctx, const ReadRequest& request, const std::vector<Source>& sources) {
  BlockRequest wait{
      .keys = {}, .type = ValueType::kStream, .deadline_ms = request.deadline_ms, .args = {}};
  wait.args.assign(ctx.args.begin(), ctx.args.end());
  for (size_t i = 0; i < sources.size(); ++i) {
    wait.keys.emplace_back(sources[i].key);
    wait.args[request.first_key + request.streams + i] = sources[i].after.text();
  }
  ctx.block(std::move(wait));
}

void xread(Context& ctx) {
  ReadRequest request;
  if (!parse_read(ctx, request)) return;
  std::vector<Source> sources;
  int64_t with_news = 0;
  for (size_t i = 0; i < request.streams; ++i) {
    const std::optional<Source> source = source_argument(ctx, request, i);
    if (!source) return;
    sources.push_back(*source);
    with_news += source->has_news() ? 1 : 0;
  }
  if (with_news == 0) {
    return request.may_wait ? wait_for_news(ctx, request, sources) : ctx.reply.null_array();
  }
  const bool as_map = ctx.reply.protocol() > 2;
  as_map ? ctx.reply.map(with_news) : ctx.reply.array(with_news);
  for (const Source& source : sources) {
    if (!source.has_news()) continue;
    if (!as_map) ctx.reply.array(2);
    ctx.reply.bulk(source.key);
    reply_entries(ctx.reply, *source.stream,
                  {.first = *source.after.next(),
                   .last = kStreamIdMax,
                   .backwards = false,
                   .count_max = request.count_max});
  }
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> stream_read_rows() {
  return {
      {.name = "xread", .arity = -4,
       .flags = kReadOnly | kBlocking | kMovableKeys | kBlocksByOption,
       .keys = {KeySpec{.flags = "RO access", .begin = 1,
                .begin_keyword = "STREAMS", .last = -1, .step = 1, .limit = 2}}, .handler = xread,
       .group = "stream", .since = "5.0.0", .complexity = "O(N) for N entries",
       .summary = "Returns entries after an id from several streams, waiting for them if asked",
       .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]"},
  };
}
// clang-format on

}  // namespace tandem
