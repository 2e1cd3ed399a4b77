// MGET, MSET and MSETNX: several strings in one command.
#include "commands/arguments.h"
#include "commands/rows.h"

namespace tandem {
namespace {

void mget(Context& ctx) {
  ctx.reply.array(static_cast<int64_t>(ctx.args.size()) - 1);
  for (const Bytes key : ctx.args.subspan(1)) {
    StringText text;
    // Another type counts as absent here.
    ctx.keys.read_text(key, text) && text ? ctx.reply.bulk(*text) : ctx.reply.null();
  }
}

void store_pairs(Context& ctx) {
  for (size_t i = 1; i + 1 < ctx.args.size(); i += 2) {
    ctx.keys.set_text(ctx.args[i], ctx.args[i + 1], kNoExpiry);
  }
  ctx.replicate_as_is();
}

void mset(Context& ctx) {
  if (ctx.args.size() % 2 == 0) return wrong_argument_count(ctx);
  store_pairs(ctx);
  ctx.reply.ok();
}

void msetnx(Context& ctx) {
  if (ctx.args.size() % 2 == 0) return wrong_argument_count(ctx);
  for (size_t i = 1; i < ctx.args.size(); i += 2) {
    if (ctx.keys.exists(ctx.args[i])) return ctx.reply.integer(0);
  }
  store_pairs(ctx);
  ctx.reply.integer(1);
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> multi_string_rows() {
  return {
      {.name = "mget", .arity = -2, .flags = kReadOnly | kFast,
       .keys = {keys_range(1, -1, 1, "RO access")}, .handler = mget, .group = "string",
       .tips = "request_policy:multi_shard", .since = "1.0.0", .complexity = "O(N) for N keys",
       .summary = "Returns the strings at several keys", .syntax = "key [key ...]"},
      {.name = "mset", .arity = -3, .flags = kWrite | kDenyOom,
       .keys = {keys_range(1, -1, 2, "OW update")}, .handler = mset, .group = "string",
       .tips = "request_policy:multi_shard response_policy:all_succeeded", .since = "1.0.1",
       .complexity = "O(N) for N keys", .summary = "Stores several strings at once",
       .syntax = "key value [key value ...]"},
      {.name = "msetnx", .arity = -3, .flags = kWrite | kDenyOom,
       .keys = {keys_range(1, -1, 2, "OW insert")}, .handler = msetnx, .group = "string",
       .since = "1.0.1", .complexity = "O(N) for N keys",
       .summary = "Stores several strings at once if all of the keys are absent",
       .syntax = "key value [key value ...]"},
  };
}
// clang-format on

}  // namespace tandem
