// Sets, one at a time.
#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "commands/scan_options.h"
#include "data/set.h"

namespace tandem {
namespace {

void sadd(Context& ctx) {
  const Bytes key = ctx.args[1];
  const std::span<const Bytes> members = ctx.args.subspan(2);
  const EncodingLimits& limits = ctx.keys.limits();
  Set* set;
  if (!ctx.keys.write(key, set)) return ctx.reply.error(kWrongType);
  if (set == nullptr) {
    set = &install(ctx.keys, key, Set(members.front(), members.size(), limits));
  } else {
    set->reserve(members.size(), limits);
  }
  int64_t added = 0;
  for (const Bytes member : members) added += set->add(member, limits) ? 1 : 0;
  if (added > 0) {
    ctx.keys.changed(key, static_cast<uint64_t>(added));
    ctx.replicate_as_is();
  }
  ctx.reply.integer(added);
}

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

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> set_rows() {
  return {
      {.name = "sadd", .arity = -3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW insert")}, .handler = sadd, .group = "set", .since = "1.0.0",
       .history = "2.4.0 Takes several members",
       .complexity = "O(N) for N members", .summary = "Adds members to a set",
       .syntax = "key member [member ...]"},
      {.name = "srem", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW delete")},
       .handler = remove_elements<Set>, .group = "set", .since = "1.0.0",
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
  };
}
// clang-format on

}  // namespace tandem
