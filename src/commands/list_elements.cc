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

struct PositionOptions {
  size_t rank = 1;  // of the first match to tell
  bool backwards = false;
  std::optional<uint64_t> count;  // of matches; 0: all
  uint64_t looked_at_max = 0;     // elements; 0: all
};

bool parse_rank(Context& ctx, size_t index, PositionOptions& options) {
  const std::optional<int64_t> rank = integer_argument(ctx, index);
  if (!rank) return false;
  if (*rank == std::numeric_limits<int64_t>::min()) {
    ctx.reply.error(kNoSymmetricInteger);
    return false;
  }
  if (*rank == 0) {
    ctx.reply.error(
        "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
        "negative to start from the end of the list");
    return false;
  }
  options.rank = static_cast<size_t>(std::abs(*rank));
  options.backwards = *rank < 0;
  return true;
}

bool parse_position(Context& ctx, PositionOptions& options) {
  for (OptionWords words(ctx, 3); !words.done();) {
    if (words.take("RANK", 1)) {
      if (!parse_rank(ctx, words.position(), options)) return false;
      words.text();
    } else if (words.take("COUNT", 1)) {
      options.count = words.count("ERR COUNT can't be negative");
      if (!options.count) return false;
    } else if (words.take("MAXLEN", 1)) {
      const std::optional<uint64_t> limit = words.count("ERR MAXLEN can't be negative");
      if (!limit) return false;
      options.looked_at_max = *limit;
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// Visits the places of matches until visit says false.
void find_matches(const List& list, Bytes element, const PositionOptions& options,
                  FunctionRef<bool(size_t)> visit) {
  const size_t size = list.size();
  const size_t limit =
      options.looked_at_max == 0 ? size : std::min<uint64_t>(options.looked_at_max, size);
  size_t looked_at = 0;
  size_t matches = 0;
  list.for_each(options.backwards ? size - 1 : 0, limit, options.backwards, [&](Bytes found) {
    const size_t place = options.backwards ? size - 1 - looked_at : looked_at;
    ++looked_at;
    return found != element || ++matches < options.rank || visit(place);
  });
}

void lpos(Context& ctx) {
  PositionOptions options;
  if (!parse_position(ctx, options)) return;
  const List* list;
  if (!ctx.keys.read(ctx.args[1], list)) return ctx.reply.error(kWrongType);
  const uint64_t wanted = options.count.value_or(1);
  const ReplyWriter::Mark start = ctx.reply.begin_array();
  uint64_t found = 0;
  if (list != nullptr) {
    find_matches(*list, ctx.args[2], options, [&](size_t place) {
      ctx.reply.integer(static_cast<int64_t>(place));
      return ++found != wanted;
    });
  }
  if (options.count) return ctx.reply.end_array(start, static_cast<int64_t>(found));
  if (found == 0) ctx.reply.null();
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
      {.name = "lpos", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = lpos, .group = "list", .since = "6.0.6",
       .complexity = "O(N) for N elements looked at",
       .summary = "Finds the indexes of elements that equal a value",
       .syntax = "key element [RANK rank:integer] [COUNT num-matches:integer] "
                 "[MAXLEN len:integer]"},
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
