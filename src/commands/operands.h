// The sources of SINTER, ZUNION and their kin: the sets and sorted sets under several keys, and
// what all of them, or the first of them alone, have.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "engine/context.h"

namespace tandem {

// One source, which stays as it is while the operand is in use. A key that is absent is like an
// empty set.
class Operand {
 public:
  Operand() = default;
  explicit Operand(const Set* set) : set_(set) {}
  explicit Operand(const SortedSet* sorted_set) : sorted_set_(sorted_set) {}

  size_t size() const;
  // Each member of a plain set has the score 1.
  std::optional<double> score(Bytes member) const;
  // Ends early when visit returns false.
  void for_each(FunctionRef<bool(Bytes member, double score)> visit) const;

  double weight = 1;  // by which its scores are multiplied

 private:
  const Set* set_ = nullptr;
  const SortedSet* sorted_set_ = nullptr;
};

using Operands = std::vector<Operand>;

enum class OperandTypes : uint8_t { kSets, kSetsAndSortedSets };

// Nothing: a key holds another type, which was answered.
std::optional<Operands> read_operands(Context& ctx, std::span<const Bytes> keys,
                                      OperandTypes types);

// The order in which intersections and unions cost least, and scores are added up.
void put_smallest_first(Operands& operands);

// Visits what all of them have until visit returns false; `scores` are in the order of the
// operands. Takes time by the size of the first operand.
using CommonMember = FunctionRef<bool(Bytes member, std::span<const double> scores)>;
void intersect(std::span<const Operand> operands, CommonMember visit);
// How many they are, counted up to `limit` if that is not 0.
uint64_t count_common(Operands& operands, uint64_t limit);

// Puts together what the first has and no other: `add` gets members of the first, `remove` those of
// the others that are not to stay. Takes time by the size of all of them or less.
void subtract(std::span<const Operand> operands, FunctionRef<void(Bytes member, double score)> add,
              FunctionRef<void(Bytes member)> remove);

}  // namespace tandem
