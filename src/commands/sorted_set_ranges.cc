// Ranges of sorted sets: ZRANGE with its older forms, ZCOUNT, ZREMRANGEBY*.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "commands/sorted_set_range.h"

namespace tandem {
namespace {

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
  const bool pairs = query.with_scores && ctx.reply.protocol() > 2;
  const size_t replies = ranks.count * (query.with_scores && !pairs ? 2 : 1);
  ctx.reply.array(static_cast<int64_t>(replies));
  set->for_each(ranks, query.backwards, [&](Bytes member, double score) {
    if (pairs) ctx.reply.array(2);
    ctx.reply.bulk(member);
    if (query.with_scores) ctx.reply.number(score);
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
  const Bytes target = ctx.args[1];
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
  const size_t size = result.size();
  if (size > 0) {
    install(ctx.keys, target, std::move(result), 1);
    ctx.replicate_as_is();
  } else if (ctx.keys.erase(target)) {
    ctx.replicate({"DEL", target});
  }
  ctx.reply.integer(static_cast<int64_t>(size));
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

void remove_range(Context& ctx, RangeBy by) {
  const std::optional<SortedSetRange> range = range_argument(ctx, by, 2, 3);
  if (!range) return;
  SortedSet* set;
  if (!ctx.keys.write(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  if (set == nullptr) return ctx.reply.integer(0);
  const size_t removed = set->remove_ranks(ranks_of(*set, *range, false));
  if (removed > 0) {
    settle(ctx.keys, ctx.args[1], *set, removed);
    ctx.replicate_as_is();
  }
  ctx.reply.integer(static_cast<int64_t>(removed));
}

void zremrangebyrank(Context& ctx) { remove_range(ctx, RangeBy::kRank); }
void zremrangebyscore(Context& ctx) { remove_range(ctx, RangeBy::kScore); }
void zremrangebylex(Context& ctx) { remove_range(ctx, RangeBy::kLex); }

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> sorted_set_range_rows() {
  return {
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
  };
}
// clang-format on

// clang-format off: a row is a record
std::vector<CommandRow> sorted_set_interval_rows() {
  return {
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
}
// clang-format on

}  // namespace tandem
