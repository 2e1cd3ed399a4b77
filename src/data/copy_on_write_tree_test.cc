#include "data/copy_on_write_tree.h"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

struct Numbered {
  uint64_t number;
  uint64_t value = 0;
};

struct ByNumber {
  using Key = uint64_t;
  using Stored = uint64_t;
  static const uint64_t& of(const Numbered& numbered) { return numbered.number; }
};

using Tree = CopyOnWriteTree<Numbered, ByNumber>;
using Model = std::map<uint64_t, uint64_t>;

Model content(const Tree& tree) {
  Model all;
  uint64_t before = 0;
  for (auto at = tree.first(); at; at.next()) {
    EXPECT_TRUE(all.empty() || at->number > before);
    before = at->number;
    all[at->number] = at->value;
  }
  EXPECT_EQ(all.size(), tree.size());
  return all;
}

Model content_backwards(const Tree& tree) {
  Model all;
  for (auto at = tree.last(); at; at.previous()) all[at->number] = at->value;
  return all;
}

void check_places(const Tree& tree, const Model& model, uint64_t key) {
  const auto after = model.lower_bound(key);
  const auto cursor = tree.at_or_after(key);
  ASSERT_EQ(static_cast<bool>(cursor), after != model.end());
  if (cursor) ASSERT_EQ(cursor->number, after->first);
  const auto above = model.upper_bound(key);
  const auto before = tree.at_or_before(key);
  ASSERT_EQ(static_cast<bool>(before), above != model.begin());
  if (before) ASSERT_EQ(before->number, std::prev(above)->first);
  const auto* found = tree.find(key);
  ASSERT_EQ(found != nullptr, model.contains(key));
}

// A tree beside a model, now and then shared: each copy must stay what it was.
class Turmoil {
 public:
  explicit Turmoil(uint64_t seed) : random_(seed), keys_(1 + random_.below(3000)) {}

  void run() {
    for (int i = 0; i < 6000; ++i) {
      ASSERT_NO_FATAL_FAILURE(step());
      if (i % 1000 == 0) growing_ = !growing_;
      if (i % 600 == 0) copies_.emplace_back(tree_, model_);
      if (i % 300 == 0) ASSERT_NO_FATAL_FAILURE(check());
    }
    for (const auto& [copy, then] : copies_) ASSERT_EQ(content(copy), then);
  }

 private:
  void step() {
    const uint64_t key = random_.below(keys_);
    const uint64_t value = random_.next();
    if (random_.below(4) == 0) {
      Numbered* numbered = tree_.write(key);
      ASSERT_EQ(numbered != nullptr, model_.contains(key));
      if (numbered != nullptr) numbered->value = model_[key] = value;
    } else if (random_.below(8) < (growing_ ? 6 : 1)) {
      const auto [numbered, is_new] = tree_.insert({key, value});
      ASSERT_EQ(is_new, model_.try_emplace(key, value).second);
      ASSERT_EQ(numbered->value, model_[key]);
    } else {
      const auto taken = tree_.take(key);
      ASSERT_EQ(taken.has_value(), model_.contains(key));
      if (taken) ASSERT_EQ(taken->value, model_[key]);
      model_.erase(key);
    }
  }

  void check() {
    ASSERT_EQ(content(tree_), model_);
    ASSERT_EQ(content_backwards(tree_), model_);
    for (int i = 0; i < 20; ++i) {
      ASSERT_NO_FATAL_FAILURE(check_places(tree_, model_, random_.below(keys_ + 2)));
    }
    if (!model_.empty()) ASSERT_EQ(tree_.write_last().number, model_.rbegin()->first);
  }

  Random random_;
  const uint64_t keys_;
  bool growing_ = false;
  Tree tree_;
  Model model_;
  std::vector<std::pair<Tree, Model>> copies_;
};

TEST(CopyOnWriteTree, FollowsAModelAndItsCopiesStayWhatTheyWere) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Turmoil turmoil(seed);
    ASSERT_NO_FATAL_FAILURE(turmoil.run());
  }
}

TEST(CopyOnWriteTree, EmptyHasNoPlaces) {
  Tree tree;
  EXPECT_FALSE(tree.first());
  EXPECT_FALSE(tree.last());
  EXPECT_FALSE(tree.at_or_after(1));
  EXPECT_FALSE(tree.at_or_before(1));
  EXPECT_FALSE(tree.take(1));
  EXPECT_EQ(tree.write(1), nullptr);
  tree.insert({1, 2});
  EXPECT_TRUE(tree.erase(1));
  EXPECT_FALSE(tree.first());
}

// Counts its copies.
struct Counted {
  Counted(uint64_t n, uint64_t& count) : number(n), copies(&count) {}
  Counted(const Counted& other) : number(other.number), copies(other.copies) { ++*copies; }
  Counted(Counted&&) noexcept = default;
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() = default;

  uint64_t number;
  uint64_t* copies;
};

struct ByCount {
  using Key = uint64_t;
  using Stored = uint64_t;
  static const uint64_t& of(const Counted& counted) { return counted.number; }
};

// The price of a snapshot: nothing while it is taken, a node at a time for who writes after it.
TEST(CopyOnWriteTree, SharingCopiesNothingAndAWriteCopiesOneLeaf) {
  using CountedTree = CopyOnWriteTree<Counted, ByCount>;
  uint64_t copies = 0;
  CountedTree tree;
  constexpr uint64_t kElements = 100'000;
  for (uint64_t i = 0; i < kElements; ++i) tree.insert(Counted(i, copies));
  ASSERT_EQ(copies, 0u);
  const CountedTree then = tree;
  EXPECT_EQ(copies, 0u);
  tree.write(kElements / 2);
  EXPECT_GT(copies, 0u);
  EXPECT_LE(copies, CountedTree::kItemsMax);
  tree.write(kElements / 2);
  EXPECT_LE(copies, CountedTree::kItemsMax) << "it is the tree's own by now";
  tree.erase(0);
  tree.insert(Counted(kElements, copies));
  EXPECT_LE(copies, 3 * CountedTree::kItemsMax);
  EXPECT_EQ(then.size(), kElements);
}

TEST(CopyOnWriteTree, IsFullWhereElementsComeInOrderAndShrinksWithThem) {
  Tree tree;
  constexpr uint64_t kElements = 64'000;
  for (uint64_t i = 0; i < kElements; ++i) tree.insert({i, 0});
  const size_t bytes = tree.memory_bytes();
  EXPECT_LT(bytes, kElements * sizeof(Numbered) * 11 / 10);
  for (uint64_t i = 0; i < kElements; ++i) {
    if (i % 100 != 0) tree.erase(i);
  }
  EXPECT_EQ(tree.size(), kElements / 100);
  EXPECT_LT(tree.memory_bytes(), bytes / 15) << "neighbours are put together";
}

struct Titled {
  std::string text;
};

struct ByTitle {
  using Key = std::string_view;
  using Stored = std::string;
  static const std::string& of(const Titled& titled) { return titled.text; }
};

TEST(CopyOnWriteTree, KeysMayBeTexts) {
  CopyOnWriteTree<Titled, ByTitle> tree;
  for (int i = 0; i < 1000; ++i) tree.insert({std::to_string(i * 7 % 1000)});
  ASSERT_EQ(tree.size(), 1000u);
  EXPECT_NE(tree.find("999"), nullptr);
  EXPECT_EQ(tree.find("1000"), nullptr);
  EXPECT_EQ(tree.at_or_after("98a")->text, "99");
  EXPECT_EQ(tree.at_or_before("98a")->text, "989");
}

}  // namespace
}  // namespace tandem
