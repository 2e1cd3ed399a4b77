#include "data/stream_group.h"

#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

constexpr int64_t kUnknown = StreamGroup::kEntriesReadUnknown;

// Everything that is pending: by id, and consumer by consumer. Both must say the same.
std::map<StreamId, std::string> owners(const StreamGroup& group) {
  std::map<StreamId, std::string> by_id;
  for (auto entry = group.pending().first(); entry; entry.next())
    by_id[entry->id] = *entry->consumer;
  std::map<StreamId, std::string> by_consumer;
  for (auto consumer = group.consumers().first(); consumer; consumer.next()) {
    for (auto id = consumer->pending().first(); id; id.next()) {
      EXPECT_TRUE(by_consumer.emplace(*id, Bytes(consumer->name())).second);
    }
  }
  EXPECT_EQ(by_id, by_consumer);
  return by_id;
}

TEST(StreamGroup, AnEntryIsWithOneConsumer) {
  StreamGroup group("g", {}, kUnknown);
  EXPECT_TRUE(group.add_consumer("anna", 5));
  EXPECT_FALSE(group.add_consumer("anna", 6));
  EXPECT_TRUE(group.add_consumer("bob", 7));
  EXPECT_EQ(group.write_consumer("carl"), nullptr);
  StreamConsumer& anna = *group.write_consumer("anna");
  EXPECT_EQ(anna.seen_time_ms, 5);
  EXPECT_EQ(anna.active_time_ms, StreamConsumer::kNeverActive);
  group.assign({1, 0}, anna, 10, 1);
  group.assign({2, 0}, anna, 11, 1);
  group.assign({1, 0}, *group.write_consumer("bob"), 12, 2);
  EXPECT_EQ(owners(group), (std::map<StreamId, std::string>{{{1, 0}, "bob"}, {{2, 0}, "anna"}}));
  EXPECT_EQ(group.pending().find({1, 0})->delivery_time_ms, 12);
  EXPECT_EQ(group.pending().find({1, 0})->delivery_count, 2u);
  EXPECT_TRUE(group.acknowledge({1, 0}));
  EXPECT_FALSE(group.acknowledge({1, 0}));
  EXPECT_EQ(owners(group), (std::map<StreamId, std::string>{{{2, 0}, "anna"}}));
}

TEST(StreamGroup, FollowsAModelThroughRandomChangesAndItsCopiesStay) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    StreamGroup group("g", {}, 0);
    std::map<StreamId, std::string> model;
    std::vector<std::pair<StreamGroup, std::map<StreamId, std::string>>> copies;
    for (int i = 0; i < 2500; ++i) {
      const StreamId id{random.below(1000), 0};
      const std::string name = fmt::format("consumer {}", random.below(6));
      switch (random.below(200)) {
        case 0: {
          uint64_t had = 0;
          for (const auto& [pending, owner] : model) had += owner == name ? 1 : 0;
          const bool is_there = group.consumers().find(name) != nullptr;
          const auto removed = group.remove_consumer(name);
          ASSERT_EQ(removed.has_value(), is_there);
          if (removed) ASSERT_EQ(removed->consumer.pending().size(), had);
          std::erase_if(model, [&](const auto& entry) { return entry.second == name; });
          break;
        }
        case 1:
          copies.emplace_back(group, model);
          break;
        default:
          if (random.below(3) == 0) {
            ASSERT_EQ(group.acknowledge(id), model.erase(id) == 1);
          } else {
            group.add_consumer(name, i);
            group.assign(id, *group.write_consumer(name), i, 1);
            model[id] = name;
          }
      }
      if (i % 500 == 0) ASSERT_EQ(owners(group), model);
    }
    for (const auto& [copy, then] : copies) ASSERT_EQ(owners(copy), then);
  }
}

// A name lives as long as anything that is pending with it, in the group and in its copies.
TEST(StreamGroup, CopiesKeepNames) {
  StreamGroup group("g", {}, 0);
  group.add_consumer("anna", 1);
  group.assign({1, 0}, *group.write_consumer("anna"), 1, 1);
  const StreamGroup then = group;
  group.remove_consumer("anna");
  EXPECT_TRUE(owners(group).empty());
  EXPECT_EQ(owners(then), (std::map<StreamId, std::string>{{{1, 0}, "anna"}}));
}

TEST(StreamGroup, AnEntryTakesSome64Bytes) {
  StreamGroup group("g", {}, 0);
  group.add_consumer("anna", 1);
  StreamConsumer& anna = *group.write_consumer("anna");
  constexpr uint64_t kEntries = 20'000;
  for (uint64_t i = 0; i < kEntries; ++i) group.assign({i, 0}, anna, 1, 1);
  EXPECT_LT(group.pending().memory_bytes() + anna.pending().memory_bytes(), kEntries * 64);
}

TEST(StreamGroup, LoadsEntriesBeforeTheirConsumers) {
  StreamGroup group("g", {}, 0);
  EXPECT_TRUE(group.load_pending({1, 0}, 7, 3));
  EXPECT_FALSE(group.load_pending({1, 0}, 7, 3));
  group.add_consumer("anna", 1);
  StreamConsumer& anna = *group.write_consumer("anna");
  EXPECT_FALSE(group.load_owner({2, 0}, anna));
  EXPECT_TRUE(group.load_owner({1, 0}, anna));
  EXPECT_FALSE(group.load_owner({1, 0}, anna));
  EXPECT_EQ(owners(group), (std::map<StreamId, std::string>{{{1, 0}, "anna"}}));
}

}  // namespace
}  // namespace tandem
