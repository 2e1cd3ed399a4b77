// Sorted sets: member by member, and from their ends. The pops that wait replicate as ZPOPMIN and
// ZPOPMAX.
#include <algorithm>
#include <cmath>
#include <optional>
#include <variant>

#include "base/number.h"
#include "commands/arguments.h"
#include "commands/table.h"
#include "data/sorted_set.h"
#include "engine/context.h"

namespace tandem {
namespace {

struct AddOptions {
  bool only_new = false;      // NX
  bool only_present = false;  // XX
  bool only_greater = false;  // GT
  bool only_less = false;     // LT
  bool count_changed = false;
  bool increment = false;
};

bool parse_add(Context& ctx, AddOptions& options, size_t& first_pair) {
  OptionWords words(ctx, 2);
  while (!words.done()) {
    if (words.take("NX")) {
      options.only_new = true;
    } else if (words.take("XX")) {
      options.only_present = true;
    } else if (words.take("GT")) {
      options.only_greater = true;
    } else if (words.take("LT")) {
      options.only_less = true;
    } else if (words.take("CH")) {
      options.count_changed = true;
    } else if (words.take("INCR")) {
      options.increment = true;
    } else {
      break;
    }
  }
  first_pair = words.position();
  const size_t words_left = ctx.args.size() - first_pair;
  Bytes error;
  if (words_left == 0 || words_left % 2 != 0) {
    error = kSyntaxError;
  } else if (options.only_new && options.only_present) {
    error = "ERR XX and NX options at the same time are not compatible";
  } else if ((options.only_greater && options.only_less) ||
             (options.only_new && (options.only_greater || options.only_less))) {
    error = "ERR GT, LT, and/or NX options at the same time are not compatible";
  } else if (options.increment && words_left > 2) {
    error = "ERR INCR option supports a single increment-element pair";
  }
  if (!error.empty()) ctx.reply.error(error);
  return error.empty();
}

struct Added {
  int64_t added = 0;
  int64_t updated = 0;
  bool not_a_number = false;
  std::optional<double> score;  // of the last member that was not left alone
};

void add_member(SortedSet& set, Bytes member, double score, const AddOptions& options,
                const EncodingLimits& limits, Added& outcome) {
  const std::optional<double> old = set.score(member);
  if (old ? options.only_new : options.only_present) return;
  if (old && options.increment) score += *old;
  if (std::isnan(score)) {
    outcome.not_a_number = true;
    return;
  }
  if (old && options.only_greater && score <= *old) return;
  if (old && options.only_less && score >= *old) return;
  outcome.score = score;
  switch (set.set(member, score, limits)) {
    case SortedSet::Change::kAdded:
      ++outcome.added;
      break;
    case SortedSet::Change::kMoved:
      ++outcome.updated;
      break;
    case SortedSet::Change::kSame:
      break;
  }
}

size_t longest_member(std::span<const Bytes> pairs) {
  size_t longest = 0;
  for (size_t i = 1; i < pairs.size(); i += 2) longest = std::max(longest, pairs[i].size());
  return longest;
}

// The pairs are score, member, score, member, ...
std::optional<Added> add_pairs(Context& ctx, std::span<const Bytes> pairs,
                               const AddOptions& options) {
  std::vector<double> scores;
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const std::optional<double> score = parse_double(pairs[i]);
    if (!score) {
      ctx.reply.error(kNotFloat);
      return std::nullopt;
    }
    scores.push_back(*score);
  }
  const EncodingLimits& limits = ctx.keys.limits();
  Edit<SortedSet> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  if (!set && options.only_present) return Added{};
  SortedSet& members =
      set ? set.change() : set.create(SortedSet(scores.size(), longest_member(pairs), limits));
  Added outcome;
  for (size_t i = 0; i < scores.size(); ++i) {
    add_member(members, pairs[2 * i + 1], scores[i], options, limits, outcome);
  }
  const auto changes = static_cast<uint64_t>(outcome.added + outcome.updated);
  const KeyEvent& event = options.increment ? event::kZIncr : event::kZAdd;
  changes > 0 ? set.done(event, changes, as_is(ctx)) : set.unchanged();
  return outcome;
}

void reply_added(Context& ctx, const Added& outcome, const AddOptions& options) {
  if (outcome.not_a_number) {
    return ctx.reply.error("ERR resulting score is not a number (NaN)");
  }
  if (options.increment) {
    return outcome.score ? ctx.reply.number(*outcome.score) : ctx.reply.null();
  }
  ctx.reply.integer(outcome.added + (options.count_changed ? outcome.updated : 0));
}

void add(Context& ctx, AddOptions options) {
  size_t first_pair = 0;
  if (!parse_add(ctx, options, first_pair)) return;
  const std::optional<Added> outcome = add_pairs(ctx, ctx.args.subspan(first_pair), options);
  if (outcome) reply_added(ctx, *outcome, options);
}

void zadd(Context& ctx) { add(ctx, {}); }

// ZADD's options are looked for here, too: none of their words is an increment.
void zincrby(Context& ctx) { add(ctx, {.increment = true}); }

void zrem(Context& ctx) { remove_elements<SortedSet>(ctx, event::kZRem); }

void zcard(Context& ctx) {
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(set != nullptr ? static_cast<int64_t>(set->size()) : 0);
}

void reply_score(Context& ctx, const SortedSet* set, Bytes member) {
  const std::optional<double> score = set != nullptr ? set->score(member) : std::nullopt;
  score ? ctx.reply.number(*score) : ctx.reply.null();
}

void zscore(Context& ctx) {
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  reply_score(ctx, set, ctx.args[2]);
}

void zmscore(Context& ctx) {
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  const std::span<const Bytes> members = ctx.args.subspan(2);
  ctx.reply.array(static_cast<int64_t>(members.size()));
  for (const Bytes member : members) reply_score(ctx, set, member);
}

void reply_rank(Context& ctx, bool backwards) {
  if (ctx.args.size() > 4) return wrong_argument_count(ctx);
  const bool with_score = ctx.args.size() == 4;
  if (with_score && !OptionWords(ctx, 3).take("WITHSCORE")) return ctx.reply.error(kSyntaxError);
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  const std::optional<size_t> rank = set != nullptr ? set->rank(ctx.args[2]) : std::nullopt;
  if (!rank) return with_score ? ctx.reply.null_array() : ctx.reply.null();
  if (with_score) ctx.reply.array(2);
  ctx.reply.integer(static_cast<int64_t>(backwards ? set->size() - 1 - *rank : *rank));
  if (with_score) ctx.reply.number(*set->score(ctx.args[2]));
}

void zrank(Context& ctx) { reply_rank(ctx, false); }
void zrevrank(Context& ctx) { reply_rank(ctx, true); }

void zscan(Context& ctx) {
  ScanOptions options;
  const SortedSet* set = scanned_container<SortedSet>(ctx, options);
  if (set == nullptr) return;
  reply_scan(ctx, options, [&](uint64_t cursor) {
    ScanStep step{.cursor = 0, .seen = 0, .written = 0};
    step.cursor = set->scan(cursor, [&](Bytes member, double score) {
      ++step.seen;
      if (!options.matches(member)) return;
      ctx.reply.bulk(member);
      ctx.reply.bulk(double_text(score));
      step.written += 2;
    });
    return step;
  });
}

enum class Extreme : uint8_t { kMin, kMax };

const KeyEvent& pop_of(Extreme extreme) {
  return extreme == Extreme::kMin ? event::kZPopMin : event::kZPopMax;
}

SortedSet::Scored pop_one(SortedSet& set, Extreme extreme) {
  return extreme == Extreme::kMin ? *set.pop_min() : *set.pop_max();
}

void reply_scored(Context& ctx, const SortedSet::Scored& scored) {
  ctx.reply.bulk(scored.member);
  ctx.reply.number(scored.score);
}

void pop(Context& ctx, Extreme extreme) {
  if (ctx.args.size() > 3) return ctx.reply.error(kSyntaxError);
  const bool counted = ctx.args.size() == 3;
  const std::optional<uint64_t> wanted =
      counted ? count_argument(ctx, 2) : std::optional<uint64_t>(1);
  if (!wanted) return;
  Edit<SortedSet> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  const uint64_t count = set ? std::min<uint64_t>(*wanted, set->size()) : 0;
  // RESP3 pairs them, but only where a count was asked for.
  const bool pairs = counted && ctx.reply.protocol() > 2;
  ctx.reply.array(static_cast<int64_t>(pairs ? count : 2 * count));
  if (count == 0) return;
  SortedSet& members = set.change();
  for (uint64_t i = 0; i < count; ++i) {
    if (pairs) ctx.reply.array(2);
    reply_scored(ctx, pop_one(members, extreme));
  }
  set.done(pop_of(extreme), count, as_is(ctx));
}

void zpopmin(Context& ctx) { pop(ctx, Extreme::kMin); }
void zpopmax(Context& ctx) { pop(ctx, Extreme::kMax); }

void pop_or_wait(Context& ctx, Extreme extreme) {
  const size_t last = ctx.args.size() - 1;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, last);
  if (!deadline_ms) return;
  const std::span<const Bytes> keys = ctx.args.subspan(1, last - 1);
  for (const Bytes key : keys) {
    Edit<SortedSet> set(ctx.keys, key);
    if (set.is_other_type()) return ctx.reply.error(kWrongType);
    if (!set) continue;
    ctx.reply.array(3);
    ctx.reply.bulk(key);
    reply_scored(ctx, pop_one(set.change(), extreme));
    return set.done(pop_of(extreme), 1, {extreme == Extreme::kMin ? "ZPOPMIN" : "ZPOPMAX", key});
  }
  ctx.block({.keys = {keys.begin(), keys.end()},
             .type = ValueType::kSortedSet,
             .deadline_ms = *deadline_ms});
}

void bzpopmin(Context& ctx) { pop_or_wait(ctx, Extreme::kMin); }
void bzpopmax(Context& ctx) { pop_or_wait(ctx, Extreme::kMax); }

// Ranges of sorted sets: ZRANGE with its older forms, ZCOUNT, ZREMRANGEBY*. By rank, by score
// ("(1", "+inf"), by the members' bytes ("[a", "(b", "-", "+").

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
    ctx.keys.put(event::kZRangeStore, target, Value(std::make_unique<SortedSet>(std::move(result))),
                 kNoExpiry, as_is(ctx));
  } else {
    ctx.keys.erase(event::kDel, target, {"DEL", target});
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
    {.name = "zadd", .arity = -4, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW update")}, .handler = zadd, .group = "sorted-set", .since = "1.2.0",
     .history = "2.4.0 Takes several members; 3.0.2 Takes NX, XX, CH and INCR; "
                "6.2.0 Takes GT and LT",
     .complexity = "O(log(N)) for each member, in a set of N",
     .summary = "Adds members to a sorted set or changes their scores",
     .syntax = "key condition:[NX | XX]@3.0.2 comparison:[GT | LT]@6.2.0 [change:CH]@3.0.2 "
               "[increment:INCR]@3.0.2 score member [score member ...]"},
    {.name = "zincrby", .arity = 4, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW access update")}, .handler = zincrby, .group = "sorted-set",
     .since = "1.2.0", .complexity = "O(log(N)) in a set of N members",
     .summary = "Adds to the score of a member", .syntax = "key increment member"},
    {.name = "zrem", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW delete")},
     .handler = zrem, .group = "sorted-set", .since = "1.2.0",
     .history = "2.4.0 Takes several members", .complexity = "O(M*log(N)) for M of N members",
     .summary = "Removes members from a sorted set", .syntax = "key member [member ...]"},
    {.name = "zcard", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = zcard, .group = "sorted-set", .since = "1.2.0", .complexity = "O(1)",
     .summary = "Counts the members of a sorted set", .syntax = "key"},
    {.name = "zscore", .arity = 3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = zscore, .group = "sorted-set", .since = "1.2.0", .complexity = "O(1)",
     .summary = "Returns the score of a member", .syntax = "key member"},
    {.name = "zmscore", .arity = -3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = zmscore, .group = "sorted-set", .since = "6.2.0",
     .complexity = "O(N) for N members asked for",
     .summary = "Returns the scores of several members", .syntax = "key member [member ...]"},
    {.name = "zrank", .arity = -3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = zrank, .group = "sorted-set", .since = "2.0.0",
     .history = "7.2.0 Takes WITHSCORE", .complexity = "O(log(N)) in a set of N members",
     .summary = "Returns the place of a member, lowest score first",
     .syntax = "key member [WITHSCORE]"},
    {.name = "zrevrank", .arity = -3, .flags = kReadOnly | kFast,
     .keys = {key_at(1, "RO access")}, .handler = zrevrank, .group = "sorted-set",
     .since = "2.0.0",
     .history = "7.2.0 Takes WITHSCORE", .complexity = "O(log(N)) in a set of N members",
     .summary = "Returns the place of a member, highest score first",
     .syntax = "key member [WITHSCORE]"},
    {.name = "zscan", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zscan, .group = "sorted-set", .tips = "nondeterministic_output", .since = "2.8.0",
     .complexity = "O(1) a call, O(N) for the whole walk over N members",
     .summary = "Walks the members of a sorted set step by step",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
    {.name = "zpopmin", .arity = -2, .flags = kWrite | kFast,
     .keys = {key_at(1, "RW access delete")}, .handler = zpopmin, .group = "sorted-set",
     .since = "5.0.0", .complexity = "O(M*log(N)) for M of N members",
     .summary = "Removes and returns the members with the lowest scores",
     .syntax = "key [count]"},
    {.name = "zpopmax", .arity = -2, .flags = kWrite | kFast,
     .keys = {key_at(1, "RW access delete")}, .handler = zpopmax, .group = "sorted-set",
     .since = "5.0.0", .complexity = "O(M*log(N)) for M of N members",
     .summary = "Removes and returns the members with the highest scores",
     .syntax = "key [count]"},
    {.name = "bzpopmin", .arity = -3, .flags = kWrite | kBlocking | kFast,
     .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = bzpopmin,
     .group = "sorted-set", .since = "5.0.0",
     .history = "6.0.0 The timeout may have a fraction",
     .complexity = "O(log(N)) in a set of N members",
     .summary = "Removes and returns the member with the lowest score, waiting for one",
     .syntax = "key [key ...] timeout"},
    {.name = "bzpopmax", .arity = -3, .flags = kWrite | kBlocking | kFast,
     .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = bzpopmax,
     .group = "sorted-set", .since = "5.0.0",
     .history = "6.0.0 The timeout may have a fraction",
     .complexity = "O(log(N)) in a set of N members",
     .summary = "Removes and returns the member with the highest score, waiting for one",
     .syntax = "key [key ...] timeout"},
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

std::vector<CommandRow> sorted_set_rows() { return kRows; }

}  // namespace tandem
