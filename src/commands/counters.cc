// Strings as numbers: INCR and its relatives.
#include <cmath>
#include <limits>

#include "commands/arguments.h"
#include "commands/rows.h"

namespace tandem {
namespace {

// The integer at the key, 0 if absent; nothing, and an answer, if it is none.
std::optional<int64_t> read_integer(Context& ctx, Bytes key) {
  const Entry* entry = ctx.keys.find(key);
  if (entry == nullptr) return 0;
  if (entry->type() != ValueType::kString) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  if (entry->is_integer()) return entry->integer();
  const std::optional<int64_t> value = parse_int64(*StringText(*entry));
  if (!value) ctx.reply.error(kNotInteger);
  return value;
}

void add(Context& ctx, int64_t delta) {
  const std::optional<int64_t> old = read_integer(ctx, ctx.args[1]);
  if (!old) return;
  int64_t sum;
  if (__builtin_add_overflow(*old, delta, &sum)) {
    return ctx.reply.error("ERR increment or decrement would overflow");
  }
  ctx.keys.set_integer(ctx.args[1], sum);
  ctx.replicate_as_is();
  ctx.reply.integer(sum);
}

void incr(Context& ctx) { add(ctx, 1); }
void decr(Context& ctx) { add(ctx, -1); }

void incrby(Context& ctx) {
  const std::optional<int64_t> delta = integer_argument(ctx, 2);
  if (delta) add(ctx, *delta);
}

void decrby(Context& ctx) {
  const std::optional<int64_t> delta = integer_argument(ctx, 2);
  if (!delta) return;
  if (*delta == std::numeric_limits<int64_t>::min()) {
    return ctx.reply.error("ERR decrement would overflow");
  }
  add(ctx, -*delta);
}

void incrbyfloat(Context& ctx) {
  const Bytes key = ctx.args[1];
  StringText old;
  if (!ctx.keys.find_text(key, old)) return ctx.reply.error(kWrongType);
  const std::optional<long double> value =
      old ? parse_long_double(*old) : std::optional<long double>(0);
  if (!value) return ctx.reply.error(kNotFloat);
  const std::optional<long double> delta = parse_long_double(ctx.args[2]);
  if (!delta) return ctx.reply.error(kNotFloat);
  const long double sum = *value + *delta;
  if (!std::isfinite(sum)) {
    return ctx.reply.error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = long_double_text(sum);
  ctx.keys.replace_text(key, text);
  // The result, not the sum: replicas of other machines may round otherwise.
  ctx.replicate({"SET", key, text, "KEEPTTL"});
  ctx.reply.bulk(text);
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> counter_rows() {
  return {
      {.name = "incr", .arity = 2, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = incr, .group = "string",
       .since = "1.0.0", .complexity = "O(1)", .summary = "Adds one to an integer",
       .syntax = "key"},
      {.name = "decr", .arity = 2, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = decr, .group = "string",
       .since = "1.0.0", .complexity = "O(1)", .summary = "Takes one from an integer",
       .syntax = "key"},
      {.name = "incrby", .arity = 3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = incrby, .group = "string",
       .since = "1.0.0", .complexity = "O(1)", .summary = "Adds to an integer",
       .syntax = "key increment"},
      {.name = "decrby", .arity = 3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = decrby, .group = "string",
       .since = "1.0.0", .complexity = "O(1)", .summary = "Takes from an integer",
       .syntax = "key decrement"},
      {.name = "incrbyfloat", .arity = 3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = incrbyfloat, .group = "string",
       .since = "2.6.0", .complexity = "O(1)", .summary = "Adds to a number with a fraction",
       .syntax = "key increment:double"},
  };
}
// clang-format on

}  // namespace tandem
