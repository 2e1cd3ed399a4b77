// Sets: members, random members, and intersection, union and difference. SPOP replicates as the
// SREM that it was.
#include <algorithm>

#include "commands/elements.h"
#include "commands/operands.h"
#include "commands/table.h"
#include "data/set.h"

namespace tandem {
namespace {

void sadd(Context& ctx) {
  const std::span<const Bytes> members = ctx.args.subspan(2);
  const EncodingLimits& limits = ctx.keys.limits();
  Edit<Set> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  const bool is_new = !set;
  Set& all = is_new ? set.create(Set(members.front(), members.size(), limits)) : set.change();
  if (!is_new) all.reserve(members.size(), limits);
  uint64_t added = 0;
  for (const Bytes member : members) added += all.add(member, limits) ? 1 : 0;
  ctx.reply.integer(static_cast<int64_t>(added));
  added > 0 ? set.done(event::kSAdd, added, as_is(ctx)) : set.unchanged();
}

void srem(Context& ctx) { remove_elements<Set>(ctx, event::kSRem); }

void reply_members(Context& ctx, const Set& set) {
  set.for_each([&](Bytes member) {
    ctx.reply.bulk(member);
    return true;
  });
}

void smembers(Context& ctx) {
  const Set* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  if (set == nullptr) return ctx.reply.set(0);
  ctx.reply.set(static_cast<int64_t>(set->size()));
  reply_members(ctx, *set);
}

void sismember(Context& ctx) {
  const Set* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(set != nullptr && set->contains(ctx.args[2]) ? 1 : 0);
}

void smismember(Context& ctx) {
  const Set* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  const std::span<const Bytes> members = ctx.args.subspan(2);
  ctx.reply.array(static_cast<int64_t>(members.size()));
  for (const Bytes member : members) {
    ctx.reply.integer(set != nullptr && set->contains(member) ? 1 : 0);
  }
}

void scard(Context& ctx) {
  const Set* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(set != nullptr ? static_cast<int64_t>(set->size()) : 0);
}

void sscan(Context& ctx) {
  ScanOptions options;
  const Set* set = scanned_container<Set>(ctx, options);
  if (set == nullptr) return;
  reply_scan(ctx, options, [&](uint64_t cursor) {
    ScanStep step{.cursor = 0, .seen = 0, .written = 0};
    step.cursor = set->scan(cursor, [&](Bytes member) {
      ++step.seen;
      if (!options.matches(member)) return;
      ctx.reply.bulk(member);
      ++step.written;
    });
    return step;
  });
}

// `count` different members, which the set has.
std::vector<std::string> draw(const Set& set, size_t count, Random& random) {
  std::vector<std::string> members;
  members.reserve(count);
  set.sample(count, random, [&](Bytes member) { members.emplace_back(member); });
  return members;
}

void pop_one(Context& ctx) {
  Edit<Set> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  if (!set) return ctx.reply.null();
  const std::string member = set->random_member(ctx.random).copy();
  set.change().remove(member);
  set.done(event::kSPop, 1, {"SREM", ctx.args[1], member});
  ctx.reply.bulk(member);
}

void pop_all(Context& ctx, const Set& set) {
  const size_t count = set.size();
  ctx.reply.set(static_cast<int64_t>(count));
  reply_members(ctx, set);
  ctx.keys.tell(event::kSPop, ctx.args[1]);
  ctx.keys.erase(event::kDel, ctx.args[1], {"DEL", ctx.args[1]}, count);
}

void spop(Context& ctx) {
  if (ctx.args.size() == 2) return pop_one(ctx);
  if (ctx.args.size() > 3) return ctx.reply.error(kSyntaxError);
  const std::optional<uint64_t> count = count_argument(ctx, 2);
  if (!count) return;
  Edit<Set> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  if (!set || *count == 0) return ctx.reply.set(0);
  if (*count >= set->size()) return pop_all(ctx, *set);
  const std::vector<std::string> members = draw(*set, static_cast<size_t>(*count), ctx.random);
  ctx.reply.set(static_cast<int64_t>(members.size()));
  Set& all = set.change();
  for (const std::string& member : members) {
    ctx.reply.bulk(member);
    all.remove(member);
  }
  replicate_in_parts(ctx, "SREM", ctx.args[1], members);
  set.done(event::kSPop, members.size(), Effect::none());
}

void srandmember(Context& ctx) {
  draw_elements<Set>(ctx, "", [](const Set& set, Random& random, ElementReply& reply) {
    const Element member = set.random_member(random);
    reply.add(member.text());
  });
}

using Operation = Set (*)(Operands&, const EncodingLimits&);

Set intersection_of(Operands& sets, const EncodingLimits& limits) {
  Set result;
  put_smallest_first(sets);
  intersect(sets, [&](Bytes member, auto) {
    result.add(member, limits);
    return true;
  });
  return result;
}

// As Redis 7.2 does with what SINTERSTORE stores, and with nothing else.
Set compact_intersection_of(Operands& sets, const EncodingLimits& limits) {
  Set result = intersection_of(sets, limits);
  result.become_intset_if_possible(limits);
  return result;
}

Set union_of(Operands& sets, const EncodingLimits& limits) {
  Set result;
  for (const Operand& set : sets) {
    set.for_each([&](Bytes member, double) {
      result.add(member, limits);
      return true;
    });
  }
  return result;
}

Set difference_of(Operands& sets, const EncodingLimits& limits) {
  Set result;
  subtract(
      sets, [&](Bytes member, double) { result.add(member, limits); },
      [&](Bytes member) { result.remove(member); });
  return result;
}

void reply_result(Context& ctx, Operation operation) {
  auto sets = read_operands(ctx, ctx.args.subspan(1), OperandTypes::kSets);
  if (!sets) return;
  const Set result = operation(*sets, ctx.keys.limits());
  ctx.reply.set(static_cast<int64_t>(result.size()));
  reply_members(ctx, result);
}

void store(Context& ctx, const KeyEvent& event, Operation operation) {
  auto sets = read_operands(ctx, ctx.args.subspan(2), OperandTypes::kSets);
  if (!sets) return;
  store_result(ctx, event, ctx.args[1], operation(*sets, ctx.keys.limits()), as_is(ctx));
}

void sinter(Context& ctx) { reply_result(ctx, intersection_of); }
void sunion(Context& ctx) { reply_result(ctx, union_of); }
void sdiff(Context& ctx) { reply_result(ctx, difference_of); }
void sinterstore(Context& ctx) { store(ctx, event::kSInterStore, compact_intersection_of); }
void sunionstore(Context& ctx) { store(ctx, event::kSUnionStore, union_of); }
void sdiffstore(Context& ctx) { store(ctx, event::kSDiffStore, difference_of); }

void sintercard(Context& ctx) {
  const auto key_count = positive_argument(ctx, 1, "ERR numkeys should be greater than 0");
  if (!key_count) return;
  if (*key_count > ctx.args.size() - 2) {
    return ctx.reply.error("ERR Number of keys can't be greater than number of args");
  }
  uint64_t limit = 0;
  for (OptionWords options(ctx, 2 + *key_count); !options.done();) {
    if (!options.take("LIMIT", 1)) return ctx.reply.error(kSyntaxError);
    const std::optional<uint64_t> value = options.count("ERR LIMIT can't be negative");
    if (!value) return;
    limit = *value;
  }
  auto sets = read_operands(ctx, ctx.args.subspan(2, *key_count), OperandTypes::kSets);
  if (sets) ctx.reply.integer(static_cast<int64_t>(count_common(*sets, limit)));
}

void smove(Context& ctx) {
  const Bytes member = ctx.args[3];
  const EncodingLimits& limits = ctx.keys.limits();
  Edit<Set> source(ctx.keys, ctx.args[1]);
  Edit<Set> target(ctx.keys, ctx.args[2]);
  if (source.is_other_type()) return ctx.reply.error(kWrongType);
  if (!source) return ctx.reply.integer(0);
  if (target.is_other_type()) return ctx.reply.error(kWrongType);
  const bool there = source->contains(member);
  ctx.reply.integer(there ? 1 : 0);
  if (!there || ctx.args[1] == ctx.args[2]) return;
  const Effect effect = as_is(ctx);
  source.change().remove(member);
  source.done(event::kSRem, 1, effect);
  Set& members = target ? target.change() : target.create(Set(member, 1, limits));
  members.add(member, limits) ? target.done(event::kSAdd, 1, effect) : target.unchanged();
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "sadd", .arity = -3, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW insert")}, .handler = sadd, .group = "set", .since = "1.0.0",
     .history = "2.4.0 Takes several members",
     .complexity = "O(N) for N members", .summary = "Adds members to a set",
     .syntax = "key member [member ...]"},
    {.name = "srem", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW delete")},
     .handler = srem, .group = "set", .since = "1.0.0",
     .history = "2.4.0 Takes several members", .complexity = "O(N) for N members",
     .summary = "Removes members from a set", .syntax = "key member [member ...]"},
    {.name = "smembers", .arity = 2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = smembers, .group = "set", .tips = "nondeterministic_output_order",
     .since = "1.0.0", .complexity = "O(N) for N members",
     .summary = "Returns all members of a set", .syntax = "key"},
    {.name = "sismember", .arity = 3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = sismember, .group = "set", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Tells whether a member is in a set", .syntax = "key member"},
    {.name = "smismember", .arity = -3, .flags = kReadOnly | kFast,
     .keys = {key_at(1, "RO access")}, .handler = smismember, .group = "set", .since = "6.2.0",
     .complexity = "O(N) for N members", .summary = "Tells which members are in a set",
     .syntax = "key member [member ...]"},
    {.name = "scard", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = scard, .group = "set", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Counts the members of a set", .syntax = "key"},
    {.name = "sscan", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = sscan, .group = "set", .tips = "nondeterministic_output", .since = "2.8.0",
     .complexity = "O(1) a call, O(N) for the whole walk over N members",
     .summary = "Walks the members of a set step by step",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
    {.name = "spop", .arity = -2, .flags = kWrite | kFast,
     .keys = {key_at(1, "RW access delete")}, .handler = spop, .group = "set",
     .tips = "nondeterministic_output", .since = "1.0.0",
     .history = "3.2.0 Takes a count", .complexity = "O(N) for N members",
     .summary = "Removes and returns random members of a set",
     .syntax = "key [count]@3.2.0"},
    {.name = "srandmember", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = srandmember, .group = "set", .tips = "nondeterministic_output", .since = "1.0.0",
     .history = "2.6.0 Takes a count", .complexity = "O(N) for N members",
     .summary = "Returns random members of a set",
     .syntax = "key [count]@2.6.0"},
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
// clang-format on

}  // namespace

std::vector<CommandRow> set_rows() { return kRows; }

}  // namespace tandem
