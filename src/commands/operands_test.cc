#include "commands/operands.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

const EncodingLimits kLimits;

Set set_of(std::initializer_list<Bytes> members) {
  Set set;
  for (const Bytes member : members) set.add(member, kLimits);
  return set;
}

struct Subtraction {
  std::set<std::string> added = {};
  std::set<std::string> removed = {};
};

Subtraction subtraction(std::span<const Operand> operands) {
  Subtraction outcome;
  subtract(
      operands, [&](Bytes member, double) { outcome.added.emplace(member); },
      [&](Bytes member) { outcome.removed.emplace(member); });
  return outcome;
}

TEST(Operands, AreSetsSortedSetsOrNothing) {
  const Set set = set_of({"a", "b"});
  SortedSet sorted;
  sorted.set("a", 2.5, kLimits);
  EXPECT_EQ(Operand().size(), 0u);
  EXPECT_FALSE(Operand().score("a").has_value());
  EXPECT_EQ(Operand(&set).score("a"), 1.0);
  EXPECT_FALSE(Operand(&set).score("c").has_value());
  EXPECT_EQ(Operand(&sorted).score("a"), 2.5);
  Operands operands{Operand(&set), Operand(&sorted), Operand()};
  put_smallest_first(operands);
  EXPECT_EQ(operands[0].size(), 0u);
  EXPECT_EQ(operands[2].size(), 2u);
  EXPECT_EQ(count_common(operands, 0), 0u);
}

TEST(Operands, AreIntersectedWithTheScoresOfAll) {
  const Set set = set_of({"a", "b", "c"});
  SortedSet sorted;
  sorted.set("a", 2, kLimits);
  sorted.set("c", 3, kLimits);
  const Operands operands{Operand(&sorted), Operand(&set)};
  std::string found;
  intersect(operands, [&](Bytes member, std::span<const double> scores) {
    found += std::string(member) + std::to_string(static_cast<int>(scores[0])) +
             std::to_string(static_cast<int>(scores[1])) + " ";
    return true;
  });
  EXPECT_EQ(found, "a21 c31 ");
  Operands again = operands;
  EXPECT_EQ(count_common(again, 0), 2u);
  EXPECT_EQ(count_common(again, 1), 1u);
}

// By looking up where that costs less: only what stays is added.
TEST(Operands, AreLookedUpWhereTheyAreFew) {
  const Set first = set_of({"a", "b", "c", "d"});
  const Set other = set_of({"b", "c", "x"});
  const Subtraction outcome = subtraction(Operands{Operand(&first), Operand(), Operand(&other)});
  EXPECT_EQ(outcome.added, (std::set<std::string>{"a", "d"}));
  EXPECT_TRUE(outcome.removed.empty());
}

// By removing where they are many and small: then the others are walked, not searched.
TEST(Operands, AreWalkedWhereTheyAreMany) {
  const Set first = set_of({"a", "b", "c", "d"});
  const Set other = set_of({"b"});
  Operands operands{Operand(&first)};
  operands.resize(20, Operand(&other));
  const Subtraction outcome = subtraction(operands);
  EXPECT_EQ(outcome.added, (std::set<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(outcome.removed, (std::set<std::string>{"b"}));
}

}  // namespace
}  // namespace tandem
