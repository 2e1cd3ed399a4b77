// Unions, intersections and differences of sorted sets. Plain sets may take part: their members
// have the score 1.
#include <cmath>
#include <optional>

#include "commands/elements.h"
#include "commands/operands.h"
#include "commands/table.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

enum class Aggregate : uint8_t { kSum, kMin, kMax };

struct Query {
  Operands operands;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  uint64_t limit = 0;  // of what is counted; 0: none
};

// What a command takes besides its keys.
struct Form {
  size_t key_count_at = 1;
  bool weighs = false;   // WEIGHTS and AGGREGATE
  bool answers = false;  // with members: WITHSCORES
  bool counts = false;   // LIMIT
};

bool parse_weights(Context& ctx, OptionWords& words, Operands& operands) {
  for (Operand& operand : operands) {
    const auto weight = double_argument(ctx, words.position(), "ERR weight value is not a float");
    if (!weight) return false;
    words.text();
    operand.weight = *weight;
  }
  return true;
}

bool parse_aggregate(Context& ctx, OptionWords& words, Aggregate& aggregate) {
  if (words.take("SUM")) {
    aggregate = Aggregate::kSum;
  } else if (words.take("MIN")) {
    aggregate = Aggregate::kMin;
  } else if (words.take("MAX")) {
    aggregate = Aggregate::kMax;
  } else {
    ctx.reply.error(kSyntaxError);
    return false;
  }
  return true;
}

bool parse_limit(OptionWords& words, uint64_t& limit) {
  const std::optional<uint64_t> value = words.count("ERR LIMIT can't be negative");
  limit = value.value_or(0);
  return value.has_value();
}

bool parse_options(Context& ctx, const Form& form, size_t first, Query& query) {
  for (OptionWords words(ctx, first); !words.done();) {
    if (form.weighs && words.take("WEIGHTS", query.operands.size())) {
      if (!parse_weights(ctx, words, query.operands)) return false;
    } else if (form.weighs && words.take("AGGREGATE", 1)) {
      if (!parse_aggregate(ctx, words, query.aggregate)) return false;
    } else if (form.answers && words.take("WITHSCORES")) {
      query.with_scores = true;
    } else if (form.counts && words.take("LIMIT", 1)) {
      if (!parse_limit(words, query.limit)) return false;
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// The sources are looked at before the options, as in Redis.
std::optional<Query> parse(Context& ctx, const Form& form) {
  const std::optional<int64_t> count = integer_argument(ctx, form.key_count_at);
  if (!count) return std::nullopt;
  if (*count < 1) {
    ctx.reply.error("ERR at least 1 input key is needed for '" + ctx.command.full_name +
                    "' command");
    return std::nullopt;
  }
  const std::span<const Bytes> rest = ctx.args.subspan(form.key_count_at + 1);
  const auto key_count = static_cast<uint64_t>(*count);
  if (key_count > rest.size()) {
    ctx.reply.error(kSyntaxError);
    return std::nullopt;
  }
  auto operands = read_operands(ctx, rest.first(key_count), OperandTypes::kSetsAndSortedSets);
  if (!operands) return std::nullopt;
  Query query{.operands = std::move(*operands)};
  if (!parse_options(ctx, form, form.key_count_at + 1 + key_count, query)) return std::nullopt;
  return query;
}

// Infinity times nothing, or added to its opposite, counts as nothing.
double or_zero(double score) { return std::isnan(score) ? 0 : score; }

double combined(Aggregate aggregate, double score, double other) {
  switch (aggregate) {
    case Aggregate::kSum:
      return or_zero(score + other);
    case Aggregate::kMin:
      return other < score ? other : score;
    case Aggregate::kMax:
      return other > score ? other : score;
  }
  return score;
}

using Operation = SortedSet (*)(Query&, const EncodingLimits&);

SortedSet union_of(Query& query, const EncodingLimits& limits) {
  SortedSetBuilder result(limits);
  put_smallest_first(query.operands);
  for (const Operand& operand : query.operands) {
    operand.for_each([&](Bytes member, double unweighted) {
      const double score = or_zero(operand.weight * unweighted);
      double* known = result.add(member, score);
      if (known != nullptr) *known = combined(query.aggregate, *known, score);
      return true;
    });
  }
  return result.finish();
}

SortedSet intersection_of(Query& query, const EncodingLimits& limits) {
  SortedSetBuilder result(limits);
  Operands& operands = query.operands;
  put_smallest_first(operands);
  intersect(operands, [&](Bytes member, std::span<const double> scores) {
    double score = or_zero(operands[0].weight * scores[0]);
    for (size_t i = 1; i < operands.size(); ++i) {
      score = combined(query.aggregate, score, operands[i].weight * scores[i]);
    }
    result.add(member, score);
    return true;
  });
  return result.finish();
}

SortedSet difference_of(Query& query, const EncodingLimits& limits) {
  SortedSetBuilder result(limits);
  subtract(
      query.operands, [&](Bytes member, double score) { result.add(member, score); },
      [&](Bytes member) { result.remove(member); });
  return result.finish();
}

void reply_result(Context& ctx, bool weighs, Operation operation) {
  std::optional<Query> query = parse(ctx, {.weighs = weighs, .answers = true});
  if (!query) return;
  const SortedSet result = operation(*query, ctx.keys.limits());
  ElementReply reply(ctx.reply, ElementReply::form_for(ctx.reply, query->with_scores));
  reply.begin(result.size());
  result.for_each([&](Bytes member, double score) {
    reply.add(member, score);
    return true;
  });
}

void store(Context& ctx, const KeyEvent& event, bool weighs, Operation operation) {
  std::optional<Query> query = parse(ctx, {.key_count_at = 2, .weighs = weighs});
  if (!query) return;
  SortedSet result = operation(*query, ctx.keys.limits());
  result.become_listpack_if_possible(ctx.keys.limits());
  store_result(ctx, event, ctx.args[1], std::move(result), as_is(ctx));
}

void zunion(Context& ctx) { reply_result(ctx, true, union_of); }
void zinter(Context& ctx) { reply_result(ctx, true, intersection_of); }
void zdiff(Context& ctx) { reply_result(ctx, false, difference_of); }
void zunionstore(Context& ctx) { store(ctx, event::kZUnionStore, true, union_of); }
void zinterstore(Context& ctx) { store(ctx, event::kZInterStore, true, intersection_of); }
void zdiffstore(Context& ctx) { store(ctx, event::kZDiffStore, false, difference_of); }

void zintercard(Context& ctx) {
  std::optional<Query> query = parse(ctx, {.counts = true});
  if (!query) return;
  ctx.reply.integer(static_cast<int64_t>(count_common(query->operands, query->limit)));
}

constexpr std::string_view kUnionCost =
    "O(N)+O(M*log(M)) for N members in all sets and M in the result";
constexpr std::string_view kIntersectionCost =
    "O(N*K)+O(M*log(M)) for K sets of which the smallest has N members, and M in the result";
constexpr std::string_view kDifferenceCost =
    "O(L+(N-K)*log(N)) for L members in all sets, N in the first and K in the result";

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "zunion", .arity = -3, .flags = kReadOnly | kMovableKeys,
     .keys = {keys_counted(1, "RO access")}, .handler = zunion, .group = "sorted-set",
     .since = "6.2.0", .complexity = kUnionCost,
     .summary = "Returns the members that any of the sorted sets has",
     .syntax = "numkeys key [key ...] [WEIGHTS weight:integer [weight:integer ...]] "
               "[AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]"},
    {.name = "zinter", .arity = -3, .flags = kReadOnly | kMovableKeys,
     .keys = {keys_counted(1, "RO access")}, .handler = zinter, .group = "sorted-set",
     .since = "6.2.0", .complexity = kIntersectionCost,
     .summary = "Returns the members that all of the sorted sets have",
     .syntax = "numkeys key [key ...] [WEIGHTS weight:integer [weight:integer ...]] "
               "[AGGREGATE <SUM | MIN | MAX>] [WITHSCORES]"},
    {.name = "zdiff", .arity = -3, .flags = kReadOnly | kMovableKeys,
     .keys = {keys_counted(1, "RO access")}, .handler = zdiff, .group = "sorted-set",
     .since = "6.2.0", .complexity = kDifferenceCost,
     .summary = "Returns the members of the first sorted set that no other has",
     .syntax = "numkeys key [key ...] [WITHSCORES]"},
    {.name = "zunionstore", .arity = -4, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {key_at(1, "OW update"), keys_counted(2, "RO access")}, .handler = zunionstore,
     .group = "sorted-set", .since = "2.0.0", .complexity = kUnionCost,
     .summary = "Stores the members that any of the sorted sets has",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight:integer [weight:integer ...]] "
               "[AGGREGATE <SUM | MIN | MAX>]"},
    {.name = "zinterstore", .arity = -4, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {key_at(1, "OW update"), keys_counted(2, "RO access")}, .handler = zinterstore,
     .group = "sorted-set", .since = "2.0.0", .complexity = kIntersectionCost,
     .summary = "Stores the members that all of the sorted sets have",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight:integer [weight:integer ...]] "
               "[AGGREGATE <SUM | MIN | MAX>]"},
    {.name = "zdiffstore", .arity = -4, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {key_at(1, "OW update"), keys_counted(2, "RO access")}, .handler = zdiffstore,
     .group = "sorted-set", .since = "6.2.0", .complexity = kDifferenceCost,
     .summary = "Stores the members of the first sorted set that no other has",
     .syntax = "destination numkeys key [key ...]"},
    {.name = "zintercard", .arity = -3, .flags = kReadOnly | kMovableKeys,
     .keys = {keys_counted(1, "RO access")}, .handler = zintercard, .group = "sorted-set",
     .since = "7.0.0", .complexity = "O(N*K) for K sets of which the smallest has N members",
     .summary = "Counts the members that all of the sorted sets have",
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> sorted_set_algebra_rows() { return kRows; }

}  // namespace tandem
