// Drawing some elements by chance, of every container that does it.
#include "data/sample.h"

#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/number.h"
#include "data/hash.h"
#include "data/set.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

const EncodingLimits kLimits;

void add(Set& set, Bytes name) { set.add(name, kLimits); }
void add(Hash& hash, Bytes name) { hash.set(name, name, kLimits); }
void add(SortedSet& set, Bytes name) {
  set.set(name, 0.5 * static_cast<double>(name.size()), kLimits);
}

template <class Container>
Container of(int size, Bytes prefix) {
  Container container;
  for (int i = 0; i < size; ++i) add(container, std::string(prefix) + int64_text(i));
  return container;
}

void expect_belongs(const Set& set, Bytes name) { EXPECT_TRUE(set.contains(name)); }
void expect_belongs(const Hash& hash, Bytes name, Bytes value) {
  EXPECT_TRUE(hash.contains(name));
  EXPECT_EQ(name, value);
}
void expect_belongs(const SortedSet& set, Bytes name, double score) {
  EXPECT_EQ(set.score(name), score);
}

// Draws, and returns how many elements were looked at.
template <class Container>
size_t draw(const Container& container, size_t count, Random& random) {
  std::set<std::string> drawn;
  const size_t looked_at = container.sample(count, random, [&](Bytes name, auto... value) {
    expect_belongs(container, name, value...);
    EXPECT_TRUE(drawn.emplace(name).second) << "drawn twice";
  });
  EXPECT_EQ(drawn.size(), count);
  return looked_at;
}

template <class Container>
class Sample : public testing::Test {};
using Containers = testing::Types<Set, Hash, SortedSet>;
TYPED_TEST_SUITE(Sample, Containers);

// What a sample looks at is its price: it must not grow with the container.
TYPED_TEST(Sample, OfFewDoesNotLookAtAll) {
  Random random(1);
  const auto large = of<TypeParam>(100'000, "member:");
  for (const size_t count : {0, 1, 2, 50, 170}) {
    EXPECT_LE(draw(large, count, random), 2 * count + 10);
  }
}

TYPED_TEST(Sample, OfManyIsOneWalk) {
  Random random(2);
  for (const auto& container : {of<TypeParam>(3000, "member:"), of<TypeParam>(100, "member:")}) {
    const size_t size = container.size();
    for (const size_t count : {size / 3, size / 2, size - 1, size}) {
      EXPECT_LE(draw(container, count, random), count > size / 3 ? size : 2 * size);
    }
  }
}

template <class Container>
void expect_equally_often(const Container& container) {
  constexpr int kRounds = 1000;
  Random random(3);
  for (const size_t count : {container.size() / 5, container.size() / 2}) {
    std::map<std::string, int> times;
    for (int i = 0; i < kRounds; ++i) {
      container.sample(count, random, [&](Bytes name, auto...) { ++times[std::string(name)]; });
    }
    const auto expected =
        static_cast<double>(kRounds * count) / static_cast<double>(container.size());
    EXPECT_EQ(times.size(), container.size());
    for (const auto& [name, number] : times) EXPECT_NEAR(number, expected, expected / 3);
  }
}

TYPED_TEST(Sample, HasEachElementEquallyOften) {
  expect_equally_often(of<TypeParam>(20, "member:"));
  // A name beyond the compact form's limit, so that there is a table.
  expect_equally_often(of<TypeParam>(200, std::string(100, 'm')));
}

TEST(Sample, OfAnIntsetIsByPlaces) {
  Random random(4);
  const Set integers = of<Set>(512, "");
  ASSERT_EQ(integers.encoding_name(), "intset");
  EXPECT_LE(draw(integers, 50, random), 110u);
  EXPECT_LE(draw(integers, 500, random), 512u);
  expect_equally_often(of<Set>(20, ""));
}

}  // namespace
}  // namespace tandem
