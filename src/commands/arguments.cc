#include "commands/arguments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "base/glob.h"
#include "base/number.h"

namespace tandem {

std::optional<int64_t> integer_argument(Context& ctx, size_t index, Bytes error) {
  const std::optional<int64_t> value = parse_int64(ctx.args[index]);
  if (!value) ctx.reply.error(error);
  return value;
}

std::optional<int> small_integer_argument(Context& ctx, size_t index, Bytes error) {
  const std::optional<int64_t> value =
      integer_argument(ctx, index, error.empty() ? kNotInteger : error);
  if (!value) return std::nullopt;
  using Limits = std::numeric_limits<int>;
  if (*value < Limits::min() || *value > Limits::max()) {
    ctx.reply.error(error.empty() ? kNoSmallInteger : error);
    return std::nullopt;
  }
  return static_cast<int>(*value);
}

std::optional<uint64_t> count_argument(Context& ctx, size_t index, Bytes error) {
  const std::optional<int64_t> value = parse_int64(ctx.args[index]);
  if (!value || *value < 0) {
    ctx.reply.error(error);
    return std::nullopt;
  }
  return static_cast<uint64_t>(*value);
}

std::optional<uint64_t> bit_offset_argument(Context& ctx, size_t index, int field_bits) {
  Bytes text = ctx.args[index];
  const bool in_fields = field_bits > 0 && text.starts_with('#');
  if (in_fields) text.remove_prefix(1);
  const std::optional<int64_t> number = parse_int64(text);
  // The product may wrap around, as it does in Redis: what is replicated must mean the same there.
  const uint64_t offset = static_cast<uint64_t>(number.value_or(-1)) *
                          static_cast<uint64_t>(in_fields && number ? field_bits : 1);
  const bool is_place = offset <= std::numeric_limits<int64_t>::max();
  if (is_place && (ctx.from_primary || offset / 8 < ctx.keys.limits().string_bytes_max)) {
    return offset;
  }
  ctx.reply.error("ERR bit offset is not an integer or out of range");
  return std::nullopt;
}

std::optional<uint64_t> positive_argument(Context& ctx, size_t index, Bytes error) {
  const std::optional<uint64_t> value = count_argument(ctx, index, error);
  if (value != 0) return value;
  ctx.reply.error(error);
  return std::nullopt;
}

std::optional<int64_t> symmetric_integer_argument(Context& ctx, size_t index) {
  const std::optional<int64_t> value = integer_argument(ctx, index);
  if (value != std::numeric_limits<int64_t>::min()) return value;
  ctx.reply.error(
      "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
  return std::nullopt;
}

std::optional<double> double_argument(Context& ctx, size_t index, Bytes error) {
  const std::optional<double> value = parse_double(ctx.args[index]);
  if (!value) ctx.reply.error(error);
  return value;
}

std::optional<int64_t> deadline_argument(Context& ctx, size_t index) {
  const std::optional<long double> seconds = parse_long_double(ctx.args[index]);
  if (!seconds) {
    ctx.reply.error("ERR timeout is not a float or out of range");
    return std::nullopt;
  }
  const long double milliseconds = std::ceil(*seconds * 1000);
  const auto latest = static_cast<long double>(std::numeric_limits<int64_t>::max());
  if (milliseconds > latest) {
    ctx.reply.error("ERR timeout is out of range");
    return std::nullopt;
  }
  if (milliseconds < 0) {
    ctx.reply.error("ERR timeout is negative");
    return std::nullopt;
  }
  if (milliseconds == 0) return 0;
  if (milliseconds > latest - static_cast<long double>(ctx.now_ms)) {
    ctx.reply.error("ERR timeout is out of range");
    return std::nullopt;
  }
  return ctx.now_ms + static_cast<int64_t>(milliseconds);
}

std::optional<int64_t> deadline_ms_argument(Context& ctx, size_t index) {
  const std::optional<int64_t> milliseconds =
      integer_argument(ctx, index, "ERR timeout is not an integer or out of range");
  if (!milliseconds) return std::nullopt;
  if (*milliseconds < 0) {
    ctx.reply.error("ERR timeout is negative");
    return std::nullopt;
  }
  if (*milliseconds > std::numeric_limits<int64_t>::max() - ctx.now_ms) {
    ctx.reply.error("ERR timeout is out of range");
    return std::nullopt;
  }
  return *milliseconds == 0 ? 0 : ctx.now_ms + *milliseconds;
}

std::optional<uint64_t> cursor_argument(Context& ctx, size_t index) {
  // What strtoul takes of a text that ends at its first zero: a sign is fine, and so is nothing at
  // all.
  Bytes text = ctx.args[index].substr(0, ctx.args[index].find('\0'));
  const bool nothing = text.empty();
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::optional<uint64_t> value =
      nothing ? std::optional<uint64_t>(0) : parse_uint64(without_leading_zeros(text));
  if (!value) {
    ctx.reply.error("ERR invalid cursor");
    return std::nullopt;
  }
  return negative ? uint64_t{0} - *value : *value;
}

void wrong_argument_count(Context& ctx) {
  ctx.reply.error("ERR wrong number of arguments for '" + ctx.command.full_name + "' command");
}

std::optional<StringRange::Places> StringRange::within(uint64_t size) const {
  const auto length = static_cast<int64_t>(size);
  const auto place = [&](int64_t at) { return std::max<int64_t>(0, at < 0 ? at + length : at); };
  const int64_t first = place(start);
  const int64_t last = std::min(length - 1, place(stop));
  if (first > last) return std::nullopt;
  return Places{static_cast<uint64_t>(first), static_cast<uint64_t>(last)};
}

std::optional<StringRange> range_argument(Context& ctx, size_t first) {
  const std::optional<int64_t> start = integer_argument(ctx, first);
  if (!start) return std::nullopt;
  const std::optional<int64_t> stop = integer_argument(ctx, first + 1);
  if (!stop) return std::nullopt;
  return StringRange{.start = *start, .stop = *stop};
}

std::optional<int64_t> unix_ms_of(int64_t value, TimeForm form, int64_t now_ms) {
  using Limits = std::numeric_limits<int64_t>;
  if (form.seconds) {
    if (value > Limits::max() / 1000 || value < Limits::min() / 1000) return std::nullopt;
    value *= 1000;
  }
  if (form.absolute) return value;
  if (value > Limits::max() - now_ms) return std::nullopt;
  return value + now_ms;
}

void invalid_expire_time(Context& ctx) {
  ctx.reply.error("ERR invalid expire time in '" + ctx.command.full_name + "' command");
}

bool is_over(const Context& ctx, int64_t expiry_ms) {
  return expiry_ms <= ctx.now_ms && !ctx.from_primary &&
         ctx.keys.access().mode() == ExpiryMode::kDelete;
}

std::optional<PopArguments> pop_arguments(Context& ctx, size_t index, Bytes first_end,
                                          Bytes last_end) {
  const auto key_count = positive_argument(ctx, index, "ERR numkeys should be greater than 0");
  if (!key_count) return std::nullopt;
  const std::span<const Bytes> rest = ctx.args.subspan(index + 1);
  const bool has_end = *key_count < rest.size();
  const bool from_first = has_end && equal_ignore_case(rest[*key_count], first_end);
  if (!from_first && !(has_end && equal_ignore_case(rest[*key_count], last_end))) {
    ctx.reply.error(kSyntaxError);
    return std::nullopt;
  }
  PopArguments pop{.keys = rest.first(*key_count), .from_first = from_first};
  OptionWords words(ctx, index + 1 + *key_count + 1);
  for (bool counted = false; !words.done(); counted = true) {
    if (counted || !words.take("COUNT", 1)) {
      ctx.reply.error(kSyntaxError);
      return std::nullopt;
    }
    const std::optional<uint64_t> count = words.positive("ERR count should be greater than 0");
    if (!count) return std::nullopt;
    pop.count = *count;
  }
  return pop;
}

bool OptionWords::take(Bytes word, size_t values) {
  if (!equal_ignore_case(ctx_.args[next_], word)) return false;
  if (ctx_.args.size() - next_ - 1 < values) return false;
  ++next_;
  return true;
}

bool ScanOptions::matches(Bytes text) const { return !pattern || glob_match(*pattern, text); }

std::optional<ScanOptions> parse_scan(Context& ctx) {
  ScanOptions options;
  const std::optional<uint64_t> cursor = cursor_argument(ctx, 1);
  if (!cursor) return std::nullopt;
  options.cursor = *cursor;
  if (!parse_scan_words(ctx, 2, true, options)) return std::nullopt;
  return options;
}

bool parse_scan_words(Context& ctx, size_t first, bool with_type, ScanOptions& options) {
  for (OptionWords words(ctx, first); !words.done();) {
    if (words.take("COUNT", 1)) {
      const std::optional<int64_t> count = words.integer();
      if (!count) return false;
      if (*count < 1) {
        ctx.reply.error(kSyntaxError);
        return false;
      }
      options.count = *count;
    } else if (words.take("MATCH", 1)) {
      const Bytes pattern = words.text();
      if (pattern != "*") options.pattern = pattern;
    } else if (with_type && words.take("TYPE", 1)) {
      options.type = words.text();
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

namespace {

// The cursor goes before elements whose number is known only afterwards.
void finish(Context& ctx, ReplyWriter::Mark start, uint64_t cursor, int64_t count) {
  const std::string elements(ctx.reply.written_since(start));
  ctx.reply.discard_to(start);
  char digits[kInt64TextMax];
  ctx.reply.array(2);
  ctx.reply.bulk({digits, write_uint64(digits, cursor)});
  ctx.reply.array(count);
  ctx.reply.raw(elements);
}

}  // namespace

void reply_scan(Context& ctx, const ScanOptions& options,
                FunctionRef<ScanStep(uint64_t cursor)> step) {
  const ReplyWriter::Mark start = ctx.reply.mark();
  uint64_t cursor = options.cursor;
  int64_t seen = 0;
  int64_t written = 0;
  do {
    const ScanStep done = step(cursor);
    if (done.refused) return;
    cursor = done.cursor;
    seen += done.seen;
    written += done.written;
  } while (cursor != 0 && seen < options.count);
  finish(ctx, start, cursor, written);
}

void reply_empty_scan(Context& ctx) {
  ctx.reply.array(2);
  ctx.reply.bulk("0");
  ctx.reply.array(0);
}

}  // namespace tandem
