// Random members: SPOP and SRANDMEMBER. SPOP replicates as the SREM that it was.
#include <algorithm>
#include <limits>

#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "data/set.h"

namespace tandem {
namespace {

// `count` different members, which the set has.
std::vector<std::string> draw(const Set& set, size_t count, Random& random) {
  std::vector<std::string> members;
  members.reserve(count);
  set.sample(count, random, [&](Bytes member) { members.emplace_back(member); });
  return members;
}

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
  const Bytes key = ctx.args[1];
  Set* set;
  if (!ctx.keys.write(key, set)) return ctx.reply.error(kWrongType);
  if (set == nullptr) return ctx.reply.null();
  const std::string member = set->random_member(ctx.random).copy();
  set->remove(member);
  settle(ctx.keys, key, *set);
  ctx.replicate({"SREM", key, member});
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
  ctx.keys.erase(ctx.args[1], count);
  ctx.replicate({"DEL", ctx.args[1]});
}

void spop(Context& ctx) {
  const Bytes key = ctx.args[1];
  if (ctx.args.size() == 2) return pop_one(ctx);
  if (ctx.args.size() > 3) return ctx.reply.error(kSyntaxError);
  const std::optional<uint64_t> count = count_argument(ctx, 2);
  if (!count) return;
  Set* set;
  if (!ctx.keys.write(key, set)) return ctx.reply.error(kWrongType);
  if (set == nullptr || *count == 0) return ctx.reply.set(0);
  if (*count >= set->size()) return pop_all(ctx, *set);
  const std::vector<std::string> members = draw(*set, static_cast<size_t>(*count), ctx.random);
  ctx.reply.set(static_cast<int64_t>(members.size()));
  for (const std::string& member : members) {
    ctx.reply.bulk(member);
    set->remove(member);
  }
  ctx.keys.changed(key, members.size());
  replicate_removal(ctx, key, members);
}

// With a negative count members may come twice.
void draw_with_repeats(Context& ctx, const Set& set, uint64_t count) {
  ctx.reply.array(static_cast<int64_t>(count));
  for (uint64_t i = 0; i < count; ++i) {
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

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> set_draw_rows() {
  return {
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
  };
}
// clang-format on

}  // namespace tandem
