#include "data/element_walk.h"

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/number.h"
#include "base/random.h"
#include "data/hash.h"
#include "data/set.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

// What a walk told: element and payload, each once.
using Content = std::map<std::string, std::string>;

void tell(Content& told, Bytes name, std::string payload) {
  EXPECT_TRUE(told.emplace(name, std::move(payload)).second) << name << " comes twice";
}

// One kind of container behind the operations that the test makes.
struct SetKind {
  Set set;
  EncodingLimits limits;

  void put(const std::string& name, uint64_t) { set.add(name, limits); }
  void remove(const std::string& name) { set.remove(name); }
  std::unique_ptr<ElementWalk> walk(Content& told) const {
    return set.walk([&told](Bytes member) { tell(told, member, ""); });
  }
  Content content() const {
    Content all;
    set.for_each([&](Bytes member) { return all.emplace(member, "").second; });
    return all;
  }
  bool is_walked() const { return set.is_walked(); }
};

struct HashKind {
  Hash hash;
  EncodingLimits limits;

  void put(const std::string& name, uint64_t payload) {
    hash.set(name, std::to_string(payload), limits);
  }
  void remove(const std::string& name) { hash.remove(name); }
  std::unique_ptr<ElementWalk> walk(Content& told) const {
    return hash.walk([&told](Bytes field, Bytes value) { tell(told, field, std::string(value)); });
  }
  Content content() const {
    Content all;
    hash.for_each([&](Bytes field, Bytes value) { return all.emplace(field, value).second; });
    return all;
  }
  bool is_walked() const { return hash.is_walked(); }
};

struct SortedSetKind {
  SortedSet set;
  EncodingLimits limits;

  void put(const std::string& name, uint64_t payload) {
    set.set(name, static_cast<double>(payload % 97), limits);
  }
  void remove(const std::string& name) { set.remove(name); }
  std::unique_ptr<ElementWalk> walk(Content& told) const {
    return set.walk(
        [&told](Bytes member, double score) { tell(told, member, std::to_string(score)); });
  }
  Content content() const {
    Content all;
    set.for_each([&](Bytes member, double score) {
      return all.emplace(member, std::to_string(score)).second;
    });
    return all;
  }
  bool is_walked() const { return set.is_walked(); }
};

template <class Kind>
class ElementWalkTest : public testing::Test {
 protected:
  void fill(int elements) {
    for (int i = 0; i < elements; ++i) kind.put(name(), random.next());
  }
  std::string name() { return "element:" + std::to_string(random.below(4000)); }
  // Mostly additions when `growth` is above 50, so that tables split or merge on the way.
  void change(uint64_t growth) {
    random.below(100) < growth ? kind.put(name(), random.next()) : kind.remove(name());
  }

  Random random{7};
  Kind kind;
  Content told;
};

using Kinds = testing::Types<SetKind, HashKind, SortedSetKind>;
TYPED_TEST_SUITE(ElementWalkTest, Kinds);

TYPED_TEST(ElementWalkTest, TellsTheMomentHoweverTheContainerChanges) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    this->random = Random(seed);
    this->fill(static_cast<int>(300 + this->random.below(3000)));
    this->told.clear();
    const Content expected = this->kind.content();
    const auto walk = this->kind.walk(this->told);
    ASSERT_NE(walk, nullptr);
    const uint64_t growth = this->random.below(101);
    const uint64_t changes = this->random.below(200);
    while (walk->step(1 + this->random.below(50))) {
      for (uint64_t i = 0; i < changes; ++i) this->change(growth);
    }
    EXPECT_FALSE(this->kind.is_walked());
    EXPECT_EQ(this->told, expected);
  }
}

TYPED_TEST(ElementWalkTest, TellsTheRestWhenTheContainerGoes) {
  this->fill(2000);
  const Content expected = this->kind.content();
  const auto walk = this->kind.walk(this->told);
  ASSERT_TRUE(walk->step(10));
  this->change(0);
  this->kind = TypeParam();
  EXPECT_EQ(this->told, expected);
  EXPECT_FALSE(walk->step(10));
}

TYPED_TEST(ElementWalkTest, GivenUpIsForgotten) {
  this->fill(2000);
  {
    const auto walk = this->kind.walk(this->told);
    ASSERT_TRUE(walk->step(10));
    EXPECT_TRUE(this->kind.is_walked());
  }
  EXPECT_FALSE(this->kind.is_walked());
  const size_t before = this->told.size();
  this->change(0);
  EXPECT_EQ(this->told.size(), before);
}

TYPED_TEST(ElementWalkTest, AStepIsShort) {
  this->fill(4000);
  const auto walk = this->kind.walk(this->told);
  ASSERT_TRUE(walk->step(10));
  EXPECT_GE(this->told.size(), 10U);
  EXPECT_LE(this->told.size(), 80U);
}

TYPED_TEST(ElementWalkTest, SmallContainersAreNotWalked) {
  this->fill(100);
  EXPECT_EQ(this->kind.walk(this->told), nullptr);
}

TEST(ElementWalk, ManyBytesAreLargeToo) {
  HashKind kind;
  for (int i = 0; i < 10; ++i) kind.hash.set(std::to_string(i), std::string(20'000, 'x'), {});
  Content told;
  EXPECT_NE(kind.walk(told), nullptr);
}

}  // namespace
}  // namespace tandem
