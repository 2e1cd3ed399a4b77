#include "data/hash_table.h"

#include <algorithm>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

struct Item {
  uint64_t key;
};

// `mask` weakens the hash, so that chains grow and every bit position is exercised.
struct ItemTraits {
  using Entry = Item;
  using Key = uint64_t;
  uint64_t mask = ~uint64_t{0};
  uint64_t hash_key(uint64_t key) const {
    Random mix(key);
    return mix.next() & mask;
  }
  uint64_t hash(const Item& item) const { return hash_key(item.key); }
  bool equals(const Item& item, uint64_t key) const { return item.key == key; }
};

using Table = HashTable<ItemTraits>;

void run_model(uint64_t seed, ItemTraits traits, int operations, uint64_t key_space) {
  Random random{seed};
  Table table;
  std::unordered_map<uint64_t, std::unique_ptr<Item>> model;
  for (int i = 0; i < operations; ++i) {
    const uint64_t key = random.below(key_space);
    const uint64_t hash = traits.hash_key(key);
    const Table::Slot slot = table.find_slot(traits, hash, key);
    ASSERT_EQ(static_cast<bool>(slot), model.contains(key)) << "seed " << seed << " step " << i;
    const bool growing = (i / (operations / 4)) % 2 == 0;
    if (!slot && (growing || random.below(4) == 0)) {
      model[key] = std::make_unique<Item>(Item{key});
      table.insert(traits, hash, model[key].get(), key % 3 == 0);
    } else if (slot && (!growing || random.below(4) == 0)) {
      ASSERT_EQ(table.erase(traits, slot), model[key].get());
      model.erase(key);
    }
    ASSERT_EQ(table.size(), model.size());
  }
  size_t seen = 0, flagged = 0;
  table.for_each([&](Item* item) {
    ASSERT_TRUE(model.contains(item->key));
    ++seen;
    flagged += item->key % 3 == 0 ? 1 : 0;
  });
  EXPECT_EQ(seen, model.size());
  EXPECT_EQ(table.flagged(), flagged);
  table.clear([](Item*) {});
  EXPECT_EQ(table.memory_bytes(), 0u);
}

TEST(HashTable, AgreesWithAModelUnderRandomGrowthAndShrinking) {
  for (uint64_t seed = 1; seed <= 20; ++seed) run_model(seed, {}, 20000, 5000);
}

TEST(HashTable, AgreesWithAModelWhenHashesCollide) {
  for (uint64_t seed = 1; seed <= 5; ++seed) run_model(seed, {0xff00000000000007ULL}, 4000, 300);
}

TEST(HashTable, KeepsWorkingPastTheHashBitsKeptInSlots) {
  const ItemTraits traits;
  std::vector<Item> items(200000);
  Table table;
  for (uint64_t i = 0; i < items.size(); ++i) {
    items[i].key = i;
    table.insert(traits, traits.hash_key(i), &items[i]);
  }
  EXPECT_GT(table.bucket_count(), 1u << 15);
  for (uint64_t i = 0; i < items.size(); ++i) {
    ASSERT_EQ(table.find(traits, traits.hash_key(i), i), &items[i]);
  }
  for (uint64_t i = 0; i < items.size(); ++i) {
    table.erase(traits, table.find_slot(traits, traits.hash_key(i), i));
  }
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.bucket_count(), 1u);
}

// So nothing ever waits for a rehash.
TEST(HashTable, GrowsAndShrinksByOneBucketAnOperation) {
  const ItemTraits traits;
  std::vector<Item> items(20000);
  Table table;
  uint32_t buckets = table.bucket_count();
  uint32_t most = buckets;
  const auto step = [&] {
    const uint32_t now = table.bucket_count();
    ASSERT_LE(now > buckets ? now - buckets : buckets - now, 1u) << table.size() << " entries";
    buckets = now;
    most = std::max(most, now);
  };
  for (uint64_t i = 0; i < items.size(); ++i) {
    items[i].key = i;
    table.insert(traits, traits.hash_key(i), &items[i]);
    step();
  }
  for (uint64_t i = 0; i < items.size(); ++i) {
    table.erase(traits, table.find_slot(traits, traits.hash_key(i), i));
    step();
  }
  EXPECT_GT(most, 2000u);
  EXPECT_EQ(buckets, 1u);
}

// The SCAN guarantee: what is present throughout is returned, while the table doubles and halves in
// between.
TEST(HashTable, ScanReturnsWhatStaysWhileTheTableChanges) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const ItemTraits traits;
    Random random{seed};
    Table table;
    std::vector<std::unique_ptr<Item>> owned;
    const auto add = [&](uint64_t key) {
      owned.push_back(std::make_unique<Item>(Item{key}));
      table.insert(traits, traits.hash_key(key), owned.back().get());
    };
    for (uint64_t key = 0; key < 200; ++key) add(key);
    uint64_t next_extra = 1000, first_extra = 1000;
    std::set<uint64_t> returned;
    uint64_t cursor = 0;
    int steps = 0;
    do {
      cursor = table.scan(cursor, [&](Item* item, bool) { returned.insert(item->key); });
      for (uint64_t n = random.below(60); n > 0; --n) add(next_extra++);
      if (random.below(3) == 0) {
        while (first_extra < next_extra) {
          const uint64_t key = first_extra++;
          table.erase(traits, table.find_slot(traits, traits.hash_key(key), key));
        }
      }
      ASSERT_LT(++steps, 100000);
    } while (cursor != 0);
    for (uint64_t key = 0; key < 200; ++key) {
      ASSERT_TRUE(returned.contains(key)) << "seed " << seed << " key " << key;
    }
  }
}

struct CountingHook {
  std::set<TableBucket*>* told;
  void before_change(TableBucket& home) { told->insert(&home); }
  uint8_t birth_epoch() const { return 9; }
};

std::unordered_map<TableBucket*, std::set<Item*>> contents(const Table& table) {
  std::unordered_map<TableBucket*, std::set<Item*>> chains;
  for (uint32_t i = 0; i < table.bucket_count(); ++i) {
    std::set<Item*>& chain = chains[&table.bucket_at(i)];
    Table::for_each_in_chain(table.bucket_at(i), [&](Item* item, bool) { chain.insert(item); });
  }
  return chains;
}

// Every chain that existed before and reads differently after must have been announced.
void expect_announced(const std::unordered_map<TableBucket*, std::set<Item*>>& before,
                      const Table& table, const std::set<TableBucket*>& told) {
  const auto after = contents(table);
  for (const auto& [bucket, chain] : before) {
    const auto found = after.find(bucket);
    if (found == after.end() || found->second != chain) {
      EXPECT_TRUE(told.contains(bucket));
    }
  }
}

TEST(HashTable, TellsTheHookBeforeAChainChangesAndHandsEpochsOn) {
  const ItemTraits traits;
  Table table;
  std::vector<Item> items(300);
  for (uint64_t i = 0; i < items.size(); ++i) {
    items[i].key = i;
    const auto before = contents(table);
    std::set<TableBucket*> told;
    table.insert(traits, traits.hash_key(i), &items[i], false, CountingHook{&told});
    expect_announced(before, table, told);
  }
  for (uint32_t i = 0; i < table.bucket_count(); ++i) EXPECT_EQ(table.bucket_at(i).epoch(), 9);
  for (uint64_t i = 0; i < items.size(); ++i) {
    const auto before = contents(table);
    std::set<TableBucket*> told;
    table.erase(traits, table.find_slot(traits, traits.hash_key(i), i), CountingHook{&told});
    expect_announced(before, table, told);
  }
}

TEST(HashTable, RandomEntryReachesEverything) {
  const ItemTraits traits;
  Table table;
  std::vector<Item> items(50);
  for (uint64_t i = 0; i < 50; ++i) {
    items[i].key = i;
    table.insert(traits, traits.hash_key(i), &items[i]);
  }
  Random random{3};
  std::set<uint64_t> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(table.random_entry(random)->key);
  EXPECT_EQ(seen.size(), 50u);
  table.clear([](Item*) {});
}

}  // namespace
}  // namespace tandem
