// Commands on whole keys of any type.
#include "commands/arguments.h"
#include "commands/rows.h"

namespace tandem {
namespace {

void del(Context& ctx) {
  int64_t deleted = 0;
  for (const Bytes key : ctx.args.subspan(1)) deleted += ctx.keys.erase(key) ? 1 : 0;
  if (deleted > 0) ctx.replicate_as_is();
  ctx.reply.integer(deleted);
}

// Big values are freed after the locks are let go anyway.
void unlink(Context& ctx) { del(ctx); }

void exists(Context& ctx) {
  int64_t count = 0;
  for (const Bytes key : ctx.args.subspan(1)) count += ctx.keys.read(key) != nullptr ? 1 : 0;
  ctx.reply.integer(count);
}

void touch(Context& ctx) { exists(ctx); }

void type(Context& ctx) {
  const Entry* entry = ctx.keys.read(ctx.args[1]);
  ctx.reply.simple(entry != nullptr ? type_name(entry->type()) : "none");
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> key_rows() {
  return {
      {.name = "del", .arity = -2, .flags = kWrite, .keys = {keys_range(1, -1, 1, "RM delete")},
       .handler = del, .group = "generic",
       .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "1.0.0",
       .complexity = "O(N) for N keys, and O(M) for a container of M elements",
       .summary = "Deletes keys", .syntax = "key [key ...]"},
      {.name = "unlink", .arity = -2, .flags = kWrite | kFast,
       .keys = {keys_range(1, -1, 1, "RM delete")}, .handler = unlink, .group = "generic",
       .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "4.0.0",
       .complexity = "O(1) for each key", .summary = "Deletes keys and frees their values later",
       .syntax = "key [key ...]"},
      {.name = "exists", .arity = -2, .flags = kReadOnly | kFast,
       .keys = {keys_range(1, -1, 1, "RO")}, .handler = exists, .group = "generic",
       .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "1.0.0",
       .history = "3.0.3 Takes several keys",
       .complexity = "O(N) for N keys", .summary = "Counts which of the keys exist",
       .syntax = "key [key ...]"},
      {.name = "touch", .arity = -2, .flags = kReadOnly | kFast,
       .keys = {keys_range(1, -1, 1, "RO")}, .handler = touch, .group = "generic",
       .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "3.2.1",
       .complexity = "O(N) for N keys",
       .summary = "Counts which of the keys exist and marks them as used",
       .syntax = "key [key ...]"},
      {.name = "type", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
       .handler = type, .group = "generic", .since = "1.0.0", .complexity = "O(1)",
       .summary = "Names the type of a value", .syntax = "key"},
  };
}
// clang-format on

}  // namespace tandem
