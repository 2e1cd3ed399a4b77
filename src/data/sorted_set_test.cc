#include "data/sorted_set.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/score_tree.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

using Scored = std::pair<double, std::string>;
using Row = std::vector<Scored>;

constexpr RankRange kAllRanks{.first = 0, .count = SIZE_MAX};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Row row(const SortedSet& set, RankRange ranks = kAllRanks, bool backwards = false) {
  Row out;
  set.for_each(ranks, backwards, [&](Bytes member, double score) {
    out.emplace_back(score, member);
    return true;
  });
  return out;
}

TEST(SortedSet, WritesTheBytesThatRedisWrites) {
  const EncodingLimits limits;
  SortedSet set;
  set.set("b", 1, limits);
  set.set("a", 1, limits);
  set.set("c", 0.5, limits);
  set.set("d", kInfinity, limits);
  set.set("e", -kInfinity, limits);
  set.set("f", -0.0, limits);
  set.set("g", 1e18, limits);
  set.set("i", -3, limits);
  set.set("17", 3, limits);
  EXPECT_EQ(to_hex(set.listpack()->bytes()),
            "460000001200816502842d696e6605816902dffd02816602000181630283302e3504816102010181620201"
            "0111010301816702f4000064a7b3b6e00d0981640283696e6604ff");
}

TEST(SortedSet, ChangesItsEncodingWhereRedisDoes) {
  const EncodingLimits limits;
  SortedSet set;
  for (int i = 0; i < 128; ++i) set.set(int64_text(i), i, limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.set("5", 500, limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  set.set("128", 128, limits);
  EXPECT_EQ(set.encoding_name(), "skiplist");
  EXPECT_EQ(set.rank("5"), 128u);
  set.remove("0");
  EXPECT_EQ(set.encoding_name(), "skiplist");
  set.become_listpack_if_possible(limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  EXPECT_EQ(set.size(), 128u);
  set.set(std::string(65, 'x'), 1, limits);
  EXPECT_EQ(set.encoding_name(), "skiplist");
  EXPECT_EQ(SortedSet(1, 65, limits).encoding_name(), "skiplist");
  EXPECT_EQ(SortedSet(129, 1, limits).encoding_name(), "skiplist");
  EXPECT_EQ(SortedSet(128, 64, limits).encoding_name(), "listpack");
}

TEST(SortedSet, TreatsMinusZeroAsRedisDoes) {
  const EncodingLimits limits;
  SortedSet set;
  EXPECT_EQ(set.set("m", -0.0, limits), SortedSet::Change::kAdded);
  EXPECT_FALSE(std::signbit(*set.score("m")));  // a listpack holds it as the integer 0
  const std::string long_member(70, 'q');
  set.set(long_member, -0.0, limits);
  EXPECT_TRUE(std::signbit(*set.score(long_member)));
  EXPECT_EQ(set.set(long_member, 0.0, limits), SortedSet::Change::kSame);
  EXPECT_EQ(set.rank("m"), 0u);
}

TEST(SortedSet, KeepsEveryScoreExactly) {
  const EncodingLimits limits;
  for (const double score : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5e-9,
                             4611686018427387904.0, 9007199254740993.0, 1e19}) {
    SortedSet set;
    set.set("m", score, limits);
    EXPECT_EQ(*set.score("m"), score);
  }
}

TEST(SortedSet, LoadsBlobsAndRefusesBrokenOnes) {
  const EncodingLimits limits;
  Listpack pack;
  for (const char* text : {"b", "2", "a", "1.5"}) pack.append(text);
  Result<SortedSet> set = SortedSet::from_listpack(pack.bytes(), limits);
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(row(*set), (Row{{1.5, "a"}, {2, "b"}}));
  Listpack no_number;
  for (const char* text : {"b", "nan"}) no_number.append(text);
  EXPECT_FALSE(SortedSet::from_listpack(no_number.bytes(), limits).has_value());
  pack.append("b");
  EXPECT_FALSE(SortedSet::from_listpack(pack.bytes(), limits).has_value());
  pack.append("9");
  EXPECT_FALSE(SortedSet::from_listpack(pack.bytes(), limits).has_value());
  EXPECT_TRUE(SortedSet::from_listpack(Listpack().bytes(), limits)->empty());
}

TEST(SortedSet, TurnsEveryRangeIntoRanks) {
  for (const bool tree : {false, true}) {
    EncodingLimits limits;
    if (tree) limits.sorted_set_max_listpack_entries = 0;
    SortedSet set;
    for (const char* member : {"a", "b", "c", "d", "e"}) set.set(member, 0, limits);
    using Kind = LexBound::Kind;
    const auto lex = [&](LexBound min, LexBound max) {
      const RankRange ranks = set.ranks_in(LexRange{min, max});
      return std::pair(ranks.first, ranks.count);
    };
    using Pair = std::pair<size_t, size_t>;
    EXPECT_EQ(lex({Kind::kLowest, {}}, {Kind::kHighest, {}}), Pair(0, 5));
    EXPECT_EQ(lex({Kind::kInclusive, "b"}, {Kind::kInclusive, "d"}), Pair(1, 3));
    EXPECT_EQ(lex({Kind::kExclusive, "b"}, {Kind::kExclusive, "d"}), Pair(2, 1));
    EXPECT_EQ(lex({Kind::kExclusive, "d"}, {Kind::kInclusive, "b"}).second, 0u);
    EXPECT_EQ(lex({Kind::kHighest, {}}, {Kind::kLowest, {}}).second, 0u);

    for (int i = 0; i < 5; ++i) set.set(std::string(1, static_cast<char>('a' + i)), i, limits);
    const auto score = [&](ScoreRange range) {
      const RankRange ranks = set.ranks_in(range);
      return std::pair(ranks.first, ranks.count);
    };
    EXPECT_EQ(score({-kInfinity, kInfinity}), Pair(0, 5));
    EXPECT_EQ(score({1, 3}), Pair(1, 3));
    EXPECT_EQ(score({1, 3, true, true}), Pair(2, 1));
    EXPECT_EQ(score({3, 1}).second, 0u);
    EXPECT_EQ(score({2, 2, true, false}).second, 0u);

    const auto between = [&](int64_t start, int64_t stop) {
      const RankRange ranks = set.ranks_between(start, stop);
      return std::pair(ranks.first, ranks.count);
    };
    EXPECT_EQ(between(0, -1), Pair(0, 5));
    EXPECT_EQ(between(-2, 100), Pair(3, 2));
    EXPECT_EQ(between(-100, 0), Pair(0, 1));
    EXPECT_EQ(between(3, 1).second, 0u);
    EXPECT_EQ(between(5, 9).second, 0u);
    EXPECT_EQ(between(INT64_MIN, INT64_MAX), Pair(0, 5));
  }
}

class SortedSetModel {
 public:
  SortedSetModel(uint64_t seed, size_t entries_max, uint64_t names) : random_(seed), names_(names) {
    limits_.sorted_set_max_listpack_entries = entries_max;
    limits_.hash_seed = seed;
  }

  void step(bool shrinking) {
    const std::string member = int64_text(static_cast<int64_t>(random_.below(names_)));
    const auto held = scores_.find(member);
    if (random_.below(4) == 0 || (shrinking && random_.below(3) != 0)) {
      ASSERT_EQ(set_.remove(member), held != scores_.end());
      if (held != scores_.end()) {
        order_.erase({held->second, member});
        scores_.erase(held);
      }
      return;
    }
    // Few scores and many, so that ties are common.
    const double score = random_.below(2) == 0 ? static_cast<double>(random_.below(5)) * 0.5
                                               : static_cast<double>(random_.below(100000));
    using Change = SortedSet::Change;
    Change expected = Change::kAdded;
    if (held != scores_.end()) {
      expected = held->second == score ? Change::kSame : Change::kMoved;
      order_.erase({held->second, member});
    }
    scores_[member] = score;
    order_.emplace(score, member);
    ASSERT_EQ(set_.set(member, score, limits_), expected);
  }

  void check() {
    const Row all(order_.begin(), order_.end());
    ASSERT_EQ(set_.size(), all.size());
    ASSERT_EQ(row(set_), all);
    const size_t first = random_.below(all.size() + 2);
    const size_t count = random_.below(all.size() + 2);
    const size_t end = std::min(all.size(), first + count);
    Row part;
    for (size_t i = first; i < end; ++i) part.push_back(all[i]);
    ASSERT_EQ(row(set_, {first, count}), part);
    std::ranges::reverse(part);
    ASSERT_EQ(row(set_, {first, count}, true), part);
    for (size_t i = 0; i < all.size(); i += 1 + random_.below(7)) {
      ASSERT_EQ(set_.rank(all[i].second), i);
      ASSERT_EQ(set_.score(all[i].second), all[i].first);
    }
    const double min = static_cast<double>(random_.below(6)) * 0.5;
    const double max = min + static_cast<double>(random_.below(4)) * 20000;
    const RankRange ranks = set_.ranks_in(ScoreRange{min, max, true, false});
    const auto inside = [&](const Scored& s) { return s.first > min && s.first <= max; };
    ASSERT_EQ(static_cast<std::ptrdiff_t>(ranks.count), std::ranges::count_if(all, inside));
    if (ranks.count != 0) ASSERT_TRUE(inside(all[ranks.first]));
    size_t seen = 0;
    uint64_t cursor = 0;
    do {
      cursor = set_.scan(cursor, [&](Bytes, double) { ++seen; });
    } while (cursor != 0);
    ASSERT_EQ(seen, all.size());
  }

  void take_some() {
    Row taken;
    const size_t first = random_.below(order_.size() + 1);
    const size_t removed = set_.remove_ranks({first, random_.below(40)},
                                             [&](Bytes m, double s) { taken.emplace_back(s, m); });
    ASSERT_EQ(removed, taken.size());
    auto place = std::next(order_.begin(), static_cast<std::ptrdiff_t>(first));
    for (const Scored& scored : taken) {
      ASSERT_EQ(*place, scored);
      scores_.erase(scored.second);
      place = order_.erase(place);
    }
    pop(set_.pop_min(), order_.begin());
    pop(set_.pop_max(), order_.empty() ? order_.end() : std::prev(order_.end()));
    if (!order_.empty()) {
      const auto random = set_.random_member(random_);
      ASSERT_EQ(scores_.at(random.member), random.score);
    }
  }

  void empty_it() {
    while (!order_.empty()) {
      const auto place = random_.below(2) == 0 ? order_.begin() : std::prev(order_.end());
      ASSERT_TRUE(set_.remove(place->second));
      scores_.erase(place->second);
      order_.erase(place);
    }
    ASSERT_EQ(set_.size(), 0u);
    ASSERT_FALSE(set_.pop_min().has_value());
  }

 private:
  void pop(const std::optional<SortedSet::Scored>& popped, std::set<Scored>::iterator place) {
    ASSERT_EQ(popped.has_value(), place != order_.end());
    if (!popped) return;
    ASSERT_EQ(Scored(popped->score, popped->member), *place);
    scores_.erase(place->second);
    order_.erase(place);
  }

  Random random_;
  uint64_t names_;
  EncodingLimits limits_;
  SortedSet set_;
  std::map<std::string, double> scores_;
  std::set<Scored> order_;
};

TEST(SortedSet, FollowsAModelThroughRandomChanges) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SortedSetModel model(seed, seed % 2 == 0 ? 0 : 100, 60 * seed * seed);
    for (int i = 0; i < 6000; ++i) {
      ASSERT_NO_FATAL_FAILURE(model.step(i % 3000 > 2000));
      if (i % 200 == 0) ASSERT_NO_FATAL_FAILURE(model.check());
      if (i % 500 == 499) ASSERT_NO_FATAL_FAILURE(model.take_some());
    }
    ASSERT_NO_FATAL_FAILURE(model.check());
    ASSERT_NO_FATAL_FAILURE(model.empty_it());
    for (int i = 0; i < 500; ++i) ASSERT_NO_FATAL_FAILURE(model.step(false));
    ASSERT_NO_FATAL_FAILURE(model.check());
  }
}

TEST(SortedSetBuilder, OrdersAtTheEnd) {
  const EncodingLimits limits;
  SortedSetBuilder builder(limits);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(builder.add("m" + int64_text(i), static_cast<double>(i)), nullptr);
  }
  for (int i = 0; i < 300; i += 2) {
    double* score = builder.add("m" + int64_text(i), 7);
    ASSERT_NE(score, nullptr);
    EXPECT_EQ(*score, static_cast<double>(i));
    *score = -*score;
  }
  for (int i = 100; i < 300; ++i) builder.remove("m" + int64_text(i));
  builder.remove("nosuch");
  SortedSet set = builder.finish();
  EXPECT_EQ(set.encoding_name(), "skiplist");
  EXPECT_EQ(set.size(), 100u);
  EXPECT_EQ(set.rank("m98"), 0u);
  EXPECT_EQ(set.rank("m0"), 49u);
  EXPECT_EQ(set.rank("m99"), 99u);
  EXPECT_FALSE(set.score("m100").has_value());
  EXPECT_EQ(set.pop_min()->score, -98);
  set.become_listpack_if_possible(limits);
  EXPECT_EQ(set.encoding_name(), "listpack");
  EXPECT_EQ(SortedSetBuilder(limits).finish().size(), 0u);
}

TEST(ScoreTree, StaysRightAndDenseOverThreeLevels) {
  constexpr size_t kCount = 20000;
  std::vector<ScoredMember*> entries;
  ScoreTree tree;
  for (size_t i = 0; i < kCount; ++i) {
    entries.push_back(
        ScoredMember::create(int64_text(static_cast<int64_t>(i)), static_cast<double>(i)));
    tree.insert(entries.back());
  }
  // Ascending scores fill the leaves: little more than a pointer an entry.
  EXPECT_LT(tree.memory_bytes(), kCount * 10);
  for (size_t i = 0; i < kCount; i += 37) {
    ASSERT_EQ(tree.rank(entries[i]), i);
    ASSERT_EQ(tree.at(i), entries[i]);
  }
  Random random{4};
  for (size_t i = kCount; i > 1; --i) std::swap(entries[i - 1], entries[random.below(i)]);
  while (!entries.empty()) {
    tree.erase(entries.back());
    ScoredMember::destroy(entries.back());
    entries.pop_back();
    if (entries.size() % 1000 != 0) continue;
    double last = -1;
    size_t seen = 0;
    tree.walk(0, false, [&](const ScoredMember& entry) {
      EXPECT_GT(entry.score, last);
      last = entry.score;
      ++seen;
      return true;
    });
    ASSERT_EQ(seen, entries.size());
    ASSERT_EQ(tree.size(), entries.size());
  }
  EXPECT_LT(tree.memory_bytes(), 1000u);
}

}  // namespace
}  // namespace tandem
