#include "commands/stream_trims.h"

#include <algorithm>

#include "base/number.h"
#include "commands/stream_ids.h"

namespace tandem {
namespace {

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

}  // namespace

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

std::vector<std::string> exact_trim(const Stream& stream, const StreamTrim& trim) {
  if (trim.by == StreamTrim::By::kMinId && stream.length() > 0) {
    const StreamId min_id = trim.approximate ? stream.first_id() : trim.min_id;
    return {"MINID", "=", min_id.text()};
  }
  return {"MAXLEN", "=", int64_text(static_cast<int64_t>(stream.length()))};
}

}  // namespace tandem
