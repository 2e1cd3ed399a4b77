#include "replication/stream_buffer.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

// Bytes that tell where in the stream they are.
std::string stream_from(size_t offset, size_t count) {
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>((offset + i) * 31 / 7);
  return bytes;
}

struct StreamBufferTest : testing::Test {
  // Puts as much as there is room for, up to `most`.
  size_t put(std::span<char> room, size_t most) {
    const std::string bytes =
        stream_from(begin + buffer.size() + lent, std::min(most, room.size()));
    std::ranges::copy(bytes, room.begin());
    buffer.add(bytes.size());
    return bytes.size();
  }
  void expect_whole() const {
    EXPECT_TRUE(buffer.bytes() == stream_from(begin + lent, buffer.size())) << begin;
  }

  StreamBuffer buffer;
  size_t begin = 0;  // of what is in it, in the stream
  size_t lent = 0;
};

TEST_F(StreamBufferTest, ABatchStaysWhereItIsWhileMoreComes) {
  Random random(1);
  for (int turn = 0; turn < 2000; ++turn) {
    ASSERT_GE(buffer.room().size(), StreamBuffer::kRoomMin);
    put(buffer.room(), 1 + random.below(300'000));
    const size_t batch = random.below(buffer.size() + 1);
    const Bytes view = buffer.bytes().substr(0, batch);
    buffer.lend(batch);
    lent = batch;
    for (int i = 0; i < 3; ++i) {
      expect_whole();
      put(buffer.room_beside(), random.below(300'000));
    }
    ASSERT_TRUE(view == stream_from(begin, batch));
    buffer.take_back();
    begin += batch;
    lent = 0;
    const size_t more = random.below(buffer.size() + 1);
    buffer.take(more);
    begin += more;
    expect_whole();
    EXPECT_LE(buffer.capacity(), 2 * StreamBuffer::kBytesUsual);
    if (HasFailure()) return;
  }
}

// Who takes as much as comes never runs out of room, without a pause in which nothing is lent.
TEST_F(StreamBufferTest, ThereIsAlwaysRoomBesideBatches) {
  constexpr size_t kBatch = 100'000;
  put(buffer.room(), 2 * kBatch);
  for (int i = 0; i < 200; ++i) {
    buffer.lend(kBatch);
    lent = kBatch;
    EXPECT_EQ(put(buffer.room_beside(), kBatch / 2) + put(buffer.room_beside(), kBatch / 2), kBatch)
        << i;
    expect_whole();
    buffer.take_back();
    begin += kBatch;
    lent = 0;
  }
}

TEST_F(StreamBufferTest, GrowsForALongCommandAndGivesItBack) {
  while (buffer.size() < 20 * kMegabyte) put(buffer.room(), kMegabyte);
  EXPECT_LE(buffer.capacity(), 40 * kMegabyte) << "believes in what has come, no more";
  expect_whole();
  buffer.take(buffer.size() - 5);
  begin += 20 * kMegabyte - 5;
  buffer.room();
  EXPECT_EQ(buffer.capacity(), StreamBuffer::kBytesUsual);
  EXPECT_EQ(buffer.size(), 5U);
  buffer.clear();
  EXPECT_EQ(buffer.capacity(), 0U);
}

}  // namespace
}  // namespace tandem
