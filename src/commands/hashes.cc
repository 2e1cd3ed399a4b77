// Hashes: fields set, read, drawn and removed, and fields as numbers.
#include <cmath>

#include "commands/elements.h"
#include "commands/table.h"
#include "data/hash.h"

namespace tandem {
namespace {

// Nothing was answered if there is no optional; null if the key is absent.
bool read_hash(Context& ctx, const Hash*& hash) {
  if (ctx.keys.read(ctx.args[1], hash)) return true;
  ctx.reply.error(kWrongType);
  return false;
}

std::optional<Element> field_of(const Hash* hash, Bytes field) {
  return hash != nullptr ? hash->get(field) : std::nullopt;
}

void reply_element(Context& ctx, const std::optional<Element>& element) {
  element ? ctx.reply.bulk(element->text()) : ctx.reply.null();
}

// The number of new fields, or nothing if it was no hash or the arguments do not pair.
std::optional<int64_t> set_fields(Context& ctx) {
  const std::span<const Bytes> pairs = ctx.args.subspan(2);
  if (pairs.size() % 2 != 0) {
    wrong_argument_count(ctx);
    return std::nullopt;
  }
  Edit<Hash> hash(ctx.keys, ctx.args[1]);
  if (hash.is_other_type()) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  const EncodingLimits& limits = ctx.keys.limits();
  Hash& fields = hash.change_or_create();
  fields.reserve(pairs.size() / 2, limits);
  int64_t added = 0;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    added += fields.set(pairs[i], pairs[i + 1], limits) ? 1 : 0;
  }
  hash.done(event::kHSet, pairs.size() / 2, as_is(ctx));
  return added;
}

void hset(Context& ctx) {
  if (const std::optional<int64_t> added = set_fields(ctx)) ctx.reply.integer(*added);
}

void hmset(Context& ctx) {
  if (set_fields(ctx)) ctx.reply.ok();
}

void hsetnx(Context& ctx) {
  Edit<Hash> hash(ctx.keys, ctx.args[1]);
  if (hash.is_other_type()) return ctx.reply.error(kWrongType);
  if (hash && hash->contains(ctx.args[2])) return ctx.reply.integer(0);
  hash.change_or_create().set(ctx.args[2], ctx.args[3], ctx.keys.limits());
  hash.done(event::kHSet, 1, as_is(ctx));
  ctx.reply.integer(1);
}

void hget(Context& ctx) {
  const Hash* hash;
  if (read_hash(ctx, hash)) reply_element(ctx, field_of(hash, ctx.args[2]));
}

void hmget(Context& ctx) {
  const Hash* hash;
  if (!read_hash(ctx, hash)) return;
  const std::span<const Bytes> fields = ctx.args.subspan(2);
  ctx.reply.array(static_cast<int64_t>(fields.size()));
  for (const Bytes field : fields) reply_element(ctx, field_of(hash, field));
}

void hexists(Context& ctx) {
  const Hash* hash;
  if (read_hash(ctx, hash)) ctx.reply.integer(field_of(hash, ctx.args[2]) ? 1 : 0);
}

void hstrlen(Context& ctx) {
  const Hash* hash;
  if (!read_hash(ctx, hash)) return;
  const std::optional<Element> value = field_of(hash, ctx.args[2]);
  ctx.reply.integer(value ? static_cast<int64_t>(value->text().size()) : 0);
}

void hlen(Context& ctx) {
  const Hash* hash;
  if (!read_hash(ctx, hash)) return;
  ctx.reply.integer(hash != nullptr ? static_cast<int64_t>(hash->size()) : 0);
}

void reply_all(Context& ctx, bool fields, bool values) {
  const Hash* hash;
  if (!read_hash(ctx, hash)) return;
  const int64_t count = hash != nullptr ? static_cast<int64_t>(hash->size()) : 0;
  fields&& values ? ctx.reply.map(count) : ctx.reply.array(count);
  if (hash == nullptr) return;
  hash->for_each([&](Bytes field, Bytes value) {
    if (fields) ctx.reply.bulk(field);
    if (values) ctx.reply.bulk(value);
    return true;
  });
}

void hgetall(Context& ctx) { reply_all(ctx, true, true); }
void hkeys(Context& ctx) { reply_all(ctx, true, false); }
void hvals(Context& ctx) { reply_all(ctx, false, true); }

void hscan(Context& ctx) {
  ScanOptions options;
  const Hash* hash = scanned_container<Hash>(ctx, options);
  if (hash == nullptr) return;
  reply_scan(ctx, options, [&](uint64_t cursor) {
    ScanStep step{.cursor = 0, .seen = 0, .written = 0};
    step.cursor = hash->scan(cursor, [&](Bytes field, Bytes value) {
      ++step.seen;
      if (!options.matches(field)) return;
      ctx.reply.bulk(field);
      ctx.reply.bulk(value);
      step.written += 2;
    });
    return step;
  });
}

void hrandfield(Context& ctx) {
  draw_elements<Hash>(ctx, "WITHVALUES", [](const Hash& hash, Random& random, ElementReply& reply) {
    const Hash::Pair pair = hash.random_pair(random);
    reply.add(pair.field.text(), pair.value.text());
  });
}

void hdel(Context& ctx) { remove_elements<Hash>(ctx, event::kHDel); }

void hincrby(Context& ctx) {
  const std::optional<int64_t> delta = integer_argument(ctx, 3);
  if (!delta) return;
  Edit<Hash> hash(ctx.keys, ctx.args[1]);
  if (hash.is_other_type()) return ctx.reply.error(kWrongType);
  int64_t value = 0;
  if (const auto old = hash ? hash->get(ctx.args[2]) : std::nullopt) {
    const std::optional<int64_t> integer = parse_int64(old->text());
    if (!integer) return ctx.reply.error("ERR hash value is not an integer");
    value = *integer;
  }
  if (__builtin_add_overflow(value, *delta, &value)) {
    return ctx.reply.error("ERR increment or decrement would overflow");
  }
  hash.change_or_create().set(ctx.args[2], int64_text(value), ctx.keys.limits());
  hash.done(event::kHIncrBy, 1, as_is(ctx));
  ctx.reply.integer(value);
}

void hincrbyfloat(Context& ctx) {
  const std::optional<long double> delta = parse_long_double(ctx.args[3]);
  if (!delta) return ctx.reply.error(kNotFloat);
  if (!std::isfinite(*delta)) return ctx.reply.error("ERR value is NaN or Infinity");
  Edit<Hash> hash(ctx.keys, ctx.args[1]);
  if (hash.is_other_type()) return ctx.reply.error(kWrongType);
  long double value = 0;
  if (const auto old = hash ? hash->get(ctx.args[2]) : std::nullopt) {
    const std::optional<long double> number = parse_long_double(old->text());
    if (!number) return ctx.reply.error("ERR hash value is not a float");
    value = *number;
  }
  value += *delta;
  if (!std::isfinite(value)) {
    return ctx.reply.error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = long_double_text(value);
  hash.change_or_create().set(ctx.args[2], text, ctx.keys.limits());
  // The result, not the sum: replicas of other machines may round otherwise.
  hash.done(event::kHIncrByFloat, 1, {"HSET", ctx.args[1], ctx.args[2], text});
  ctx.reply.bulk(text);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "hset", .arity = -4, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW update")}, .handler = hset, .group = "hash", .since = "2.0.0",
     .history = "4.0.0 Takes several fields",
     .complexity = "O(N) for N fields", .summary = "Sets fields of a hash",
     .syntax = "key field value [field value ...]"},
    {.name = "hmset", .arity = -4, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW update")}, .handler = hmset, .group = "hash", .since = "2.0.0",
     .deprecated = "4.0.0 `HSET` with multiple field-value pairs",
     .complexity = "O(N) for N fields", .summary = "Sets fields of a hash",
     .syntax = "key field value [field value ...]"},
    {.name = "hsetnx", .arity = 4, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW insert")}, .handler = hsetnx, .group = "hash", .since = "2.0.0",
     .complexity = "O(1)", .summary = "Sets a field of a hash if it is absent",
     .syntax = "key field value"},
    {.name = "hdel", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW delete")},
     .handler = hdel, .group = "hash", .since = "2.0.0",
     .history = "2.4.0 Takes several fields", .complexity = "O(N) for N fields",
     .summary = "Removes fields of a hash", .syntax = "key field [field ...]"},
    {.name = "hget", .arity = 3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = hget, .group = "hash", .since = "2.0.0", .complexity = "O(1)",
     .summary = "Returns the value of a field", .syntax = "key field"},
    {.name = "hmget", .arity = -3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = hmget, .group = "hash", .since = "2.0.0", .complexity = "O(N) for N fields",
     .summary = "Returns the values of several fields", .syntax = "key field [field ...]"},
    {.name = "hexists", .arity = 3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = hexists, .group = "hash", .since = "2.0.0", .complexity = "O(1)",
     .summary = "Tells whether a field is in a hash", .syntax = "key field"},
    {.name = "hstrlen", .arity = 3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = hstrlen, .group = "hash", .since = "3.2.0", .complexity = "O(1)",
     .summary = "Returns the length of the value of a field", .syntax = "key field"},
    {.name = "hlen", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = hlen, .group = "hash", .since = "2.0.0", .complexity = "O(1)",
     .summary = "Counts the fields of a hash", .syntax = "key"},
    {.name = "hgetall", .arity = 2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = hgetall, .group = "hash", .tips = "nondeterministic_output_order",
     .since = "2.0.0", .complexity = "O(N) for N fields",
     .summary = "Returns all fields of a hash and their values", .syntax = "key"},
    {.name = "hkeys", .arity = 2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = hkeys, .group = "hash", .tips = "nondeterministic_output_order", .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Returns all fields of a hash", .syntax = "key"},
    {.name = "hvals", .arity = 2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = hvals, .group = "hash", .tips = "nondeterministic_output_order", .since = "2.0.0",
     .complexity = "O(N) for N fields",
     .summary = "Returns all values of a hash", .syntax = "key"},
    {.name = "hscan", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = hscan, .group = "hash", .tips = "nondeterministic_output", .since = "2.8.0",
     .complexity = "O(1) a call, O(N) for the whole walk over N fields",
     .summary = "Walks the fields of a hash step by step",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
    {.name = "hrandfield", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = hrandfield, .group = "hash", .tips = "nondeterministic_output", .since = "6.2.0",
     .complexity = "O(N) for N fields returned", .summary = "Returns random fields of a hash",
     .syntax = "key options:[count [WITHVALUES]]"},
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
// clang-format on

}  // namespace

std::vector<CommandRow> hash_rows() { return kRows; }

}  // namespace tandem
