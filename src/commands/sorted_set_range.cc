#include "commands/sorted_set_range.h"

#include "base/number.h"
#include "commands/arguments.h"

namespace tandem {
namespace {

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

}  // namespace

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

RankRange ranks_of(const SortedSet& set, const SortedSetRange& range, bool backwards) {
  return std::visit([&](const auto& kind) { return select(set, kind, backwards); }, range);
}

}  // namespace tandem
