// Sorted sets, member by member: added, drawn, removed, their scores and ranks.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/number.h"
#include "commands/elements.h"
#include "commands/table.h"
#include "data/sorted_set.h"

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

void zrandmember(Context& ctx) {
  draw_elements<SortedSet>(ctx, "WITHSCORES",
                           [](const SortedSet& set, Random& random, ElementReply& reply) {
                             const SortedSet::Scored scored = set.random_member(random);
                             reply.add(scored.member, scored.score);
                           });
}

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
    {.name = "zrandmember", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zrandmember, .group = "sorted-set", .tips = "nondeterministic_output",
     .since = "6.2.0", .complexity = "O(N) for N members returned",
     .summary = "Returns random members of a sorted set",
     .syntax = "key options:[count [WITHSCORES]]"},
    {.name = "zscan", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = zscan, .group = "sorted-set", .tips = "nondeterministic_output", .since = "2.8.0",
     .complexity = "O(1) a call, O(N) for the whole walk over N members",
     .summary = "Walks the members of a sorted set step by step",
     .syntax = "key cursor [MATCH pattern] [COUNT count]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> sorted_set_rows() { return kRows; }

}  // namespace tandem
