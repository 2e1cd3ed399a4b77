// Sets: members, random members, and intersection, union and difference. SPOP replicates as the
// SREM that it was.
#include <algorithm>
#include <limits>

#include "commands/arguments.h"
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

void smembers(Context& ctx) {
  const Set* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  if (set == nullptr) return ctx.reply.set(0);
  ctx.reply.set(static_cast<int64_t>(set->size()));
  set->for_each([&](Bytes member) {
    ctx.reply.bulk(member);
    return true;
  });
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

// What SPOP did, in commands of a moderate size.
void replicate_removal(Context& ctx, Bytes key, const std::vector<std::string>& members) {
  if (!ctx.replicates()) return;
  constexpr size_t kMembersMax = 1024;  // of one command
  for (size_t first = 0; first < members.size(); first += kMembersMax) {
    std::vector<Bytes> effect = {"SREM", key};
    const size_t end = std::min(members.size(), first + kMembersMax);
    effect.insert(effect.end(), members.begin() + static_cast<ptrdiff_t>(first),
                  members.begin() + static_cast<ptrdiff_t>(end));
    ctx.replicate(effect);
  }
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

void reply_members(Context& ctx, const Set& set) {
  set.for_each([&](Bytes member) {
    ctx.reply.bulk(member);
    return true;
  });
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
  replicate_removal(ctx, ctx.args[1], members);
  set.done(event::kSPop, members.size(), Effect::none());
}

// With a negative count members may come twice.
void draw_with_repeats(Context& ctx, const Set& set, uint64_t count) {
  ctx.reply.array(static_cast<int64_t>(count));
  for (uint64_t i = 0; i < count && !ctx.reply.is_full(); ++i) {
    const Element member = set.random_member(ctx.random);
    ctx.reply.bulk(member.text());
  }
}

void srandmember(Context& ctx) {
  const Set* set;
  if (ctx.args.size() > 3) return ctx.reply.error(kSyntaxError);
  if (ctx.args.size() == 2) {
    if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
    if (set == nullptr) return ctx.reply.null();
    const Element member = set->random_member(ctx.random);
    return ctx.reply.bulk(member.text());
  }
  const std::optional<int64_t> count = integer_argument(ctx, 2);
  if (!count) return;
  if (*count == std::numeric_limits<int64_t>::min()) {
    return ctx.reply.error(kNoSymmetricInteger);
  }
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  if (set == nullptr || *count == 0) return ctx.reply.array(0);
  if (*count < 0) return draw_with_repeats(ctx, *set, static_cast<uint64_t>(-*count));
  const size_t wanted = std::min(set->size(), static_cast<size_t>(*count));
  ctx.reply.array(static_cast<int64_t>(wanted));
  if (wanted == set->size()) return reply_members(ctx, *set);
  set->sample(wanted, ctx.random, [&](Bytes member) { ctx.reply.bulk(member); });
}

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

void store_result(Context& ctx, const KeyEvent& event, Operation operation) {
  const Bytes target = ctx.args[1];
  const std::optional<Operands> operands = read_operands(ctx, ctx.args.subspan(2));
  if (!operands) return;
  Set result = operation(*operands, ctx.keys.limits());
  const size_t size = result.size();
  if (size > 0) {
    result.become_intset_if_possible(ctx.keys.limits());
    ctx.keys.put(event, target, Value(std::make_unique<Set>(std::move(result))), kNoExpiry,
                 as_is(ctx));
  } else {
    ctx.keys.erase(event::kDel, target, {"DEL", target});
  }
  ctx.reply.integer(static_cast<int64_t>(size));
}

void sinter(Context& ctx) { reply_result(ctx, intersection_of); }
void sunion(Context& ctx) { reply_result(ctx, union_of); }
void sdiff(Context& ctx) { reply_result(ctx, difference_of); }
void sinterstore(Context& ctx) { store_result(ctx, event::kSInterStore, intersection_of); }
void sunionstore(Context& ctx) { store_result(ctx, event::kSUnionStore, union_of); }
void sdiffstore(Context& ctx) { store_result(ctx, event::kSDiffStore, difference_of); }

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
