// ZPOPMIN and its relatives. The waiting ones replicate as ZPOPMIN and ZPOPMAX.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

enum class Extreme : uint8_t { kMin, kMax };

SortedSet::Scored pop_one(SortedSet& set, Extreme extreme) {
  return extreme == Extreme::kMin ? *set.pop_min() : *set.pop_max();
}

void reply_scored(Context& ctx, const SortedSet::Scored& scored) {
  ctx.reply.bulk(scored.member);
  ctx.reply.number(scored.score);
}

void pop(Context& ctx, Extreme extreme) {
  const Bytes key = ctx.args[1];
  if (ctx.args.size() > 3) return ctx.reply.error(kSyntaxError);
  const bool counted = ctx.args.size() == 3;
  const std::optional<uint64_t> wanted =
      counted ? count_argument(ctx, 2) : std::optional<uint64_t>(1);
  if (!wanted) return;
  SortedSet* set;
  if (!ctx.keys.write(key, set)) return ctx.reply.error(kWrongType);
  const uint64_t count = set != nullptr ? std::min<uint64_t>(*wanted, set->size()) : 0;
  // RESP3 pairs them, but only where a count was asked for.
  const bool pairs = counted && ctx.reply.protocol() > 2;
  ctx.reply.array(static_cast<int64_t>(pairs ? count : 2 * count));
  if (count == 0) return;
  for (uint64_t i = 0; i < count; ++i) {
    if (pairs) ctx.reply.array(2);
    reply_scored(ctx, pop_one(*set, extreme));
  }
  settle(ctx.keys, key, *set, count);
  ctx.replicate_as_is();
}

void zpopmin(Context& ctx) { pop(ctx, Extreme::kMin); }
void zpopmax(Context& ctx) { pop(ctx, Extreme::kMax); }

void pop_or_wait(Context& ctx, Extreme extreme) {
  const size_t last = ctx.args.size() - 1;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, last);
  if (!deadline_ms) return;
  const std::span<const Bytes> keys = ctx.args.subspan(1, last - 1);
  for (const Bytes key : keys) {
    SortedSet* set;
    if (!ctx.keys.write(key, set)) return ctx.reply.error(kWrongType);
    if (set == nullptr) continue;
    ctx.reply.array(3);
    ctx.reply.bulk(key);
    reply_scored(ctx, pop_one(*set, extreme));
    settle(ctx.keys, key, *set);
    return ctx.replicate({extreme == Extreme::kMin ? "ZPOPMIN" : "ZPOPMAX", key});
  }
  ctx.block({.keys = {keys.begin(), keys.end()},
             .type = ValueType::kSortedSet,
             .deadline_ms = *deadline_ms});
}

void bzpopmin(Context& ctx) { pop_or_wait(ctx, Extreme::kMin); }
void bzpopmax(Context& ctx) { pop_or_wait(ctx, Extreme::kMax); }

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> sorted_set_pop_rows() {
  return {
      {.name = "zpopmin", .arity = -2, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access delete")}, .handler = zpopmin, .group = "sorted-set",
       .since = "5.0.0", .complexity = "O(M*log(N)) for M of N members",
       .summary = "Removes and returns the members with the lowest scores",
       .syntax = "key [count]"},
      {.name = "zpopmax", .arity = -2, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access delete")}, .handler = zpopmax, .group = "sorted-set",
       .since = "5.0.0", .complexity = "O(M*log(N)) for M of N members",
       .summary = "Removes and returns the members with the highest scores",
       .syntax = "key [count]"},
      {.name = "bzpopmin", .arity = -3, .flags = kWrite | kBlocking | kFast,
       .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = bzpopmin,
       .group = "sorted-set", .since = "5.0.0",
       .history = "6.0.0 The timeout may have a fraction",
       .complexity = "O(log(N)) in a set of N members",
       .summary = "Removes and returns the member with the lowest score, waiting for one",
       .syntax = "key [key ...] timeout"},
      {.name = "bzpopmax", .arity = -3, .flags = kWrite | kBlocking | kFast,
       .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = bzpopmax,
       .group = "sorted-set", .since = "5.0.0",
       .history = "6.0.0 The timeout may have a fraction",
       .complexity = "O(log(N)) in a set of N members",
       .summary = "Removes and returns the member with the highest score, waiting for one",
       .syntax = "key [key ...] timeout"},
  };
}
// clang-format on

}  // namespace tandem
