// Lists by their ends: push, pop, length, range.
#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "data/list.h"

namespace tandem {
namespace {

void push(Context& ctx, ListEnd end, bool only_present) {
  const Bytes key = ctx.args[1];
  List* list;
  if (!ctx.keys.write(key, list)) return ctx.reply.error(kWrongType);
  if (list == nullptr && only_present) return ctx.reply.integer(0);
  if (list == nullptr) list = &ctx.keys.create<List>(key);
  list->push(end, ctx.args.subspan(2), ctx.keys.limits());
  ctx.keys.changed(key, ctx.args.size() - 2);
  ctx.replicate_as_is();
  ctx.reply.integer(static_cast<int64_t>(list->size()));
}

void lpush(Context& ctx) { push(ctx, ListEnd::kHead, false); }
void rpush(Context& ctx) { push(ctx, ListEnd::kTail, false); }
void lpushx(Context& ctx) { push(ctx, ListEnd::kHead, true); }
void rpushx(Context& ctx) { push(ctx, ListEnd::kTail, true); }

void pop(Context& ctx, ListEnd end) {
  const Bytes key = ctx.args[1];
  if (ctx.args.size() > 3) return wrong_argument_count(ctx);
  const bool counted = ctx.args.size() == 3;
  const std::optional<uint64_t> wanted =
      counted ? count_argument(ctx, 2) : std::optional<uint64_t>(1);
  if (!wanted) return;
  List* list;
  if (!ctx.keys.write(key, list)) return ctx.reply.error(kWrongType);
  if (list == nullptr) return counted ? ctx.reply.null_array() : ctx.reply.null();
  const uint64_t count = std::min<uint64_t>(*wanted, list->size());
  if (counted) ctx.reply.array(static_cast<int64_t>(count));
  if (count == 0) return;
  for (uint64_t i = 0; i < count; ++i) ctx.reply.bulk(*list->pop(end, ctx.keys.limits()));
  settle(ctx.keys, key, *list, count);
  ctx.replicate_as_is();
}

void lpop(Context& ctx) { pop(ctx, ListEnd::kHead); }
void rpop(Context& ctx) { pop(ctx, ListEnd::kTail); }

void llen(Context& ctx) {
  const List* list;
  if (!ctx.keys.read(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(list != nullptr ? static_cast<int64_t>(list->size()) : 0);
}

void lrange(Context& ctx) {
  const std::optional<int64_t> start = integer_argument(ctx, 2);
  if (!start) return;
  const std::optional<int64_t> stop = integer_argument(ctx, 3);
  if (!stop) return;
  const List* list;
  if (!ctx.keys.read(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  if (list == nullptr) return ctx.reply.array(0);
  const IndexRange range = index_range(*start, *stop, list->size());
  ctx.reply.array(static_cast<int64_t>(range.count));
  list->for_each(range.first, range.count, false, [&](Bytes element) {
    ctx.reply.bulk(element);
    return true;
  });
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> list_rows() {
  return {
      {.name = "lpush", .arity = -3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW insert")}, .handler = lpush, .group = "list", .since = "1.0.0",
       .history = "2.4.0 Takes several elements",
       .complexity = "O(N) for N elements", .summary = "Adds elements before the first of a list",
       .syntax = "key element [element ...]"},
      {.name = "rpush", .arity = -3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW insert")}, .handler = rpush, .group = "list", .since = "1.0.0",
       .history = "2.4.0 Takes several elements",
       .complexity = "O(N) for N elements", .summary = "Adds elements after the last of a list",
       .syntax = "key element [element ...]"},
      {.name = "lpushx", .arity = -3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW insert")}, .handler = lpushx, .group = "list", .since = "2.2.0",
       .history = "4.0.0 Takes several elements", .complexity = "O(N) for N elements",
       .summary = "Adds elements before the first of a list that exists",
       .syntax = "key element [element ...]"},
      {.name = "rpushx", .arity = -3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW insert")}, .handler = rpushx, .group = "list", .since = "2.2.0",
       .history = "4.0.0 Takes several elements", .complexity = "O(N) for N elements",
       .summary = "Adds elements after the last of a list that exists",
       .syntax = "key element [element ...]"},
      {.name = "lpop", .arity = -2, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access delete")}, .handler = lpop, .group = "list", .since = "1.0.0",
       .history = "6.2.0 Takes a count", .complexity = "O(N) for N elements",
       .summary = "Removes and returns the first elements of a list",
       .syntax = "key [count]@6.2.0"},
      {.name = "rpop", .arity = -2, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access delete")}, .handler = rpop, .group = "list", .since = "1.0.0",
       .history = "6.2.0 Takes a count", .complexity = "O(N) for N elements",
       .summary = "Removes and returns the last elements of a list",
       .syntax = "key [count]@6.2.0"},
      {.name = "llen", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
       .handler = llen, .group = "list", .since = "1.0.0", .complexity = "O(1)",
       .summary = "Counts the elements of a list", .syntax = "key"},
      {.name = "lrange", .arity = 4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = lrange, .group = "list", .since = "1.0.0",
       .complexity = "O(S+N) for a start at S and N elements",
       .summary = "Returns a part of a list", .syntax = "key start stop"},
  };
}
// clang-format on

}  // namespace tandem
