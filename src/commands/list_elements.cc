// Lists by index and by value.
#include "base/ascii.h"
#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "data/list.h"

namespace tandem {
namespace {

void lindex(Context& ctx) {
  const List* list;
  if (!ctx.keys.read(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  if (list == nullptr) return ctx.reply.null();
  const std::optional<int64_t> index = integer_argument(ctx, 2);
  if (!index) return;
  const std::optional<Element> element = list->at(*index);
  element ? ctx.reply.bulk(element->text()) : ctx.reply.null();
}

void lset(Context& ctx) {
  List* list;
  if (!ctx.keys.write(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  if (list == nullptr) return ctx.reply.error(kNoSuchKey);
  const std::optional<int64_t> index = integer_argument(ctx, 2);
  if (!index) return;
  if (!list->set(*index, ctx.args[3], ctx.keys.limits())) {
    return ctx.reply.error("ERR index out of range");
  }
  ctx.keys.changed(ctx.args[1]);
  ctx.replicate_as_is();
  ctx.reply.ok();
}

void linsert(Context& ctx) {
  const bool before = equal_ignore_case(ctx.args[2], "BEFORE");
  if (!before && !equal_ignore_case(ctx.args[2], "AFTER")) return ctx.reply.error(kSyntaxError);
  List* list;
  if (!ctx.keys.write(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  if (list == nullptr) return ctx.reply.integer(0);
  if (!list->insert(ctx.args[3], before, ctx.args[4], ctx.keys.limits())) {
    return ctx.reply.integer(-1);
  }
  ctx.keys.changed(ctx.args[1]);
  ctx.replicate_as_is();
  ctx.reply.integer(static_cast<int64_t>(list->size()));
}

void lrem(Context& ctx) {
  const std::optional<int64_t> count = integer_argument(ctx, 2);
  if (!count) return;
  List* list;
  if (!ctx.keys.write(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  if (list == nullptr) return ctx.reply.integer(0);
  const size_t removed = list->remove(ctx.args[3], *count, ctx.keys.limits());
  if (removed > 0) {
    settle(ctx.keys, ctx.args[1], *list, removed);
    ctx.replicate_as_is();
  }
  ctx.reply.integer(static_cast<int64_t>(removed));
}

void ltrim(Context& ctx) {
  const std::optional<int64_t> start = integer_argument(ctx, 2);
  if (!start) return;
  const std::optional<int64_t> stop = integer_argument(ctx, 3);
  if (!stop) return;
  List* list;
  if (!ctx.keys.write(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  if (list != nullptr) {
    const IndexRange range = index_range(*start, *stop, list->size());
    const size_t removed = list->size() - range.count;
    if (removed > 0) {
      list->keep(range.first, range.count, ctx.keys.limits());
      settle(ctx.keys, ctx.args[1], *list, removed);
      ctx.replicate_as_is();
    } else {
      ctx.keys.changed(ctx.args[1], 0);  // to who watches it, even if all of it stays
    }
  }
  ctx.reply.ok();
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> list_element_rows() {
  return {
      {.name = "lindex", .arity = 3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = lindex, .group = "list", .since = "1.0.0",
       .complexity = "O(N) for N elements before it",
       .summary = "Returns an element of a list by its index", .syntax = "key index"},
      {.name = "lset", .arity = 4, .flags = kWrite | kDenyOom, .keys = {key_at(1, "RW update")},
       .handler = lset, .group = "list", .since = "1.0.0",
       .complexity = "O(N) for N elements before it",
       .summary = "Replaces an element of a list by its index", .syntax = "key index element"},
      {.name = "linsert", .arity = 5, .flags = kWrite | kDenyOom, .keys = {key_at(1, "RW insert")},
       .handler = linsert, .group = "list", .since = "2.2.0",
       .complexity = "O(N) for N elements before it",
       .summary = "Adds an element beside another one",
       .syntax = "key where:<BEFORE | AFTER> pivot element"},
      {.name = "lrem", .arity = 4, .flags = kWrite, .keys = {key_at(1, "RW delete")},
       .handler = lrem, .group = "list", .since = "1.0.0",
       .complexity = "O(N+M) for N elements of which M go",
       .summary = "Removes elements of a list that equal a value", .syntax = "key count element"},
      {.name = "ltrim", .arity = 4, .flags = kWrite, .keys = {key_at(1, "RW delete")},
       .handler = ltrim, .group = "list", .since = "1.0.0",
       .complexity = "O(N) for N elements that go", .summary = "Keeps only a part of a list",
       .syntax = "key start stop"},
  };
}
// clang-format on

}  // namespace tandem
