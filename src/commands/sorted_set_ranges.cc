// Ranges of sorted sets: ZRANGE with its older forms, ZCOUNT, ZREMRANGEBY*. By rank, by score
// ("(1", "+inf"), by the members' bytes ("[a", "(b", "-", "+").
#include <algorithm>
#include <optional>
#include <variant>

#include "base/number.h"
#include "commands/elements.h"
#include "commands/table.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

enum class RangeBy : uint8_t { kRank, kScore, kLex };

struct RankInterval {
  int64_t start;
  int64_t stop;
};
using SortedSetRange = std::variant<RankInterval, ScoreRange, LexRange>;

std::optional<double> score_bound(Bytes text, bool& exclusive) {
  exclusive = text.starts_with('(');
  if (exclusive) text.remove_prefix(1);
  return parse_bound(text);
}

std::optional<LexBound> lex_bound(Bytes text) {
  using Kind = LexBound::Kind;
  if (text == "-") return LexBound{.kind = Kind::kLowest, .text = {}};
  if (text == "+") return LexBound{.kind = Kind::kHighest, .text = {}};
  if (text.starts_with('[')) return LexBound{.kind = Kind::kInclusive, .text = text.substr(1)};
  if (text.starts_with('(')) return LexBound{.kind = Kind::kExclusive, .text = text.substr(1)};
  return std::nullopt;
}

std::optional<SortedSetRange> rank_range(Context& ctx, size_t min, size_t max) {
  const std::optional<int64_t> start = integer_argument(ctx, min);
  if (!start) return std::nullopt;
  const std::optional<int64_t> stop = integer_argument(ctx, max);
  if (!stop) return std::nullopt;
  return RankInterval{.start = *start, .stop = *stop};
}

std::optional<SortedSetRange> score_range(Context& ctx, size_t min, size_t max) {
  ScoreRange range{};
  const std::optional<double> lowest = score_bound(ctx.args[min], range.min_exclusive);
  const std::optional<double> highest = score_bound(ctx.args[max], range.max_exclusive);
  if (!lowest || !highest) {
    ctx.reply.error("ERR min or max is not a float");
    return std::nullopt;
  }
  range.min = *lowest;
  range.max = *highest;
  return range;
}

std::optional<SortedSetRange> lex_range(Context& ctx, size_t min, size_t max) {
  const std::optional<LexBound> lowest = lex_bound(ctx.args[min]);
  const std::optional<LexBound> highest = lex_bound(ctx.args[max]);
  if (!lowest || !highest) {
    ctx.reply.error("ERR min or max not valid string range item");
    return std::nullopt;
  }
  return LexRange{.min = *lowest, .max = *highest};
}

RankRange select(const SortedSet& set, const RankInterval& range, bool backwards) {
  const RankRange ranks = set.ranks_between(range.start, range.stop);
  if (!backwards) return ranks;
  return {.first = set.size() - ranks.first - ranks.count, .count = ranks.count};
}
RankRange select(const SortedSet& set, const ScoreRange& range, bool) {
  return set.ranks_in(range);
}
RankRange select(const SortedSet& set, const LexRange& range, bool) { return set.ranks_in(range); }

// From the arguments at `min` and `max`; has answered if there is nothing.
std::optional<SortedSetRange> range_argument(Context& ctx, RangeBy by, size_t min, size_t max) {
  switch (by) {
    case RangeBy::kRank:
      return rank_range(ctx, min, max);
    case RangeBy::kScore:
      return score_range(ctx, min, max);
    case RangeBy::kLex:
      return lex_range(ctx, min, max);
  }
  return std::nullopt;
}

// Ascending ranks of what the range selects. By rank and `backwards`, its indexes count from the
// highest score.
RankRange ranks_of(const SortedSet& set, const SortedSetRange& range, bool backwards) {
  return std::visit([&](const auto& kind) { return select(set, kind, backwards); }, range);
}

// What a command's name fixes; ZRANGE itself leaves all of it to its options.
struct RangeForm {
  std::optional<RangeBy> by;
  std::optional<bool> backwards;
  bool may_have_scores = true;
  size_t key = 1;
};

struct RangeQuery {
  RangeBy by = RangeBy::kRank;
  bool backwards = false;
  bool with_scores = false;
  int64_t offset = 0;
  int64_t limit = -1;
  std::optional<SortedSetRange> range;
};

bool parse_words(Context& ctx, const RangeForm& form, RangeQuery& query) {
  std::optional<RangeBy> by = form.by;
  std::optional<bool> backwards = form.backwards;
  for (OptionWords words(ctx, form.key + 3); !words.done();) {
    if (form.may_have_scores && words.take("WITHSCORES")) {
      query.with_scores = true;
    } else if (words.take("LIMIT", 2)) {
      const std::optional<int64_t> offset = words.integer();
      if (!offset) return false;
      const std::optional<int64_t> limit = words.integer();
      if (!limit) return false;
      query.offset = *offset;
      query.limit = *limit;
    } else if (!backwards && words.take("REV")) {
      backwards = true;
    } else if (!by && words.take("BYLEX")) {
      by = RangeBy::kLex;
    } else if (!by && words.take("BYSCORE")) {
      by = RangeBy::kScore;
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  query.by = by.value_or(RangeBy::kRank);
  query.backwards = backwards.value_or(false);
  return true;
}

bool parse_query(Context& ctx, const RangeForm& form, RangeQuery& query) {
  if (!parse_words(ctx, form, query)) return false;
  // LIMIT with all that there is says nothing, and so may stand anywhere.
  if (query.limit != -1 && query.by == RangeBy::kRank) {
    ctx.reply.error(
        "ERR syntax error, LIMIT is only supported in combination with either BYSCORE "
        "or BYLEX");
    return false;
  }
  if (query.with_scores && query.by == RangeBy::kLex) {
    ctx.reply.error("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
    return false;
  }
  // Backwards, scores and texts come the greater first.
  const bool swapped = query.backwards && query.by != RangeBy::kRank;
  const size_t min = form.key + (swapped ? 2 : 1);
  const size_t max = form.key + (swapped ? 1 : 2);
  query.range = range_argument(ctx, query.by, min, max);
  return query.range.has_value();
}

// LIMIT counts in the direction of the walk. A negative offset selects nothing, a negative limit
// everything.
RankRange limited(RankRange ranks, const RangeQuery& query) {
  if (query.by == RangeBy::kRank) return ranks;
  if (query.offset < 0) return {.first = 0, .count = 0};
  const size_t skipped = std::min<uint64_t>(static_cast<uint64_t>(query.offset), ranks.count);
  size_t left = ranks.count - skipped;
  if (query.limit >= 0) left = std::min<uint64_t>(static_cast<uint64_t>(query.limit), left);
  const size_t first =
      query.backwards ? ranks.first + ranks.count - skipped - left : ranks.first + skipped;
  return {.first = first, .count = left};
}

RankRange selected(const SortedSet& set, const RangeQuery& query) {
  return limited(ranks_of(set, *query.range, query.backwards), query);
}

void reply_range(Context& ctx, const RangeForm& form) {
  RangeQuery query;
  if (!parse_query(ctx, form, query)) return;
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[form.key], set)) return ctx.reply.error(kWrongType);
  if (set == nullptr) return ctx.reply.array(0);
  const RankRange ranks = selected(*set, query);
  ElementReply reply(ctx.reply, ElementReply::form_for(ctx.reply, query.with_scores));
  reply.begin(ranks.count);
  set->for_each(ranks, query.backwards, [&](Bytes member, double score) {
    reply.add(member, score);
    return true;
  });
}

void zrange(Context& ctx) { reply_range(ctx, {}); }
void zrevrange(Context& ctx) { reply_range(ctx, {.by = RangeBy::kRank, .backwards = true}); }
void zrangebyscore(Context& ctx) { reply_range(ctx, {.by = RangeBy::kScore, .backwards = false}); }
void zrevrangebyscore(Context& ctx) {
  reply_range(ctx, {.by = RangeBy::kScore, .backwards = true});
}
void zrangebylex(Context& ctx) { reply_range(ctx, {.by = RangeBy::kLex, .backwards = false}); }
void zrevrangebylex(Context& ctx) { reply_range(ctx, {.by = RangeBy::kLex, .backwards = true}); }

void zrangestore(Context& ctx) {
  const RangeForm form{.by = {}, .backwards = {}, .may_have_scores = false, .key = 2};
  RangeQuery query;
  if (!parse_query(ctx, form, query)) return;
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[form.key], set)) return ctx.reply.error(kWrongType);
  const EncodingLimits& limits = ctx.keys.limits();
  SortedSet result;
  if (set != nullptr) {
    set->for_each(selected(*set, query), query.backwards, [&](Bytes member, double score) {
      result.set(member, score, limits);
      return true;
    });
  }
  store_result(ctx, event::kZRangeStore, ctx.args[1], std::move(result), as_is(ctx));
}

void count_range(Context& ctx, RangeBy by) {
  const std::optional<SortedSetRange> range = range_argument(ctx, by, 2, 3);
  if (!range) return;
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(set != nullptr ? static_cast<int64_t>(ranks_of(*set, *range, false).count) : 0);
}

void zcount(Context& ctx) { count_range(ctx, RangeBy::kScore); }
void zlexcount(Context& ctx) { count_range(ctx, RangeBy::kLex); }

void remove_range(Context& ctx, const KeyEvent& event, RangeBy by) {
  const std::optional<SortedSetRange> range = range_argument(ctx, by, 2, 3);
  if (!range) return;
  Edit<SortedSet> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  if (!set) return ctx.reply.integer(0);
  const size_t removed = set.change().remove_ranks(ranks_of(*set, *range, false));
  ctx.reply.integer(static_cast<int64_t>(removed));
  removed > 0 ? set.done(event, removed, as_is(ctx)) : set.unchanged();
}

void zremrangebyrank(Context& ctx) { remove_range(ctx, event::kZRemRangeByRank, RangeBy::kRank); }
void zremrangebyscore(Context& ctx) {
  remove_range(ctx, event::kZRemRangeByScore, RangeBy::kScore);
}
void zremrangebylex(Context& ctx) { remove_range(ctx, event::kZRemRangeByLex, RangeBy::kLex); }

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "zrange", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zrange, .group = "sorted-set", .since = "1.2.0",
     .history = "6.2.0 Takes BYSCORE, BYLEX, REV and LIMIT",
     .complexity = "O(log(N)+M) for M of N members",
     .summary = "Returns members by rank, score or bytes",
     .syntax = "key start:string stop:string sortby:[BYSCORE | BYLEX]@6.2.0 [REV]@6.2.0 "
               "[LIMIT offset count]@6.2.0 [WITHSCORES]"},
    {.name = "zrevrange", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zrevrange, .group = "sorted-set", .since = "1.2.0",
     .deprecated = "6.2.0 `ZRANGE` with the `REV` argument",
     .complexity = "O(log(N)+M) for M of N members",
     .summary = "Returns members by rank, highest score first",
     .syntax = "key start stop [WITHSCORES]"},
    {.name = "zrangebyscore", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zrangebyscore, .group = "sorted-set", .since = "1.0.5",
     .history = "2.0.0 Takes WITHSCORES",
     .deprecated = "6.2.0 `ZRANGE` with the `BYSCORE` argument",
     .complexity = "O(log(N)+M) for M of N members", .summary = "Returns members by score",
     .syntax = "key min:double max:double [WITHSCORES]@2.0.0 [LIMIT offset count]"},
    {.name = "zrevrangebyscore", .arity = -4, .flags = kReadOnly,
     .keys = {key_at(1, "RO access")}, .handler = zrevrangebyscore, .group = "sorted-set",
     .since = "2.2.0", .history = "2.1.6 An end may be excluded",
     .deprecated = "6.2.0 `ZRANGE` with the `REV` and `BYSCORE` arguments",
     .complexity = "O(log(N)+M) for M of N members",
     .summary = "Returns members by score, highest first",
     .syntax = "key max:double min:double [WITHSCORES] [LIMIT offset count]"},
    {.name = "zrangebylex", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zrangebylex, .group = "sorted-set", .since = "2.8.9",
     .deprecated = "6.2.0 `ZRANGE` with the `BYLEX` argument",
     .complexity = "O(log(N)+M) for M of N members",
     .summary = "Returns members by their bytes, when all scores are equal",
     .syntax = "key min max [LIMIT offset count]"},
    {.name = "zrevrangebylex", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zrevrangebylex, .group = "sorted-set", .since = "2.8.9",
     .deprecated = "6.2.0 `ZRANGE` with the `REV` and `BYLEX` arguments",
     .complexity = "O(log(N)+M) for M of N members",
     .summary = "Returns members by their bytes, the greatest first",
     .syntax = "key max min [LIMIT offset count]"},
    {.name = "zrangestore", .arity = -5, .flags = kWrite | kDenyOom,
     .keys = {key_at(1, "OW update"), key_at(2, "RO access")}, .handler = zrangestore,
     .group = "sorted-set", .since = "6.2.0", .complexity = "O(log(N)+M) for M of N members",
     .summary = "Stores members selected by rank, score or bytes",
     .syntax = "dst src min max sortby:[BYSCORE | BYLEX] [REV] [LIMIT offset count]"},
    {.name = "zcount", .arity = 4, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = zcount, .group = "sorted-set", .since = "2.0.0",
     .complexity = "O(log(N)) in a set of N members",
     .summary = "Counts the members between two scores",
     .syntax = "key min:double max:double"},
    {.name = "zlexcount", .arity = 4, .flags = kReadOnly | kFast,
     .keys = {key_at(1, "RO access")}, .handler = zlexcount, .group = "sorted-set",
     .since = "2.8.9", .complexity = "O(log(N)) in a set of N members",
     .summary = "Counts the members between two texts", .syntax = "key min max"},
    {.name = "zremrangebyrank", .arity = 4, .flags = kWrite, .keys = {key_at(1, "RW delete")},
     .handler = zremrangebyrank, .group = "sorted-set", .since = "2.0.0",
     .complexity = "O(log(N)+M) for M of N members", .summary = "Removes members by rank",
     .syntax = "key start stop"},
    {.name = "zremrangebyscore", .arity = 4, .flags = kWrite, .keys = {key_at(1, "RW delete")},
     .handler = zremrangebyscore, .group = "sorted-set", .since = "1.2.0",
     .complexity = "O(log(N)+M) for M of N members", .summary = "Removes members by score",
     .syntax = "key min:double max:double"},
    {.name = "zremrangebylex", .arity = 4, .flags = kWrite, .keys = {key_at(1, "RW delete")},
     .handler = zremrangebylex, .group = "sorted-set", .since = "2.8.9",
     .complexity = "O(log(N)+M) for M of N members",
     .summary = "Removes members by their bytes, when all scores are equal",
     .syntax = "key min max"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> sorted_set_range_rows() { return kRows; }

}  // namespace tandem
