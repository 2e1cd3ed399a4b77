// Streams: XADD, XTRIM, XDEL, XLEN, XRANGE, XREAD, and ids as they write them.
#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/number.h"
#include "commands/arguments.h"
#include "commands/table.h"
#include "data/stream.h"
#include "data/stream_node.h"
#include "engine/context.h"
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

// XADD's: "*" takes the time, "5-*" the next sequence number.
struct NewStreamId {
  std::optional<uint64_t> ms;
  std::optional<uint64_t> seq;
};

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

std::optional<StreamId> parse_whole(Context& ctx, Bytes text, uint64_t missing_seq) {
  const std::optional<NewStreamId> id = parse_id(text, false);
  if (!id) {
    ctx.reply.error(kInvalidId);
    return std::nullopt;
  }
  return StreamId{.ms = *id->ms, .seq = id->seq.value_or(missing_seq)};
}

// "5-3", or "5" with the sequence number that the command assumes. Has answered if there is
// nothing.
std::optional<StreamId> stream_id_argument(Context& ctx, size_t index, uint64_t missing_seq) {
  return parse_whole(ctx, ctx.args[index], missing_seq);
}

// One end of XRANGE: also "-", "+" and "(5-3", which leaves the id itself out.
enum class RangeEnd : uint8_t { kStart, kStop };

std::optional<StreamId> stream_bound_argument(Context& ctx, size_t index, RangeEnd end) {
  Bytes text = ctx.args[index];
  const bool start = end == RangeEnd::kStart;
  const bool exclusive = text.size() > 1 && text.front() == '(';
  if (exclusive) text.remove_prefix(1);
  if (!exclusive && text == "-") return kStreamIdMin;
  if (!exclusive && text == "+") return kStreamIdMax;
  const uint64_t missing_seq = start ? 0 : std::numeric_limits<uint64_t>::max();
  const std::optional<StreamId> id = parse_whole(ctx, text, missing_seq);
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

struct EntryRange {
  StreamId first;
  StreamId last;
  bool backwards = false;
  uint64_t count_max = 0;  // 0: no limit
};

// [[id, [field, value, ...]], ...]
void reply_entries(ReplyWriter& reply, const Stream& stream, const EntryRange& range) {
  const ReplyWriter::Mark array = reply.begin_array();
  uint64_t count = 0;
  stream.for_each(range.first, range.last, range.backwards,
                  [&](StreamId id, std::span<const Element> fields_and_values) {
                    reply.array(2);
                    reply.bulk(id.text());
                    reply.array(static_cast<int64_t>(fields_and_values.size()));
                    for (const Element& element : fields_and_values) reply.bulk(element.text());
                    return ++count != range.count_max;
                  });
  reply.end_array(array, static_cast<int64_t>(count));
}

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

void state_add(Context& ctx, Edit<Stream>& stream, const AddRequest& request, StreamId id) {
  const std::string id_text = id.text();
  std::vector<std::string> trim;
  std::vector<Bytes> effect;
  if (ctx.replicates()) {
    if (request.words.trim) trim = exact_trim(*stream, *request.words.trim);
    effect = {"XADD", ctx.args[1]};
    effect.insert(effect.end(), trim.begin(), trim.end());
    effect.emplace_back(id_text);
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
  Stream fresh;
  const std::optional<StreamId> id = append_entry(ctx, stream ? stream.change() : fresh, request);
  if (!id) return stream.unchanged();
  Stream& entries = stream ? stream.change() : stream.create(std::move(fresh));
  const uint64_t trimmed = request.words.trim ? entries.trim(*request.words.trim) : 0;
  state_add(ctx, stream, request, *id);
  if (trimmed > 0) ctx.keys.tell(event::kXTrim, ctx.args[1]);
  ctx.reply.bulk(id->text());
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
  std::vector<StreamId> ids;
  for (size_t i = 2; i < ctx.args.size(); ++i) {
    const std::optional<StreamId> id = stream_id_argument(ctx, i, 0);
    if (!id) return;
    ids.push_back(*id);
  }
  Stream& entries = stream.change();
  uint64_t removed = 0;
  for (const StreamId id : ids) removed += entries.erase(id) ? 1 : 0;
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

// XREAD, which may wait. While it waits, $ means the last id of the moment when it began.

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
      {.name = "xread", .arity = -4,
       .flags = kReadOnly | kBlocking | kMovableKeys | kBlocksByOption,
       .keys = {KeySpec{.use = "RO access", .begin = 1,
                .begin_keyword = "STREAMS", .last = -1, .step = 1, .limit = 2}}, .handler = xread,
       .group = "stream", .since = "5.0.0", .complexity = "O(N) for N entries",
       .summary = "Returns entries after an id from several streams, waiting for them if asked",
       .syntax = "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]"},
  };
}
// clang-format on

}  // namespace tandem
