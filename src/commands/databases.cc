// Whole databases.
#include "base/ascii.h"
#include "commands/arguments.h"
#include "commands/rows.h"

namespace tandem {
namespace {

void dbsize(Context& ctx) { ctx.reply.integer(ctx.keys.size()); }

void randomkey(Context& ctx) {
  const Entry* entry = ctx.keys.random(ctx.random);
  entry != nullptr ? ctx.reply.bulk(entry->key()) : ctx.reply.null();
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
  ctx.keys.clear();
  ctx.replicate_as_is();  // even if nothing was there, as a replica may hold what should not be
  ctx.reply.ok();
}

void flushall(Context& ctx) {
  if (!parse_flush(ctx)) return;
  for (int i = 0; i < ctx.keys.database_count(); ++i) ctx.keys.at(i).clear();
  ctx.keys.access().keyspace().count_flush();
  ctx.replicate_as_is();
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
  if (*first != *second) ctx.keys.at(*first).swap_with(*second);
  ctx.replicate_as_is();
  ctx.reply.ok();
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> database_rows() {
  return {
      {.name = "dbsize", .arity = 1, .flags = kReadOnly | kFast, .scope = LockScope::kEverything,
       .handler = dbsize, .group = "server", .categories = "keyspace",
       .tips = "request_policy:all_shards response_policy:agg_sum", .since = "1.0.0",
       .complexity = "O(1)", .summary = "Counts the keys of the database"},
      {.name = "randomkey", .arity = 1, .flags = kReadOnly, .scope = LockScope::kEverything,
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
  };
}
// clang-format on

}  // namespace tandem
