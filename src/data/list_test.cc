#include "data/list.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

using Texts = std::vector<std::string>;

Texts texts(const List& list, size_t first = 0, size_t count = SIZE_MAX, bool backwards = false) {
  Texts out;
  list.for_each(first, count, backwards, [&](Bytes text) {
    out.emplace_back(text);
    return true;
  });
  return out;
}

List list_of(const Texts& values, const EncodingLimits& limits) {
  List list;
  for (const std::string& value : values) list.push(ListEnd::kTail, value, limits);
  return list;
}

TEST(List, IsAListpackUntilItOutgrowsOneNode) {
  const EncodingLimits limits;
  List list;
  EXPECT_EQ(list.encoding_name(), "listpack");
  // 7 bytes of header and end, 64 entries of 126 bytes (123 of text): 8071; the next would pass
  // 8192.
  for (int i = 0; i < 64; ++i) list.push(ListEnd::kTail, std::string(123, 'x'), limits);
  EXPECT_EQ(list.encoding_name(), "listpack");
  EXPECT_EQ(list.listpack()->total_bytes(), 8071u);
  list.push(ListEnd::kTail, std::string(122, 'x'), limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");
  EXPECT_EQ(list.size(), 65u);
}

TEST(List, GrowsByTheTextOfTheWholeCommandAsRedisDoes) {
  EncodingLimits limits;
  limits.list_max_listpack_size = 4;
  List list;
  const Bytes values[] = {"a", "b", "c", "d"};
  list.push(ListEnd::kHead, values, limits);
  EXPECT_EQ(list.encoding_name(), "listpack");
  EXPECT_EQ(texts(list), (Texts{"d", "c", "b", "a"}));
  list.push(ListEnd::kTail, "e", limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");
}

TEST(List, BecomesAListpackAgainBelowHalfANode) {
  EncodingLimits limits;
  limits.list_max_listpack_size = 4;
  List list = list_of({"1", "2", "3", "4", "5"}, limits);
  EXPECT_EQ(list.node_count(), 2u);
  list.pop(ListEnd::kTail, limits);
  EXPECT_EQ(list.node_count(), 1u);
  list.pop(ListEnd::kTail, limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");  // 3 of 4
  list.pop(ListEnd::kTail, limits);
  EXPECT_EQ(list.encoding_name(), "listpack");  // 2 of 4
  EXPECT_EQ(texts(list), (Texts{"1", "2"}));
}

TEST(List, KeepsALargeElementInANodeOfItsOwn) {
  const EncodingLimits limits;
  List list = list_of({"a", std::string(10000, 'x'), "b"}, limits);
  EXPECT_EQ(list.encoding_name(), "quicklist");
  std::vector<bool> plain;
  list.for_each_node([&](bool is_plain, Bytes) { plain.push_back(is_plain); });
  EXPECT_EQ(plain, (std::vector<bool>{false, true, false}));
  EXPECT_TRUE(list.insert(std::string(10000, 'x'), true, "before", limits));
  EXPECT_TRUE(list.insert(std::string(10000, 'x'), false, "after", limits));
  EXPECT_EQ(list.at(1)->copy(), "before");
  EXPECT_EQ(list.at(-2)->copy(), "after");
  EXPECT_TRUE(list.set(2, "small", limits));
  EXPECT_EQ(texts(list), (Texts{"a", "before", "small", "after", "b"}));
}

TEST(List, LoadsBlobsAndGivesThemBack) {
  const EncodingLimits limits;
  const List source = list_of({"a", "1", "b"}, limits);
  Result<List> copy = List::from_listpack(source.listpack()->bytes(), limits);
  ASSERT_TRUE(copy.has_value());
  EXPECT_EQ(texts(*copy), texts(source));
  EXPECT_FALSE(List::from_listpack("junk", limits).has_value());
  EXPECT_FALSE(List::from_listpack(Listpack().bytes(), limits).has_value());

  List loaded;
  ASSERT_TRUE(loaded.append_packed_node(source.listpack()->bytes()).has_value());
  EXPECT_EQ(loaded.encoding_name(), "quicklist");
  loaded.append_plain_node("plain");
  const size_t nodes = loaded.node_count();
  EXPECT_TRUE(loaded.append_packed_node(Listpack().bytes()).has_value());
  EXPECT_EQ(loaded.node_count(), nodes);
  loaded.finish_loading(limits);
  EXPECT_EQ(loaded.encoding_name(), "quicklist");
  EXPECT_EQ(texts(loaded), (Texts{"a", "1", "b", "plain"}));

  List small;
  ASSERT_TRUE(small.append_packed_node(source.listpack()->bytes()).has_value());
  small.finish_loading(limits);
  EXPECT_EQ(small.encoding_name(), "listpack");
}

size_t remove_from(Texts& model, const std::string& value, int64_t count) {
  size_t removed = 0;
  const size_t most = count == 0 ? SIZE_MAX : static_cast<size_t>(std::abs(count));
  if (count < 0) std::ranges::reverse(model);
  std::erase_if(model, [&](const std::string& text) {
    return text == value && removed < most && ++removed > 0;
  });
  if (count < 0) std::ranges::reverse(model);
  return removed;
}

class ListModel {
 public:
  ListModel(uint64_t seed, int64_t node_setting) : random_(seed) {
    limits_.list_max_listpack_size = node_setting;
  }

  void step() {
    const size_t size = model_.size();
    const std::string value = text();
    const auto index = static_cast<std::ptrdiff_t>(random_.below(size + 1));
    switch (random_.below(size < 300 ? 10 : 14)) {
      case 0:
      case 1:
      case 2:
        list_.push(ListEnd::kTail, value, limits_);
        model_.push_back(value);
        break;
      case 3:
      case 4:
        list_.push(ListEnd::kHead, value, limits_);
        model_.insert(model_.begin(), value);
        break;
      case 5:
      case 6:
        insert(value);
        break;
      case 7:
        ASSERT_EQ(list_.set(index, value, limits_), index < std::ssize(model_));
        if (index < std::ssize(model_)) model_[static_cast<size_t>(index)] = value;
        break;
      case 8: {
        const auto count = static_cast<int64_t>(random_.below(5)) - 2;
        ASSERT_EQ(list_.remove(value, count, limits_), remove_from(model_, value, count));
        break;
      }
      case 9:
        pop();
        break;
      default:
        keep();
        break;
    }
  }

  void check() {
    ASSERT_EQ(list_.size(), model_.size());
    ASSERT_EQ(texts(list_), model_);
    const size_t first = random_.below(model_.size() + 1);
    const size_t count = random_.below(model_.size() + 1);
    Texts part;
    for (size_t i = first; i < model_.size() && i < first + count; ++i) part.push_back(model_[i]);
    ASSERT_EQ(texts(list_, first, count), part);
    part.clear();
    if (first < model_.size()) {
      for (size_t i = 0; i < count && i <= first; ++i) part.push_back(model_[first - i]);
    }
    ASSERT_EQ(texts(list_, first, count, true), part);
    if (first < model_.size()) {
      ASSERT_EQ(list_.at(static_cast<int64_t>(first))->copy(), model_[first]);
      ASSERT_EQ(list_.at(static_cast<int64_t>(first) - std::ssize(model_))->copy(), model_[first]);
    }
    ASSERT_FALSE(list_.at(std::ssize(model_)).has_value());
  }

  bool was_quicklist() const { return list_.encoding_name() == "quicklist"; }

 private:
  // Few different ones, so that pivots are found; some too large for a small node.
  std::string text() {
    if (random_.below(60) == 0) return std::string(5000 + random_.below(8000), 'p');
    if (random_.below(4) == 0) return std::string(random_.below(400), 'q');
    return int64_text(static_cast<int64_t>(random_.below(40)));
  }
  void insert(const std::string& value) {
    const std::string pivot = text();
    const bool before = random_.below(2) == 0;
    const auto found = std::ranges::find(model_, pivot);
    const bool expected = found != model_.end();
    if (expected) model_.insert(before ? found : found + 1, value);
    ASSERT_EQ(list_.insert(pivot, before, value, limits_), expected);
  }
  void pop() {
    const bool head = random_.below(2) == 0;
    const auto popped = list_.pop(head ? ListEnd::kHead : ListEnd::kTail, limits_);
    ASSERT_EQ(popped.has_value(), !model_.empty());
    if (!popped) return;
    ASSERT_EQ(*popped, head ? model_.front() : model_.back());
    model_.erase(head ? model_.begin() : model_.end() - 1);
  }
  void keep() {
    const size_t first = random_.below(40);
    const size_t count = model_.size() - random_.below(60);
    list_.keep(first, count, limits_);
    model_.erase(model_.begin(), model_.begin() + static_cast<std::ptrdiff_t>(first));
    if (model_.size() > count) model_.resize(count);
  }

  Random random_;
  EncodingLimits limits_;
  List list_;
  Texts model_;
};

TEST(List, FollowsAModelThroughRandomChanges) {
  for (const int64_t setting : {-2, -1, 4, 0, 1, 128}) {
    ListModel model(static_cast<uint64_t>(setting + 100), setting);
    bool quicklist = false;
    for (int i = 0; i < 4000; ++i) {
      ASSERT_NO_FATAL_FAILURE(model.step());
      if (i % 20 == 0) ASSERT_NO_FATAL_FAILURE(model.check());
      quicklist = quicklist || model.was_quicklist();
    }
    EXPECT_TRUE(quicklist);
  }
}

}  // namespace
}  // namespace tandem
