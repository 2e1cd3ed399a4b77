// How long a key has to live: the TTL family.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/rows.h"

namespace tandem {
namespace {

constexpr int64_t kNoKey = -2;
constexpr int64_t kForEver = -1;

// Unix milliseconds, kNoKey or kForEver.
int64_t expiry_of(Context& ctx) {
  const Entry* entry = ctx.keys.read(ctx.args[1]);
  if (entry == nullptr) return kNoKey;
  return entry->has_expiry() ? entry->expiry_ms() : kForEver;
}

int64_t rounded_seconds(int64_t milliseconds) { return (milliseconds + 500) / 1000; }

void reply_remaining(Context& ctx, bool seconds) {
  const int64_t expiry_ms = expiry_of(ctx);
  if (expiry_ms < 0) return ctx.reply.integer(expiry_ms);
  const int64_t left_ms = std::max<int64_t>(0, expiry_ms - ctx.now_ms);
  ctx.reply.integer(seconds ? rounded_seconds(left_ms) : left_ms);
}

void reply_moment(Context& ctx, bool seconds) {
  const int64_t expiry_ms = expiry_of(ctx);
  ctx.reply.integer(seconds && expiry_ms >= 0 ? rounded_seconds(expiry_ms) : expiry_ms);
}

void ttl(Context& ctx) { reply_remaining(ctx, true); }
void pttl(Context& ctx) { reply_remaining(ctx, false); }
void expiretime(Context& ctx) { reply_moment(ctx, true); }
void pexpiretime(Context& ctx) { reply_moment(ctx, false); }

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> remaining_time_rows() {
  return {
      {.name = "ttl", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
       .handler = ttl, .group = "generic", .tips = "nondeterministic_output", .since = "1.0.0",
       .history = "2.8.0 Tells absent keys, by -2, from keys that stay", .complexity = "O(1)",
       .summary = "Returns the seconds left before a key expires", .syntax = "key"},
      {.name = "pttl", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
       .handler = pttl, .group = "generic", .tips = "nondeterministic_output", .since = "2.6.0",
       .history = "2.8.0 Tells absent keys, by -2, from keys that stay", .complexity = "O(1)",
       .summary = "Returns the milliseconds left before a key expires", .syntax = "key"},
      {.name = "expiretime", .arity = 2, .flags = kReadOnly | kFast,
       .keys = {key_at(1, "RO access")}, .handler = expiretime, .group = "generic",
       .since = "7.0.0", .complexity = "O(1)",
       .summary = "Returns when a key expires, as Unix time in seconds", .syntax = "key"},
      {.name = "pexpiretime", .arity = 2, .flags = kReadOnly | kFast,
       .keys = {key_at(1, "RO access")}, .handler = pexpiretime, .group = "generic",
       .since = "7.0.0", .complexity = "O(1)",
       .summary = "Returns when a key expires, as Unix time in milliseconds", .syntax = "key"},
  };
}
// clang-format on

}  // namespace tandem
