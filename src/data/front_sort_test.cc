#include "data/front_sort.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

struct Item {
  int key;
  int place;
};

int order(const Item& a, const Item& b) { return a.key - b.key; }

std::vector<Item> random_items(Random& random, size_t count, uint64_t keys) {
  std::vector<Item> items;
  for (size_t i = 0; i < count; ++i) {
    items.push_back({static_cast<int>(random.below(keys)), static_cast<int>(i)});
  }
  return items;
}

TEST(FrontSort, TheFrontIsInOrder) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    const size_t size = random.below(round < 1500 ? 60 : 500);
    std::vector<Item> items = random_items(random, size, 1 + random.below(size + 1));
    std::vector<int> keys;
    for (const Item& item : items) keys.push_back(item.key);
    std::ranges::sort(keys);
    const size_t count = random.below(size + 2);
    sort_front(items, count, order);
    std::vector<bool> there(size);
    for (size_t i = 0; i < size; ++i) {
      if (i < count) EXPECT_EQ(items[i].key, keys[i]);
      there[static_cast<size_t>(items[i].place)] = true;
    }
    EXPECT_EQ(std::ranges::count(there, true), static_cast<ptrdiff_t>(size));
  }
}

TEST(FrontSort, APartIsWhatItWouldBeInAll) {
  Random random(3);
  for (int round = 0; round < 1000; ++round) {
    const size_t size = 1 + random.below(200);
    std::vector<Item> items = random_items(random, size, 1 + random.below(size + 1));
    std::vector<Item> front = items;
    std::vector<int> keys;
    for (const Item& item : items) keys.push_back(item.key);
    std::ranges::sort(keys);
    const size_t from = 1 + random.below(size);
    const size_t count = random.below(size - from + 2);
    sort_part(items, from, count, order);
    for (size_t i = from; i < std::min(size, from + count); ++i) EXPECT_EQ(items[i].key, keys[i]);
    if (from + count >= size) continue;
    sort_front(front, from + count, order);
    for (size_t i = from; i < from + count; ++i) EXPECT_EQ(items[i].place, front[i].place);
  }
}

TEST(FrontSort, AllOfThemKeepTheOrderOfEquals) {
  Random random(2);
  std::vector<Item> items = random_items(random, 500, 5);
  sort_front(items, 500, order);
  for (size_t i = 1; i < items.size(); ++i) {
    EXPECT_TRUE(items[i - 1].key < items[i].key ||
                (items[i - 1].key == items[i].key && items[i - 1].place < items[i].place));
  }
}

// Where all are equal the places show the swaps: those that GEOSEARCH ... COUNT of redis-server
// 7.0.15 shows of 60 members at one place.
TEST(FrontSort, EqualsComeAsInRedis) {
  std::vector<Item> items;
  for (int i = 0; i < 60; ++i) items.push_back({0, i});
  sort_front(items, 8, order);
  std::string places;
  for (const Item& item : std::span(items).first(8)) places += std::to_string(item.place) + " ";
  EXPECT_EQ(places, "59 1 2 3 4 5 6 7 ");
}

}  // namespace
}  // namespace tandem
