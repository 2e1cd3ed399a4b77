#include "log/shared_blocks.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace tandem {
namespace {

using Cursor = SharedBlocks::Cursor;

void append(SharedBlocks& blocks, Bytes bytes) {
  SharedBlocks::Freed freed;
  const Guard guard(blocks.lock);
  blocks.write(bytes);
  freed = blocks.publish();
}

std::unique_ptr<Cursor> open(SharedBlocks& blocks, uint64_t lag_bytes_max,
                             SharedBlocks::Bell bell) {
  const Guard guard(blocks.lock);
  return blocks.open("reader", blocks.written(), lag_bytes_max, std::move(bell));
}

TEST(SharedBlocks, RingsOnceForEachWish) {
  SharedBlocks blocks(8, {});
  int rung = 0;
  const auto cursor = open(blocks, 0, [&] { ++rung; });
  append(blocks, "a");
  EXPECT_EQ(rung, 0) << "nobody asked";
  EXPECT_FALSE(cursor->ring_behind(1)) << "there is something to read";
  cursor->advance(cursor->peek()->size());
  EXPECT_TRUE(cursor->ring_behind(1));
  append(blocks, "b");
  EXPECT_EQ(rung, 1);
  append(blocks, "c");
  EXPECT_EQ(rung, 1);
}

TEST(SharedBlocks, RingsForWhoWantsMoreWhenThatIsThereOrABatchIsOver) {
  SharedBlocks blocks(8, {});
  int patient = 0;
  int quick = 0;
  const auto first = open(blocks, 0, [&] { ++patient; });
  const auto second = open(blocks, 0, [&] { ++quick; });
  EXPECT_TRUE(first->ring_behind(10));
  EXPECT_TRUE(second->ring_behind(1));
  blocks.ring_readers();
  EXPECT_EQ(patient + quick, 0) << "there is nothing to read";
  append(blocks, "123456789");
  EXPECT_EQ(quick, 1);
  EXPECT_EQ(patient, 0);
  append(blocks, "0");
  EXPECT_EQ(patient, 1);
  while (!first->peek()->empty()) first->advance(first->peek()->size());
  EXPECT_TRUE(first->ring_behind(10));
  append(blocks, "1");
  blocks.ring_readers();
  EXPECT_EQ(patient, 2);
  EXPECT_EQ(quick, 1);
}

TEST(SharedBlocks, RingsForWhoLosesItsPlace) {
  SharedBlocks blocks(4, {});
  int rung = 0;
  const auto slow = open(blocks, 10, [&] { ++rung; });
  EXPECT_TRUE(slow->ring_behind(1000));
  append(blocks, std::string(20, 'x'));
  EXPECT_EQ(rung, 1);
  EXPECT_TRUE(slow->lost());
  EXPECT_FALSE(slow->ring_behind(1));
  const auto other = open(blocks, 0, [&] { ++rung; });
  EXPECT_TRUE(other->ring_behind(1000));
  {
    SharedBlocks::Freed freed;
    const Guard guard(blocks.lock);
    freed = blocks.restart(7);
  }
  EXPECT_EQ(rung, 2);
}

// A reader that sleeps until it is rung for reads everything: no ring is lost between its look and
// its wish.
TEST(SharedBlocks, NoRingIsMissedBetweenThreads) {
  constexpr uint64_t kBytes = 200'000;
  SharedBlocks blocks(64, {});
  std::atomic<bool> rung{false};
  const auto cursor = open(blocks, 0, [&] {
    rung.store(true);
    rung.notify_one();
  });
  std::thread writer([&] {
    for (uint64_t i = 0; i < kBytes; ++i) {
      append(blocks, "x");
      if (i % 16 == 15) blocks.ring_readers();
    }
  });
  for (uint64_t read = 0; read < kBytes;) {
    const auto bytes = cursor->peek();
    ASSERT_TRUE(bytes);
    cursor->advance(bytes->size());
    read += bytes->size();
    if (!bytes->empty() || !cursor->ring_behind(read % 2 == 0 ? 1 : 40)) continue;
    rung.wait(false);
    rung.store(false);
  }
  writer.join();
}

}  // namespace
}  // namespace tandem
