// Pops from the ends of sorted sets, and those that wait for something to pop. What replicates is
// the ZPOPMIN or ZPOPMAX that it was.
#include <algorithm>
#include <optional>

#include "base/number.h"
#include "commands/elements.h"
#include "commands/table.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

enum class Extreme : uint8_t { kMin, kMax };

const KeyEvent& pop_of(Extreme extreme) {
  return extreme == Extreme::kMin ? event::kZPopMin : event::kZPopMax;
}

SortedSet::Scored pop_one(SortedSet& set, Extreme extreme) {
  return extreme == Extreme::kMin ? *set.pop_min() : *set.pop_max();
}

Bytes pop_command(Extreme extreme) { return extreme == Extreme::kMin ? "ZPOPMIN" : "ZPOPMAX"; }

void pop_members(Edit<SortedSet>& set, Extreme extreme, uint64_t count, ElementReply& reply,
                 const Effect& effect) {
  SortedSet& members = set.change();
  for (uint64_t i = 0; i < count; ++i) {
    const SortedSet::Scored popped = pop_one(members, extreme);
    reply.add(popped.member, popped.score);
  }
  set.done(pop_of(extreme), count, effect);
}

void pop(Context& ctx, Extreme extreme) {
  if (ctx.args.size() > 3) return ctx.reply.error(kSyntaxError);
  const bool counted = ctx.args.size() == 3;
  const std::optional<uint64_t> wanted =
      counted ? count_argument(ctx, 2) : std::optional<uint64_t>(1);
  if (!wanted) return;
  Edit<SortedSet> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  const uint64_t count = set ? std::min<uint64_t>(*wanted, set->size()) : 0;
  // Paired only where a count was asked for.
  const auto form = counted ? ElementReply::form_for(ctx.reply, true) : ElementReply::Form::kInARow;
  ElementReply reply(ctx.reply, form);
  reply.begin(count);
  if (count > 0) pop_members(set, extreme, count, reply, as_is(ctx));
}

void zpopmin(Context& ctx) { pop(ctx, Extreme::kMin); }
void zpopmax(Context& ctx) { pop(ctx, Extreme::kMax); }

void pop_or_wait(Context& ctx, Extreme extreme) {
  const size_t last = ctx.args.size() - 1;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, last);
  if (!deadline_ms) return;
  const std::span<const Bytes> keys = ctx.args.subspan(1, last - 1);
  const bool answered = pop_from_first<SortedSet>(ctx, keys, [&](Bytes key, Edit<SortedSet>& set) {
    ctx.reply.array(3);
    ctx.reply.bulk(key);
    ElementReply reply(ctx.reply, ElementReply::Form::kInARow);
    pop_members(set, extreme, 1, reply, {pop_command(extreme), key});
  });
  if (!answered) wait_for_any(ctx, keys, ValueType::kSortedSet, *deadline_ms);
}

void bzpopmin(Context& ctx) { pop_or_wait(ctx, Extreme::kMin); }
void bzpopmax(Context& ctx) { pop_or_wait(ctx, Extreme::kMax); }

// False: nothing was answered.
bool pop_several(Context& ctx, const PopArguments& wanted) {
  const Extreme extreme = wanted.from_first ? Extreme::kMin : Extreme::kMax;
  return pop_from_first<SortedSet>(ctx, wanted.keys, [&](Bytes key, Edit<SortedSet>& set) {
    const uint64_t count = std::min<uint64_t>(wanted.count, set->size());
    ctx.reply.array(2);
    ctx.reply.bulk(key);
    ElementReply reply(ctx.reply, ElementReply::Form::kPairs);
    reply.begin(count);
    pop_members(set, extreme, count, reply,
                {pop_command(extreme), key, int64_text(static_cast<int64_t>(count))});
  });
}

void zmpop(Context& ctx) {
  const std::optional<PopArguments> wanted = pop_arguments(ctx, 1, "MIN", "MAX");
  if (wanted && !pop_several(ctx, *wanted)) ctx.reply.null_array();
}

void bzmpop(Context& ctx) {
  const std::optional<PopArguments> wanted = pop_arguments(ctx, 2, "MIN", "MAX");
  if (!wanted) return;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, 1);
  if (!deadline_ms || pop_several(ctx, *wanted)) return;
  wait_for_any(ctx, wanted->keys, ValueType::kSortedSet, *deadline_ms);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
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
    {.name = "zmpop", .arity = -4, .flags = kWrite | kMovableKeys,
     .keys = {keys_counted(1, "RW access delete")}, .handler = zmpop, .group = "sorted-set",
     .since = "7.0.0", .complexity = "O(K)+O(M*log(N)) for K keys and M of N members",
     .summary = "Removes and returns members of the first sorted set that is there",
     .syntax = "numkeys key [key ...] where:<MIN | MAX> [COUNT count]"},
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
    {.name = "bzmpop", .arity = -5, .flags = kWrite | kBlocking | kMovableKeys,
     .keys = {keys_counted(2, "RW access delete")}, .handler = bzmpop, .group = "sorted-set",
     .since = "7.0.0", .complexity = "O(K)+O(M*log(N)) for K keys and M of N members",
     .summary = "Removes and returns members of the first sorted set there is, waiting for one",
     .syntax = "timeout numkeys key [key ...] where:<MIN | MAX> [COUNT count]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> sorted_set_pop_rows() { return kRows; }

}  // namespace tandem
