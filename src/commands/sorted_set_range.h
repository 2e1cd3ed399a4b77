// The ranges of the Z commands: by rank, by score ("(1", "+inf"), by the members' bytes ("[a",
// "(b", "-", "+").
#pragma once

#include <optional>
#include <variant>

#include "data/sorted_set.h"
#include "engine/context.h"

namespace tandem {

enum class RangeBy : uint8_t { kRank, kScore, kLex };

struct RankInterval {
  int64_t start;
  int64_t stop;
};
using SortedSetRange = std::variant<RankInterval, ScoreRange, LexRange>;

// From the arguments at `min` and `max`; has answered if there is nothing.
std::optional<SortedSetRange> range_argument(Context& ctx, RangeBy by, size_t min, size_t max);

// Ascending ranks of what the range selects. By rank and `backwards`, its indexes count from the
// highest score.
RankRange ranks_of(const SortedSet& set, const SortedSetRange& range, bool backwards);

}  // namespace tandem
