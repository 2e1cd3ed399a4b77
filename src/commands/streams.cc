// Streams: XADD, XTRIM, XDEL, XLEN, XRANGE.
#include <limits>

#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "commands/stream_entries.h"
#include "commands/stream_ids.h"
#include "commands/stream_trims.h"
#include "data/stream.h"

namespace tandem {
namespace {

struct AddRequest {
  bool only_present = false;  // NOMKSTREAM
  TrimWords words;
  NewStreamId id;
  std::span<const Bytes> fields;
};

bool parse_add(Context& ctx, AddRequest& request) {
  OptionWords options(ctx, 2);
  while (!options.done() && options.peek() != "*") {
    const Took took = take_trim_words(ctx, options, request.words);
    if (took == Took::kFailed) return false;
    if (took == Took::kWords) continue;
    if (!options.take("NOMKSTREAM")) break;
    request.only_present = true;
  }
  if (options.done()) {
    wrong_argument_count(ctx);
    return false;
  }
  const std::optional<NewStreamId> id = new_stream_id_argument(ctx, options.position());
  if (!id) return false;
  request.id = *id;
  if (!finish_trim_words(ctx, request.words)) return false;
  request.fields = ctx.args.subspan(options.position() + 1);
  if (request.fields.empty() || request.fields.size() % 2 != 0) {
    wrong_argument_count(ctx);
    return false;
  }
  if (id->ms == 0u && id->seq == 0u) {
    ctx.reply.error("ERR The ID specified in XADD must be greater than 0-0");
    return false;
  }
  return true;
}

// Nothing where no id is left.
std::optional<StreamId> id_for(const NewStreamId& wanted, const Stream& stream, int64_t now_ms) {
  const StreamId last = stream.last_id();
  if (!wanted.ms) return stream.next_id(static_cast<uint64_t>(now_ms));
  if (wanted.seq) return StreamId{.ms = *wanted.ms, .seq = *wanted.seq};
  if (last.ms != *wanted.ms) return StreamId{.ms = *wanted.ms, .seq = 0};
  if (last.seq == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  return StreamId{.ms = last.ms, .seq = last.seq + 1};
}

// Appends the entry and returns its id; has answered if there is nothing.
std::optional<StreamId> append_entry(Context& ctx, Stream& stream, const AddRequest& request) {
  if (stream.last_id() == kStreamIdMax) {
    ctx.reply.error("ERR The stream has exhausted the last possible ID, unable to add more items");
    return std::nullopt;
  }
  const std::optional<StreamId> id = id_for(request.id, stream, ctx.now_ms);
  if (!id || *id <= stream.last_id()) {
    ctx.reply.error(
        "ERR The ID specified in XADD is equal or smaller than the target stream top item");
    return std::nullopt;
  }
  if (!stream.append(*id, request.fields, ctx.keys.limits())) {
    ctx.reply.error("ERR Elements are too large to be stored");
    return std::nullopt;
  }
  return id;
}

void replicate_add(Context& ctx, const Stream& stream, const AddRequest& request, StreamId id) {
  if (!ctx.replicates()) return;
  const std::string id_text = id.text();
  std::vector<std::string> trim;
  if (request.words.trim) trim = exact_trim(stream, *request.words.trim);
  std::vector<Bytes> effect = {"XADD", ctx.args[1]};
  effect.insert(effect.end(), trim.begin(), trim.end());
  effect.emplace_back(id_text);
  effect.insert(effect.end(), request.fields.begin(), request.fields.end());
  ctx.replicate(effect);
}

void xadd(Context& ctx) {
  const Bytes key = ctx.args[1];
  AddRequest request;
  if (!parse_add(ctx, request)) return;
  Stream* stream;
  if (!ctx.keys.write(key, stream)) return ctx.reply.error(kWrongType);
  if (stream == nullptr && request.only_present) return ctx.reply.null();
  // A new stream gets its key only once it has its entry.
  Stream fresh;
  const std::optional<StreamId> id =
      append_entry(ctx, stream != nullptr ? *stream : fresh, request);
  if (!id) return;
  if (stream == nullptr) stream = &install(ctx.keys, key, std::move(fresh));
  if (request.words.trim) stream->trim(*request.words.trim);
  ctx.keys.changed(key);
  replicate_add(ctx, *stream, request, *id);
  ctx.reply.bulk(id->text());
}

void xtrim(Context& ctx) {
  const Bytes key = ctx.args[1];
  TrimWords words;
  for (OptionWords options(ctx, 2); !options.done();) {
    const Took took = take_trim_words(ctx, options, words);
    if (took == Took::kFailed) return;
    if (took == Took::kNothing) return ctx.reply.error(kSyntaxError);
  }
  if (!words.trim && words.limit.value_or(0) == 0) {
    return ctx.reply.error("ERR syntax error, XTRIM must be called with a trimming strategy");
  }
  if (!finish_trim_words(ctx, words)) return;
  Stream* stream;
  if (!ctx.keys.write(key, stream)) return ctx.reply.error(kWrongType);
  if (stream == nullptr) return ctx.reply.integer(0);
  const uint64_t removed = stream->trim(*words.trim);
  if (removed > 0) {
    ctx.keys.changed(key, removed);
    const std::vector<std::string> exact = exact_trim(*stream, *words.trim);
    ctx.replicate({"XTRIM", key, exact[0], exact[1], exact[2]});
  }
  ctx.reply.integer(static_cast<int64_t>(removed));
}

void xdel(Context& ctx) {
  const Bytes key = ctx.args[1];
  Stream* stream;
  if (!ctx.keys.write(key, stream)) return ctx.reply.error(kWrongType);
  if (stream == nullptr) return ctx.reply.integer(0);
  std::vector<StreamId> ids;
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    const std::optional<StreamId> id = stream_id_argument(ctx, i, 0);
    if (!id) return;
    ids.push_back(*id);
  }
  int64_t removed = 0;
  for (const StreamId id : ids) removed += stream->erase(id) ? 1 : 0;
  if (removed > 0) {
    ctx.keys.changed(key, static_cast<uint64_t>(removed));
    ctx.replicate_as_is();
  }
  ctx.reply.integer(removed);
}

void xlen(Context& ctx) {
  const Stream* stream;
  if (!ctx.keys.read(ctx.args[1], stream)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(stream != nullptr ? static_cast<int64_t>(stream->length()) : 0);
}

void reply_range(Context& ctx, bool backwards) {
  const std::optional<StreamId> first =
      stream_bound_argument(ctx, backwards ? 3 : 2, RangeEnd::kStart);
  if (!first) return;
  const std::optional<StreamId> last =
      stream_bound_argument(ctx, backwards ? 2 : 3, RangeEnd::kStop);
  if (!last) return;
  std::optional<int64_t> count;
  for (OptionWords options(ctx, 4); !options.done();) {
    if (!options.take("COUNT", 1)) return ctx.reply.error(kSyntaxError);
    count = options.integer();
    if (!count) return;
  }
  const Stream* stream;
  if (!ctx.keys.read(ctx.args[1], stream)) return ctx.reply.error(kWrongType);
  if (stream == nullptr) return ctx.reply.array(0);
  if (count && *count <= 0) return ctx.reply.null_array();
  reply_entries(ctx.reply, *stream,
                {.first = *first,
                 .last = *last,
                 .backwards = backwards,
                 .count_max = count ? static_cast<uint64_t>(*count) : 0});
}

void xrange(Context& ctx) { reply_range(ctx, false); }
void xrevrange(Context& ctx) { reply_range(ctx, true); }

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> stream_rows() {
  return {
      {.name = "xadd", .arity = -5, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW update")}, .handler = xadd, .group = "stream",
       .tips = "nondeterministic_output", .since = "5.0.0",
       .history = "6.2.0 Takes NOMKSTREAM, MINID and LIMIT; 7.0.0 Completes an id that ends in -*",
       .complexity = "O(1), and O(N) for N entries trimmed",
       .summary = "Appends an entry to a stream",
       .syntax = "key [NOMKSTREAM]@6.2.0 "
                 "trim:[strategy:<MAXLEN | MINID@6.2.0> operator:[= | ~] threshold "
                 "[LIMIT count]@6.2.0] id-selector:<* | id> field value [field value ...]"},
      {.name = "xtrim", .arity = -4, .flags = kWrite, .keys = {key_at(1, "RW delete")},
       .handler = xtrim, .group = "stream", .tips = "nondeterministic_output", .since = "5.0.0",
       .history = "6.2.0 Takes MINID and LIMIT", .complexity = "O(N) for N entries",
       .summary = "Removes the oldest entries of a stream",
       .syntax = "key trim:<strategy:<MAXLEN | MINID@6.2.0> operator:[= | ~] threshold "
                 "[LIMIT count]@6.2.0>"},
      {.name = "xdel", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW delete")},
       .handler = xdel, .group = "stream", .since = "5.0.0", .complexity = "O(1) for each id",
       .summary = "Removes entries by their ids", .syntax = "key id [id ...]"},
      {.name = "xlen", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
       .handler = xlen, .group = "stream", .since = "5.0.0", .complexity = "O(1)",
       .summary = "Counts the entries of a stream", .syntax = "key"},
      {.name = "xrange", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = xrange, .group = "stream", .since = "5.0.0",
       .history = "6.2.0 An end may be excluded", .complexity = "O(N) for N entries",
       .summary = "Returns entries between two ids",
       .syntax = "key start:string end:string [COUNT count]"},
      {.name = "xrevrange", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = xrevrange, .group = "stream", .since = "5.0.0",
       .history = "6.2.0 An end may be excluded", .complexity = "O(N) for N entries",
       .summary = "Returns entries between two ids, the last one first",
       .syntax = "key end:string start:string [COUNT count]"},
  };
}
// clang-format on

}  // namespace tandem
