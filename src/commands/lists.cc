// Lists: by their ends, by index and value, from one to another, and the pops that wait. A blocking
// command replicates as what it did: BLMOVE as LMOVE, BLPOP as LPOP, BLMPOP as LPOP with a count.
#include "base/bytes.h"
#include "commands/elements.h"
#include "commands/table.h"
#include "data/list.h"

namespace tandem {
namespace {

// start and stop as LRANGE takes them, both inclusive and negative from the end.
struct IndexRange {
  size_t first;
  size_t count;
};

IndexRange index_range(int64_t start, int64_t stop, size_t size) {
  const auto length = static_cast<int64_t>(size);
  const int64_t first = start < 0 ? std::max<int64_t>(0, start + length) : start;
  const int64_t last = std::min(length - 1, stop < 0 ? stop + length : stop);
  if (first > last) return {.first = 0, .count = 0};
  return {.first = static_cast<size_t>(first), .count = static_cast<size_t>(last - first + 1)};
}

const KeyEvent& push_at(ListEnd end) {
  return end == ListEnd::kHead ? event::kLPush : event::kRPush;
}
const KeyEvent& pop_at(ListEnd end) { return end == ListEnd::kHead ? event::kLPop : event::kRPop; }

void push(Context& ctx, ListEnd end, bool only_present) {
  Edit<List> list(ctx.keys, ctx.args[1]);
  if (list.is_other_type()) return ctx.reply.error(kWrongType);
  if (!list && only_present) return ctx.reply.integer(0);
  list.change_or_create().push(end, ctx.args.subspan(2), ctx.keys.limits());
  list.done(push_at(end), ctx.args.size() - 2, as_is(ctx));
  ctx.reply.integer(static_cast<int64_t>(list->size()));
}

void lpush(Context& ctx) { push(ctx, ListEnd::kHead, false); }
void rpush(Context& ctx) { push(ctx, ListEnd::kTail, false); }
void lpushx(Context& ctx) { push(ctx, ListEnd::kHead, true); }
void rpushx(Context& ctx) { push(ctx, ListEnd::kTail, true); }

void pop_elements(Context& ctx, Edit<List>& list, ListEnd end, uint64_t count,
                  const Effect& effect) {
  List& elements = list.change();
  for (uint64_t i = 0; i < count; ++i) ctx.reply.bulk(*elements.pop(end, ctx.keys.limits()));
  list.done(pop_at(end), count, effect);
}

void pop(Context& ctx, ListEnd end) {
  if (ctx.args.size() > 3) return wrong_argument_count(ctx);
  const bool counted = ctx.args.size() == 3;
  const std::optional<uint64_t> wanted =
      counted ? count_argument(ctx, 2) : std::optional<uint64_t>(1);
  if (!wanted) return;
  Edit<List> list(ctx.keys, ctx.args[1]);
  if (list.is_other_type()) return ctx.reply.error(kWrongType);
  if (!list) return counted ? ctx.reply.null_array() : ctx.reply.null();
  const uint64_t count = std::min<uint64_t>(*wanted, list->size());
  if (counted) ctx.reply.array(static_cast<int64_t>(count));
  if (count > 0) pop_elements(ctx, list, end, count, as_is(ctx));
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
  const std::optional<int64_t> rank = symmetric_integer_argument(ctx, index);
  if (!rank) return false;
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
  Edit<List> list(ctx.keys, ctx.args[1]);
  if (list.is_other_type()) return ctx.reply.error(kWrongType);
  if (!list) return ctx.reply.error(kNoSuchKey);
  const std::optional<int64_t> index = integer_argument(ctx, 2);
  if (!index) return;
  if (!list.change().set(*index, ctx.args[3], ctx.keys.limits())) {
    list.unchanged();
    return ctx.reply.error("ERR index out of range");
  }
  list.done(event::kLSet, 1, as_is(ctx));
  ctx.reply.ok();
}

void linsert(Context& ctx) {
  const bool before = equal_ignore_case(ctx.args[2], "BEFORE");
  if (!before && !equal_ignore_case(ctx.args[2], "AFTER")) return ctx.reply.error(kSyntaxError);
  Edit<List> list(ctx.keys, ctx.args[1]);
  if (list.is_other_type()) return ctx.reply.error(kWrongType);
  if (!list) return ctx.reply.integer(0);
  if (!list.change().insert(ctx.args[3], before, ctx.args[4], ctx.keys.limits())) {
    list.unchanged();
    return ctx.reply.integer(-1);
  }
  list.done(event::kLInsert, 1, as_is(ctx));
  ctx.reply.integer(static_cast<int64_t>(list->size()));
}

void lrem(Context& ctx) {
  const std::optional<int64_t> count = integer_argument(ctx, 2);
  if (!count) return;
  Edit<List> list(ctx.keys, ctx.args[1]);
  if (list.is_other_type()) return ctx.reply.error(kWrongType);
  if (!list) return ctx.reply.integer(0);
  const size_t removed = list.change().remove(ctx.args[3], *count, ctx.keys.limits());
  ctx.reply.integer(static_cast<int64_t>(removed));
  removed > 0 ? list.done(event::kLRem, removed, as_is(ctx)) : list.unchanged();
}

void ltrim(Context& ctx) {
  const std::optional<int64_t> start = integer_argument(ctx, 2);
  if (!start) return;
  const std::optional<int64_t> stop = integer_argument(ctx, 3);
  if (!stop) return;
  Edit<List> list(ctx.keys, ctx.args[1]);
  if (list.is_other_type()) return ctx.reply.error(kWrongType);
  ctx.reply.ok();
  if (!list) return;
  const IndexRange range = index_range(*start, *stop, list->size());
  const size_t removed = list->size() - range.count;
  list.change().keep(range.first, range.count, ctx.keys.limits());
  // Even if all of it stays, that is a change to who watches it.
  list.done(event::kLTrim, removed, removed > 0 ? as_is(ctx) : Effect::none());
}

std::optional<ListEnd> end_argument(Context& ctx, size_t index) {
  if (equal_ignore_case(ctx.args[index], "LEFT")) return ListEnd::kHead;
  if (equal_ignore_case(ctx.args[index], "RIGHT")) return ListEnd::kTail;
  ctx.reply.error(kSyntaxError);
  return std::nullopt;
}

struct Route {
  ListEnd from;
  ListEnd to;
};

// Moves an element and answers with it. False: the source is absent, nothing was answered.
bool move_element(Context& ctx, Route route, const Effect& effect) {
  Edit<List> source(ctx.keys, ctx.args[1]);
  Edit<List> target(ctx.keys, ctx.args[2]);
  if (!source && !source.is_other_type()) return false;
  if (source.is_other_type() || target.is_other_type()) {
    ctx.reply.error(kWrongType);
    return true;
  }
  const std::string element = *source.change().pop(route.from, ctx.keys.limits());
  target.change_or_create().push(route.to, element, ctx.keys.limits());
  target.done(push_at(route.to), 1, effect);
  source.done(pop_at(route.from), 0, effect);
  ctx.reply.bulk(element);
  return true;
}

// Where it may not wait the answer is null, at the deadline a null array, as in Redis.
void wait_for_source(Context& ctx, int64_t deadline_ms) {
  if (!ctx.may_block) return ctx.reply.null();
  wait_for_any(ctx, ctx.args.subspan(1, 1), ValueType::kList, deadline_ms);
}

std::optional<Route> route_argument(Context& ctx, size_t index) {
  const std::optional<ListEnd> from = end_argument(ctx, index);
  if (!from) return std::nullopt;
  const std::optional<ListEnd> to = end_argument(ctx, index + 1);
  if (!to) return std::nullopt;
  return Route{.from = *from, .to = *to};
}

constexpr Route kTailToHead{.from = ListEnd::kTail, .to = ListEnd::kHead};

void lmove(Context& ctx) {
  const std::optional<Route> route = route_argument(ctx, 3);
  if (!route) return;
  if (!move_element(ctx, *route, as_is(ctx))) ctx.reply.null();
}

void rpoplpush(Context& ctx) {
  if (!move_element(ctx, kTailToHead, as_is(ctx))) ctx.reply.null();
}

void blmove(Context& ctx) {
  const std::optional<Route> route = route_argument(ctx, 3);
  if (!route) return;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, 5);
  if (!deadline_ms) return;
  if (!move_element(ctx, *route, {"LMOVE", ctx.args[1], ctx.args[2], ctx.args[3], ctx.args[4]})) {
    wait_for_source(ctx, *deadline_ms);
  }
}

void brpoplpush(Context& ctx) {
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, 3);
  if (!deadline_ms) return;
  if (!move_element(ctx, kTailToHead, {"RPOPLPUSH", ctx.args[1], ctx.args[2]})) {
    wait_for_source(ctx, *deadline_ms);
  }
}

Bytes pop_command(ListEnd end) { return end == ListEnd::kHead ? "LPOP" : "RPOP"; }

void pop_or_wait(Context& ctx, ListEnd end) {
  const size_t last = ctx.args.size() - 1;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, last);
  if (!deadline_ms) return;
  const std::span<const Bytes> keys = ctx.args.subspan(1, last - 1);
  const bool answered = pop_from_first<List>(ctx, keys, [&](Bytes key, Edit<List>& list) {
    ctx.reply.array(2);
    ctx.reply.bulk(key);
    pop_elements(ctx, list, end, 1, {pop_command(end), key});
  });
  if (!answered) wait_for_any(ctx, keys, ValueType::kList, *deadline_ms);
}

void blpop(Context& ctx) { pop_or_wait(ctx, ListEnd::kHead); }
void brpop(Context& ctx) { pop_or_wait(ctx, ListEnd::kTail); }

// False: nothing was answered.
bool pop_several(Context& ctx, const PopArguments& wanted) {
  const ListEnd end = wanted.from_first ? ListEnd::kHead : ListEnd::kTail;
  return pop_from_first<List>(ctx, wanted.keys, [&](Bytes key, Edit<List>& list) {
    const uint64_t count = std::min<uint64_t>(wanted.count, list->size());
    const auto told = static_cast<int64_t>(count);
    ctx.reply.array(2);
    ctx.reply.bulk(key);
    ctx.reply.array(told);
    pop_elements(ctx, list, end, count, {pop_command(end), key, int64_text(told)});
  });
}

void lmpop(Context& ctx) {
  const std::optional<PopArguments> wanted = pop_arguments(ctx, 1, "LEFT", "RIGHT");
  if (wanted && !pop_several(ctx, *wanted)) ctx.reply.null_array();
}

void blmpop(Context& ctx) {
  const std::optional<PopArguments> wanted = pop_arguments(ctx, 2, "LEFT", "RIGHT");
  if (!wanted) return;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, 1);
  if (!deadline_ms || pop_several(ctx, *wanted)) return;
  wait_for_any(ctx, wanted->keys, ValueType::kList, *deadline_ms);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
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
    {.name = "lmpop", .arity = -4, .flags = kWrite | kMovableKeys,
     .keys = {keys_counted(1, "RW access delete")}, .handler = lmpop, .group = "list",
     .since = "7.0.0", .complexity = "O(N+M) for N keys and M elements",
     .summary = "Removes and returns elements of the first list that is there",
     .syntax = "numkeys key [key ...] where:<LEFT | RIGHT> [COUNT count]"},
    {.name = "llen", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = llen, .group = "list", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Counts the elements of a list", .syntax = "key"},
    {.name = "lrange", .arity = 4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = lrange, .group = "list", .since = "1.0.0",
     .complexity = "O(S+N) for a start at S and N elements",
     .summary = "Returns a part of a list", .syntax = "key start stop"},
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
    {.name = "ltrim", .arity = 4, .flags = kWrite | kBrief, .keys = {key_at(1, "RW delete")},
     .handler = ltrim, .group = "list", .since = "1.0.0",
     .complexity = "O(N) for N elements that go", .summary = "Keeps only a part of a list",
     .syntax = "key start stop"},
    {.name = "lmove", .arity = 5, .flags = kWrite | kDenyOom | kBrief,
     .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = lmove,
     .group = "list", .since = "6.2.0", .complexity = "O(1)",
     .summary = "Moves an end element of a list to an end of another",
     .syntax = "source destination wherefrom:<LEFT | RIGHT> whereto:<LEFT | RIGHT>"},
    {.name = "rpoplpush", .arity = 3, .flags = kWrite | kDenyOom | kBrief,
     .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = rpoplpush,
     .group = "list", .since = "1.2.0",
     .deprecated = "6.2.0 `LMOVE` with the `RIGHT` and `LEFT` arguments",
     .complexity = "O(1)",
     .summary = "Moves the last element of a list to the head of another",
     .syntax = "source destination"},
    {.name = "blpop", .arity = -3, .flags = kWrite | kBlocking,
     .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = blpop, .group = "list",
     .since = "2.0.0",
     .history = "6.0.0 The timeout may have a fraction", .complexity = "O(N) for N keys",
     .summary = "Removes and returns the first element of a list, waiting for one",
     .syntax = "key [key ...] timeout"},
    {.name = "brpop", .arity = -3, .flags = kWrite | kBlocking,
     .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = brpop, .group = "list",
     .since = "2.0.0",
     .history = "6.0.0 The timeout may have a fraction", .complexity = "O(N) for N keys",
     .summary = "Removes and returns the last element of a list, waiting for one",
     .syntax = "key [key ...] timeout"},
    {.name = "blmpop", .arity = -5, .flags = kWrite | kBlocking | kMovableKeys,
     .keys = {keys_counted(2, "RW access delete")}, .handler = blmpop, .group = "list",
     .since = "7.0.0", .complexity = "O(N+M) for N keys and M elements",
     .summary = "Removes and returns elements of the first list that is there, waiting for one",
     .syntax = "timeout numkeys key [key ...] where:<LEFT | RIGHT> [COUNT count]"},
    {.name = "blmove", .arity = 6, .flags = kWrite | kDenyOom | kBlocking,
     .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = blmove,
     .group = "list", .since = "6.2.0", .complexity = "O(1)",
     .summary = "Moves an end element of a list to another, waiting for one",
     .syntax = "source destination wherefrom:<LEFT | RIGHT> whereto:<LEFT | RIGHT> timeout"},
    {.name = "brpoplpush", .arity = 4, .flags = kWrite | kDenyOom | kBlocking,
     .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = brpoplpush,
     .group = "list", .since = "2.2.0",
     .history = "6.0.0 The timeout may have a fraction",
     .deprecated = "6.2.0 `BLMOVE` with the `RIGHT` and `LEFT` arguments",
     .complexity = "O(1)",
     .summary = "Moves the last element of a list to the head of another, waiting for one",
     .syntax = "source destination timeout"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> list_rows() { return kRows; }

}  // namespace tandem
