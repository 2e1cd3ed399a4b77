// EXPIRE and its relatives, and PERSIST. Replicas get absolute times.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/deadlines.h"
#include "commands/rows.h"

namespace tandem {
namespace {

struct ExpireConditions {
  bool only_without = false;  // NX
  bool only_with = false;     // XX
  bool only_later = false;    // GT
  bool only_earlier = false;  // LT

  bool allow(int64_t current_ms, int64_t new_ms) const {
    const bool has = current_ms != kNoExpiry;
    if (only_without && has) return false;
    if (only_with && !has) return false;
    // A key without an expiry lives for ever: nothing is later than that.
    if (only_later && (!has || new_ms <= current_ms)) return false;
    if (only_earlier && has && new_ms >= current_ms) return false;
    return true;
  }
};

bool parse_conditions(Context& ctx, ExpireConditions& conditions) {
  for (OptionWords options(ctx, 3); !options.done();) {
    if (options.take("NX")) {
      conditions.only_without = true;
    } else if (options.take("XX")) {
      conditions.only_with = true;
    } else if (options.take("GT")) {
      conditions.only_later = true;
    } else if (options.take("LT")) {
      conditions.only_earlier = true;
    } else {
      const Bytes option = options.peek();
      ctx.reply.error("ERR Unsupported option " + std::string(option.substr(0, option.find('\0'))));
      return false;
    }
  }
  if (conditions.only_without &&
      (conditions.only_with || conditions.only_later || conditions.only_earlier)) {
    ctx.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.only_later && conditions.only_earlier) {
    ctx.reply.error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

void expire_key(Context& ctx, TimeForm form) {
  const Bytes key = ctx.args[1];
  ExpireConditions conditions;
  if (!parse_conditions(ctx, conditions)) return;
  const std::optional<int64_t> value = integer_argument(ctx, 2);
  if (!value) return;
  const std::optional<int64_t> expiry_ms = unix_ms_of(*value, form, ctx.now_ms);
  if (!expiry_ms) return invalid_expire_time(ctx);
  const Entry* entry = ctx.keys.find(key);
  if (entry == nullptr || !conditions.allow(entry->expiry_ms(), *expiry_ms)) {
    return ctx.reply.integer(0);
  }
  if (is_over(ctx, *expiry_ms)) {
    ctx.keys.erase(key);
    ctx.replicate({"DEL", key});
  } else {
    // Below zero only in a primary's stream, where every past moment means the same.
    ctx.keys.set_expiry(key, std::max<int64_t>(*expiry_ms, 0));
    if (ctx.replicates()) ctx.replicate({"PEXPIREAT", key, int64_text(*expiry_ms)});
  }
  ctx.reply.integer(1);
}

void expire(Context& ctx) { expire_key(ctx, {.seconds = true, .absolute = false}); }
void pexpire(Context& ctx) { expire_key(ctx, {.seconds = false, .absolute = false}); }
void expireat(Context& ctx) { expire_key(ctx, {.seconds = true, .absolute = true}); }
void pexpireat(Context& ctx) { expire_key(ctx, {.seconds = false, .absolute = true}); }

void persist(Context& ctx) {
  const Entry* entry = ctx.keys.find(ctx.args[1]);
  if (entry == nullptr || !entry->has_expiry()) return ctx.reply.integer(0);
  ctx.keys.set_expiry(ctx.args[1], kNoExpiry);
  ctx.replicate_as_is();
  ctx.reply.integer(1);
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> expiry_rows() {
  return {
      {.name = "expire", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = expire, .group = "generic", .since = "1.0.0",
       .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
       .summary = "Sets when a key expires, in seconds from now",
       .syntax = "key seconds condition:[NX | XX | GT | LT]@7.0.0"},
      {.name = "pexpire", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = pexpire, .group = "generic", .since = "2.6.0",
       .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
       .summary = "Sets when a key expires, in milliseconds from now",
       .syntax = "key milliseconds condition:[NX | XX | GT | LT]@7.0.0"},
      {.name = "expireat", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = expireat, .group = "generic", .since = "1.2.0",
       .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
       .summary = "Sets when a key expires, as Unix time in seconds",
       .syntax = "key unix-time-seconds condition:[NX | XX | GT | LT]@7.0.0"},
      {.name = "pexpireat", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = pexpireat, .group = "generic", .since = "2.6.0",
       .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
       .summary = "Sets when a key expires, as Unix time in milliseconds",
       .syntax = "key unix-time-milliseconds condition:[NX | XX | GT | LT]@7.0.0"},
      {.name = "persist", .arity = 2, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = persist, .group = "generic", .since = "2.2.0", .complexity = "O(1)",
       .summary = "Takes the expiry from a key", .syntax = "key"},
  };
}
// clang-format on

}  // namespace tandem
