// Intersection, union and difference of sets, and SMOVE.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "data/set.h"

namespace tandem {
namespace {

using Operands = std::vector<const Set*>;  // null where the key is absent

std::optional<Operands> read_operands(Context& ctx, std::span<const Bytes> keys) {
  Operands operands;
  for (const Bytes key : keys) {
    const Set* set;
    if (!ctx.keys.read(key, set)) {
      ctx.reply.error(kWrongType);
      return std::nullopt;
    }
    operands.push_back(set);
  }
  return operands;
}

bool all_contain(std::span<const Set* const> sets, Bytes member) {
  return std::ranges::all_of(sets, [&](const Set* set) { return set->contains(member); });
}

// Visits the common members until visit says false.
void intersect(Operands sets, FunctionRef<bool(Bytes)> visit) {
  if (std::ranges::count(sets, nullptr) > 0) return;
  std::ranges::sort(sets, {}, [](const Set* set) { return set->size(); });
  const std::span<const Set* const> others = std::span(sets).subspan(1);
  sets.front()->for_each(
      [&](Bytes member) { return !all_contain(others, member) || visit(member); });
}

using Operation = Set (*)(const Operands&, const EncodingLimits&);

Set intersection_of(const Operands& sets, const EncodingLimits& limits) {
  Set result;
  intersect(sets, [&](Bytes member) {
    result.add(member, limits);
    return true;
  });
  return result;
}

Set union_of(const Operands& sets, const EncodingLimits& limits) {
  Set result;
  for (const Set* set : sets) {
    if (set == nullptr) continue;
    set->for_each([&](Bytes member) {
      result.add(member, limits);
      return true;
    });
  }
  return result;
}

Set difference_of(const Operands& sets, const EncodingLimits& limits) {
  Set result;
  if (sets.front() == nullptr) return result;
  sets.front()->for_each([&](Bytes member) {
    const bool elsewhere = std::any_of(sets.begin() + 1, sets.end(), [&](const Set* set) {
      return set != nullptr && set->contains(member);
    });
    if (!elsewhere) result.add(member, limits);
    return true;
  });
  return result;
}

void reply_result(Context& ctx, Operation operation) {
  const std::optional<Operands> operands = read_operands(ctx, ctx.args.subspan(1));
  if (!operands) return;
  const Set result = operation(*operands, ctx.keys.limits());
  ctx.reply.set(static_cast<int64_t>(result.size()));
  result.for_each([&](Bytes member) {
    ctx.reply.bulk(member);
    return true;
  });
}

void store_result(Context& ctx, Operation operation) {
  const Bytes target = ctx.args[1];
  const std::optional<Operands> operands = read_operands(ctx, ctx.args.subspan(2));
  if (!operands) return;
  Set result = operation(*operands, ctx.keys.limits());
  const size_t size = result.size();
  if (size > 0) {
    result.become_intset_if_possible(ctx.keys.limits());
    install(ctx.keys, target, std::move(result), 1);
    ctx.replicate_as_is();
  } else if (ctx.keys.erase(target)) {
    ctx.replicate({"DEL", target});
  }
  ctx.reply.integer(static_cast<int64_t>(size));
}

void sinter(Context& ctx) { reply_result(ctx, intersection_of); }
void sunion(Context& ctx) { reply_result(ctx, union_of); }
void sdiff(Context& ctx) { reply_result(ctx, difference_of); }
void sinterstore(Context& ctx) { store_result(ctx, intersection_of); }
void sunionstore(Context& ctx) { store_result(ctx, union_of); }
void sdiffstore(Context& ctx) { store_result(ctx, difference_of); }

void sintercard(Context& ctx) {
  const auto count = integer_argument(ctx, 1, "ERR numkeys should be greater than 0");
  if (!count) return;
  if (*count < 1) return ctx.reply.error("ERR numkeys should be greater than 0");
  const auto key_count = static_cast<size_t>(*count);
  if (key_count > ctx.args.size() - 2) {
    return ctx.reply.error("ERR Number of keys can't be greater than number of args");
  }
  uint64_t limit = 0;
  for (OptionWords options(ctx, 2 + key_count); !options.done();) {
    if (!options.take("LIMIT", 1)) return ctx.reply.error(kSyntaxError);
    const std::optional<int64_t> value = options.integer("ERR LIMIT can't be negative");
    if (!value) return;
    if (*value < 0) return ctx.reply.error("ERR LIMIT can't be negative");
    limit = static_cast<uint64_t>(*value);
  }
  const std::optional<Operands> operands = read_operands(ctx, ctx.args.subspan(2, key_count));
  if (!operands) return;
  uint64_t common = 0;
  intersect(*operands, [&](Bytes) { return ++common != limit; });
  ctx.reply.integer(static_cast<int64_t>(common));
}

void smove(Context& ctx) {
  const Bytes source_key = ctx.args[1];
  const Bytes target_key = ctx.args[2];
  const Bytes member = ctx.args[3];
  Set* source;
  Set* target;
  if (!ctx.keys.write(source_key, source)) return ctx.reply.error(kWrongType);
  if (source == nullptr) return ctx.reply.integer(0);
  if (!ctx.keys.write(target_key, target)) return ctx.reply.error(kWrongType);
  if (source == target) return ctx.reply.integer(source->contains(member) ? 1 : 0);
  if (!source->remove(member)) return ctx.reply.integer(0);
  const EncodingLimits& limits = ctx.keys.limits();
  if (target == nullptr) target = &install(ctx.keys, target_key, Set(member, 1, limits));
  const bool added = target->add(member, limits);
  ctx.keys.changed(target_key, added ? 1 : 0);
  settle(ctx.keys, source_key, *source);
  ctx.replicate_as_is();
  ctx.reply.integer(1);
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> set_algebra_rows() {
  return {
      {.name = "sinter", .arity = -2, .flags = kReadOnly,
       .keys = {keys_range(1, -1, 1, "RO access")}, .handler = sinter, .group = "set",
       .tips = "nondeterministic_output_order", .since = "1.0.0",
       .complexity = "O(N*M) for M sets of which the smallest has N members",
       .summary = "Returns the members that all of the sets have", .syntax = "key [key ...]"},
      {.name = "sunion", .arity = -2, .flags = kReadOnly,
       .keys = {keys_range(1, -1, 1, "RO access")}, .handler = sunion, .group = "set",
       .tips = "nondeterministic_output_order", .since = "1.0.0",
       .complexity = "O(N) for N members in all sets",
       .summary = "Returns the members that any of the sets has", .syntax = "key [key ...]"},
      {.name = "sdiff", .arity = -2, .flags = kReadOnly,
       .keys = {keys_range(1, -1, 1, "RO access")}, .handler = sdiff, .group = "set",
       .tips = "nondeterministic_output_order", .since = "1.0.0",
       .complexity = "O(N) for N members in all sets",
       .summary = "Returns the members of the first set that no other set has",
       .syntax = "key [key ...]"},
      {.name = "sinterstore", .arity = -3, .flags = kWrite | kDenyOom,
       .keys = {key_at(1, "RW update"), keys_range(2, -1, 1, "RO access")}, .handler = sinterstore,
       .group = "set", .since = "1.0.0",
       .complexity = "O(N*M) for M sets of which the smallest has N members",
       .summary = "Stores the members that all of the sets have",
       .syntax = "destination key [key ...]"},
      {.name = "sunionstore", .arity = -3, .flags = kWrite | kDenyOom,
       .keys = {key_at(1, "OW update"), keys_range(2, -1, 1, "RO access")}, .handler = sunionstore,
       .group = "set", .since = "1.0.0", .complexity = "O(N) for N members in all sets",
       .summary = "Stores the members that any of the sets has",
       .syntax = "destination key [key ...]"},
      {.name = "sdiffstore", .arity = -3, .flags = kWrite | kDenyOom,
       .keys = {key_at(1, "OW update"), keys_range(2, -1, 1, "RO access")}, .handler = sdiffstore,
       .group = "set", .since = "1.0.0", .complexity = "O(N) for N members in all sets",
       .summary = "Stores the members of the first set that no other set has",
       .syntax = "destination key [key ...]"},
      {.name = "sintercard", .arity = -3, .flags = kReadOnly | kMovableKeys,
       .keys = {keys_counted(1, "RO access")}, .handler = sintercard, .group = "set",
       .since = "7.0.0", .complexity = "O(N*M) for M sets of which the smallest has N members",
       .summary = "Counts the members that all of the sets have",
       .syntax = "numkeys key [key ...] [LIMIT limit]"},
      {.name = "smove", .arity = 4, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = smove,
       .group = "set", .since = "1.0.0", .complexity = "O(1)",
       .summary = "Moves a member from one set to another", .syntax = "source destination member"},
  };
}
// clang-format on

}  // namespace tandem
