// Fields as numbers: HINCRBY and HINCRBYFLOAT.
#include <cmath>

#include "commands/arguments.h"
#include "commands/rows.h"
#include "data/hash.h"

namespace tandem {
namespace {

// Stores the new text of the field and makes the hash if there was none.
void store(Context& ctx, Hash* hash, Bytes text) {
  if (hash == nullptr) hash = &ctx.keys.create<Hash>(ctx.args[1]);
  hash->set(ctx.args[2], text, ctx.keys.limits());
  ctx.keys.changed(ctx.args[1]);
}

void hincrby(Context& ctx) {
  const std::optional<int64_t> delta = integer_argument(ctx, 3);
  if (!delta) return;
  Hash* hash;
  if (!ctx.keys.write(ctx.args[1], hash)) return ctx.reply.error(kWrongType);
  int64_t value = 0;
  if (const auto old = hash != nullptr ? hash->get(ctx.args[2]) : std::nullopt) {
    const std::optional<int64_t> integer = parse_int64(old->text());
    if (!integer) return ctx.reply.error("ERR hash value is not an integer");
    value = *integer;
  }
  if (__builtin_add_overflow(value, *delta, &value)) {
    return ctx.reply.error("ERR increment or decrement would overflow");
  }
  store(ctx, hash, int64_text(value));
  ctx.replicate_as_is();
  ctx.reply.integer(value);
}

void hincrbyfloat(Context& ctx) {
  const std::optional<long double> delta = parse_long_double(ctx.args[3]);
  if (!delta) return ctx.reply.error(kNotFloat);
  if (!std::isfinite(*delta)) return ctx.reply.error("ERR value is NaN or Infinity");
  Hash* hash;
  if (!ctx.keys.write(ctx.args[1], hash)) return ctx.reply.error(kWrongType);
  long double value = 0;
  if (const auto old = hash != nullptr ? hash->get(ctx.args[2]) : std::nullopt) {
    const std::optional<long double> number = parse_long_double(old->text());
    if (!number) return ctx.reply.error("ERR hash value is not a float");
    value = *number;
  }
  value += *delta;
  if (!std::isfinite(value)) {
    return ctx.reply.error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = long_double_text(value);
  store(ctx, hash, text);
  // The result, not the sum: replicas of other machines may round otherwise.
  ctx.replicate({"HSET", ctx.args[1], ctx.args[2], text});
  ctx.reply.bulk(text);
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> hash_counter_rows() {
  return {
      {.name = "hincrby", .arity = 4, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = hincrby, .group = "hash",
       .since = "2.0.0", .complexity = "O(1)", .summary = "Adds to the integer in a field",
       .syntax = "key field increment"},
      {.name = "hincrbyfloat", .arity = 4, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = hincrbyfloat, .group = "hash",
       .since = "2.6.0", .complexity = "O(1)",
       .summary = "Adds to the number with a fraction in a field",
       .syntax = "key field increment:double"},
  };
}
// clang-format on

}  // namespace tandem
