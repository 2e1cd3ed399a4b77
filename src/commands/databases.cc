// Whole databases: their size, their keys, emptying and exchanging them.
//
// A step of the keyspace's own scan visits one chain of some five keys in one of 16,384 partitions,
// most of which are empty in a small database: SCAN steps on until it has seen COUNT keys or
// reached the end. SCAN, KEYS and RANDOMKEY visit one stripe after the other: others write in
// between, and what was there from beginning to end is told once.
#include "base/bytes.h"
#include "base/glob.h"
#include "base/number.h"
#include "commands/arguments.h"
#include "commands/table.h"

namespace tandem {
namespace {

void dbsize(Context& ctx) { ctx.reply.integer(ctx.keys.size()); }

const Entry* first_live_in(Context& ctx, int stripe) {
  const Entry* first = nullptr;
  ctx.keys.for_each_in(stripe, [&](const Entry& entry) { first = first ? first : &entry; });
  return first;
}

void randomkey(Context& ctx) {
  static constexpr int kDrawsMax = 100;
  for (int draws = 0; draws < kDrawsMax; ++draws) {
    const std::optional<int> stripe = ctx.keys.draw_stripe(ctx.random);
    if (!stripe) return ctx.reply.null();
    if (!ctx.visit(*stripe)) return;
    const Entry* entry = ctx.keys.random_in(*stripe, ctx.random);
    if (entry != nullptr) return ctx.reply.bulk(entry->key());
  }
  // Nearly everything has expired: take the first that has not, or none.
  for (int stripe = 0; stripe < kStripes; ++stripe) {
    if (!ctx.visit(stripe)) return;
    const Entry* entry = first_live_in(ctx, stripe);
    if (entry != nullptr) return ctx.reply.bulk(entry->key());
  }
  ctx.reply.null();
}

// ASYNC and SYNC make no difference here: the tables leave at once, what was in them is freed after
// the locks.
bool parse_flush(Context& ctx) {
  const size_t count = ctx.args.size();
  if (count == 1) return true;
  if (count == 2 &&
      (equal_ignore_case(ctx.args[1], "ASYNC") || equal_ignore_case(ctx.args[1], "SYNC"))) {
    return true;
  }
  ctx.reply.error(kSyntaxError);
  return false;
}

void flushdb(Context& ctx) {
  if (!parse_flush(ctx)) return;
  ctx.keys.clear(as_is(ctx));
  ctx.reply.ok();
}

void flushall(Context& ctx) {
  if (!parse_flush(ctx)) return;
  const Effect effect = as_is(ctx);
  for (int i = 0; i < ctx.keys.database_count(); ++i) ctx.keys.at(i).clear(effect);
  ctx.keys.access().keyspace().count_flush(ctx.keys.all_stripes());
  ctx.reply.ok();
}

void swapdb(Context& ctx) {
  const std::optional<int> first = small_integer_argument(ctx, 1, "ERR invalid first DB index");
  if (!first) return;
  const std::optional<int> second = small_integer_argument(ctx, 2, "ERR invalid second DB index");
  if (!second) return;
  const int count = ctx.keys.database_count();
  if (*first < 0 || *first >= count || *second < 0 || *second >= count) {
    return ctx.reply.error("ERR DB index is out of range");
  }
  *first != *second ? ctx.keys.at(*first).swap_with(*second, as_is(ctx))
                    : ctx.keys.change_beside_keys(as_is(ctx));
  ctx.reply.ok();
}

void keys(Context& ctx) {
  const Bytes pattern = ctx.args[1];
  const bool all = pattern == "*";
  const ReplyWriter::Mark array = ctx.reply.begin_array();
  int64_t count = 0;
  const auto tell = [&](const Entry& entry) {
    if (!all && !glob_match(pattern, entry.key())) return;
    ctx.reply.bulk(entry.key());
    ++count;
  };
  for (int stripe = 0; stripe < kStripes && !ctx.reply.is_full(); ++stripe) {
    if (ctx.keys.keys_in(stripe) == 0) continue;
    if (!ctx.visit(stripe)) return;
    ctx.keys.for_each_in(stripe, tell);
  }
  ctx.reply.end_array(array, count);
}

void scan(Context& ctx) {
  const std::optional<ScanOptions> options = parse_scan(ctx);
  if (!options) return;
  reply_scan(ctx, *options, [&](uint64_t cursor) {
    ScanStep step{.cursor = 0, .seen = 0, .written = 0};
    step.refused = !ctx.visit(View::stripe_of_cursor(cursor));
    if (step.refused) return step;
    step.cursor = ctx.keys.scan(cursor, [&](const Entry& entry) {
      ++step.seen;
      if (options->type && !equal_ignore_case(type_name(entry.type()), *options->type)) return;
      if (!options->matches(entry.key())) return;
      ctx.reply.bulk(entry.key());
      ++step.written;
    });
    return step;
  });
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "dbsize", .arity = 1, .flags = kReadOnly | kFast, .scope = LockScope::kEverything,
     .handler = dbsize, .group = "server", .categories = "keyspace",
     .tips = "request_policy:all_shards response_policy:agg_sum", .since = "1.0.0",
     .complexity = "O(1)", .summary = "Counts the keys of the database"},
    {.name = "randomkey", .arity = 1, .flags = kReadOnly, .scope = LockScope::kVisits,
     .handler = randomkey, .group = "generic",
     .tips = "request_policy:all_shards response_policy:special nondeterministic_output",
     .since = "1.0.0", .complexity = "O(1)", .summary = "Returns some key of the database"},
    {.name = "flushdb", .arity = -1, .flags = kWrite, .scope = LockScope::kEverything,
     .handler = flushdb, .group = "server", .categories = "keyspace dangerous",
     .tips = "request_policy:all_shards response_policy:all_succeeded", .since = "1.0.0",
     .history = "4.0.0 Takes ASYNC; 6.2.0 Takes SYNC",
     .complexity = "O(N) for N keys", .summary = "Deletes all keys of the database",
     .syntax = "flush-type:[ASYNC@4.0.0 | SYNC@6.2.0]"},
    {.name = "flushall", .arity = -1, .flags = kWrite, .scope = LockScope::kEverything,
     .handler = flushall, .group = "server", .categories = "keyspace dangerous",
     .tips = "request_policy:all_shards response_policy:all_succeeded", .since = "1.0.0",
     .history = "4.0.0 Takes ASYNC; 6.2.0 Takes SYNC",
     .complexity = "O(N) for N keys", .summary = "Deletes all keys of all databases",
     .syntax = "flush-type:[ASYNC@4.0.0 | SYNC@6.2.0]"},
    {.name = "swapdb", .arity = 3, .flags = kWrite | kFast, .scope = LockScope::kEverything,
     .handler = swapdb, .group = "server", .categories = "keyspace dangerous", .since = "4.0.0",
     .complexity = "O(N) for N clients that watch or wait for their keys",
     .summary = "Exchanges two databases", .syntax = "index1 index2"},
    {.name = "keys", .arity = 2, .flags = kReadOnly, .scope = LockScope::kVisits,
     .handler = keys, .group = "generic", .categories = "keyspace dangerous",
     .tips = "request_policy:all_shards nondeterministic_output_order", .since = "1.0.0",
     .complexity = "O(N) for N keys in the database",
     .summary = "Returns all keys that match a pattern", .syntax = "pattern"},
    {.name = "scan", .arity = -2, .flags = kReadOnly, .scope = LockScope::kVisits,
     .handler = scan, .group = "generic",
     .tips = "nondeterministic_output request_policy:special response_policy:special",
     .since = "2.8.0", .history = "6.0.0 Takes TYPE",
     .complexity = "O(1) a call, O(N) for the whole walk over N keys",
     .summary = "Walks the keys of a database step by step",
     .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]@6.0.0"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> database_rows() { return kRows; }

}  // namespace tandem
