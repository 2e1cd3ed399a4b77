// Streams: XADD, XTRIM, XDEL, XLEN, XRANGE, XREVRANGE, XSETID.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/number.h"
#include "commands/arguments.h"
#include "commands/stream_parts.h"
#include "commands/table.h"
#include "data/stream.h"
#include "data/stream_node.h"
#include "engine/context.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// The trimming words of XADD and XTRIM: MAXLEN or MINID, = or ~, the threshold, LIMIT.
struct TrimWords {
  std::optional<StreamTrim> trim;
  std::optional<int64_t> limit;
};

enum class Took : uint8_t { kNothing, kWords, kFailed };  // kFailed: has answered

// An approximate trim without a LIMIT looks at a hundred nodes.
constexpr uint64_t kNodesALimit = 100;
constexpr uint64_t kLimitWithoutNodeSize = 10000;
constexpr uint64_t kLimitMax = 1000000;

uint64_t default_limit(const EncodingLimits& limits) {
  const uint64_t limit = kNodesALimit * limits.stream_node_max_entries;
  return limit == 0 ? kLimitWithoutNodeSize : std::min(limit, kLimitMax);
}

Took take_threshold(Context& ctx, OptionWords& options, TrimWords& words, StreamTrim::By by) {
  if (words.trim) {
    ctx.reply.error(
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    return Took::kFailed;
  }
  StreamTrim trim{.by = by, .max_length = 0, .min_id = {}, .approximate = false, .limit = 0};
  if (options.take("~", 1)) {
    trim.approximate = true;
  } else {
    options.take("=", 1);
  }
  if (by == StreamTrim::By::kMaxLength) {
    const std::optional<int64_t> length = options.integer();
    if (!length) return Took::kFailed;
    if (*length < 0) {
      ctx.reply.error("ERR The MAXLEN argument must be >= 0.");
      return Took::kFailed;
    }
    trim.max_length = static_cast<uint64_t>(*length);
  } else {
    const std::optional<StreamId> id = stream_id_argument(ctx, options.position(), 0);
    if (!id) return Took::kFailed;
    options.text();
    trim.min_id = *id;
  }
  words.trim = trim;
  return Took::kWords;
}

// Takes what is next of the words, if it is one of them.
Took take_trim_words(Context& ctx, OptionWords& options, TrimWords& words) {
  if (options.take("MAXLEN", 1)) {
    return take_threshold(ctx, options, words, StreamTrim::By::kMaxLength);
  }
  if (options.take("MINID", 1)) {
    return take_threshold(ctx, options, words, StreamTrim::By::kMinId);
  }
  if (!options.take("LIMIT", 1)) return Took::kNothing;
  words.limit = options.integer();
  if (!words.limit) return Took::kFailed;
  if (*words.limit < 0) {
    ctx.reply.error("ERR The LIMIT argument must be >= 0.");
    return Took::kFailed;
  }
  return Took::kWords;
}

// Checks them together and settles the limit; has answered if false.
bool finish_trim_words(Context& ctx, TrimWords& words) {
  if (!words.trim && words.limit.value_or(0) > 0) {
    ctx.reply.error(
        "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    return false;
  }
  if (ctx.from_primary) return true;  // all of it goes, whatever the limit was
  if (words.limit && !(words.trim && words.trim->approximate)) {
    ctx.reply.error("ERR syntax error, LIMIT cannot be used without the special ~ option");
    return false;
  }
  if (!words.trim) return true;
  if (words.trim->approximate) {
    words.trim->limit =
        words.limit ? static_cast<uint64_t>(*words.limit) : default_limit(ctx.keys.limits());
  }
  return true;
}

// What a replica trims to after this: never an approximation, which depends on how the nodes happen
// to lie.
std::vector<std::string> exact_trim(const Stream& stream, const StreamTrim& trim) {
  if (trim.by == StreamTrim::By::kMinId && stream.length() > 0) {
    const StreamId min_id = trim.approximate ? stream.first_id() : trim.min_id;
    return {"MINID", "=", min_id.text()};
  }
  return {"MAXLEN", "=", int64_text(static_cast<int64_t>(stream.length()))};
}

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
  if (!options.done()) {
    const std::optional<NewStreamId> id = new_stream_id_argument(ctx, options.position());
    if (!id) return false;
    request.id = *id;
    request.fields = ctx.args.subspan(options.position() + 1);
  }
  if (!finish_trim_words(ctx, request.words)) return false;
  if (request.fields.empty() || request.fields.size() % 2 != 0) {
    wrong_argument_count(ctx);
    return false;
  }
  if (request.id.ms == 0u && request.id.seq == 0u) {
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

void state_add(Context& ctx, Edit<Stream>& stream, const AddRequest& request, Bytes id) {
  std::vector<std::string> trim;
  std::vector<Bytes> effect;
  if (ctx.replicates()) {
    if (request.words.trim) trim = exact_trim(*stream, *request.words.trim);
    effect = {"XADD", ctx.args[1]};
    effect.insert(effect.end(), trim.begin(), trim.end());
    effect.push_back(id);
    effect.insert(effect.end(), request.fields.begin(), request.fields.end());
  }
  stream.done(event::kXAdd, 1, Effect(effect));
}

void xadd(Context& ctx) {
  AddRequest request;
  if (!parse_add(ctx, request)) return;
  Edit<Stream> stream(ctx.keys, ctx.args[1]);
  if (stream.is_other_type()) return ctx.reply.error(kWrongType);
  if (!stream && request.only_present) return ctx.reply.null();
  // A new stream gets its key only once it has its entry.
  std::optional<Stream> fresh;
  const std::optional<StreamId> id =
      append_entry(ctx, stream ? stream.change() : fresh.emplace(), request);
  if (!id) return stream.unchanged();
  Stream& entries = stream ? stream.change() : stream.create(std::move(*fresh));
  const uint64_t trimmed = request.words.trim ? entries.trim(*request.words.trim) : 0;
  const std::string text = id->text();
  state_add(ctx, stream, request, text);
  if (trimmed > 0) ctx.keys.tell(event::kXTrim, ctx.args[1]);
  ctx.reply.bulk(text);
}

void xtrim(Context& ctx) {
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
  Edit<Stream> stream(ctx.keys, ctx.args[1]);
  if (stream.is_other_type()) return ctx.reply.error(kWrongType);
  if (!stream) return ctx.reply.integer(0);
  const uint64_t removed = stream.change().trim(*words.trim);
  ctx.reply.integer(static_cast<int64_t>(removed));
  if (removed == 0) return stream.unchanged();
  const std::vector<std::string> exact = exact_trim(*stream, *words.trim);
  stream.done(event::kXTrim, removed, {"XTRIM", ctx.args[1], exact[0], exact[1], exact[2]});
}

void xdel(Context& ctx) {
  Edit<Stream> stream(ctx.keys, ctx.args[1]);
  if (stream.is_other_type()) return ctx.reply.error(kWrongType);
  if (!stream) return ctx.reply.integer(0);
  const auto ids = stream_id_arguments(ctx, 2);
  if (!ids) return;
  Stream& entries = stream.change();
  uint64_t removed = 0;
  for (const StreamId id : *ids) removed += entries.erase(id) ? 1 : 0;
  ctx.reply.integer(static_cast<int64_t>(removed));
  removed > 0 ? stream.done(event::kXDel, removed, as_is(ctx)) : stream.unchanged();
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

struct SetIdRequest {
  StreamId last_id;
  std::optional<uint64_t> entries_added;
  StreamId max_deleted_id;  // 0-0: stays
};

std::optional<SetIdRequest> parse_set_id(Context& ctx) {
  const std::optional<StreamId> last_id = stream_id_argument(ctx, 2, 0);
  if (!last_id) return std::nullopt;
  SetIdRequest request{.last_id = *last_id, .entries_added = {}, .max_deleted_id = {}};
  const auto refuse = [&ctx](Bytes error) {
    ctx.reply.error(error);
    return std::nullopt;
  };
  for (OptionWords words(ctx, 3); !words.done();) {
    if (words.take("ENTRIESADDED", 1)) {
      const std::optional<int64_t> added = words.integer();
      if (!added) return std::nullopt;
      if (*added < 0) return refuse("ERR entries_added must be positive");
      request.entries_added = static_cast<uint64_t>(*added);
    } else if (words.take("MAXDELETEDID", 1)) {
      const std::optional<StreamId> id = stream_id_argument(ctx, words.position(), 0);
      if (!id) return std::nullopt;
      words.text();
      if (*id > *last_id) {
        return refuse(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
      request.max_deleted_id = *id;
    } else {
      return refuse(kSyntaxError);
    }
  }
  return request;
}

// Why the stream cannot have these counters; empty: it can.
Bytes objection(const Stream& stream, const SetIdRequest& request) {
  if (request.last_id < stream.max_deleted_id()) {
    return "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
  }
  if (stream.empty()) return {};
  if (request.last_id < stream.last_live_id()) {
    return "ERR The ID specified in XSETID is smaller than the target stream top item";
  }
  if (request.entries_added && *request.entries_added < stream.length()) {
    return "ERR The entries_added specified in XSETID is smaller than the target stream length";
  }
  return {};
}

void xsetid(Context& ctx) {
  const std::optional<SetIdRequest> request = parse_set_id(ctx);
  if (!request) return;
  Edit<Stream> stream(ctx.keys, ctx.args[1]);
  if (stream.is_other_type()) return ctx.reply.error(kWrongType);
  if (!stream) return ctx.reply.error(kNoSuchKey);
  if (const Bytes error = objection(*stream, *request); !error.empty()) {
    return ctx.reply.error(error);
  }
  const bool keeps_deleted = request->max_deleted_id == kStreamIdMin;
  stream.change().restore(
      {.last_id = request->last_id,
       .max_deleted_id = keeps_deleted ? stream->max_deleted_id() : request->max_deleted_id,
       .entries_added = request->entries_added.value_or(stream->entries_added())});
  stream.done_quietly(1, as_is(ctx));
  ctx.keys.tell(event::kXSetId, ctx.args[1]);
  ctx.reply.ok();
}

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
      {.name = "xsetid", .arity = -3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW update")}, .handler = xsetid, .group = "stream", .since = "5.0.0",
       .history = "7.0.0 Takes ENTRIESADDED and MAXDELETEDID", .complexity = "O(1)",
       .summary = "Sets what a stream knows besides its entries, for servers among themselves",
       .syntax = "key last-id:string [ENTRIESADDED entries-added:integer]@7.0.0 "
                 "[MAXDELETEDID max-deleted-id]@7.0.0"},
  };
}
// clang-format on

}  // namespace tandem
