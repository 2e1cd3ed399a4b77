#include "server/client/query_buffer.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

// As a reader that gets all it has room for.
void feed(QueryBuffer& buffer, Bytes bytes) {
  bool filled = false;
  while (!bytes.empty()) {
    const std::span<char> room = buffer.room(filled);
    ASSERT_FALSE(room.empty());
    const size_t count = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), count);
    buffer.took(count);
    bytes.remove_prefix(count);
    filled = count == room.size();
    (void)buffer.parse({});
  }
}

int64_t held(const QueryBuffer& buffer) { return buffer.bytes() + buffer.free_bytes(); }

std::string request(size_t bytes) {
  return "*2\r\n$4\r\nECHO\r\n$" + std::to_string(bytes) + "\r\n" + std::string(bytes, 'x') +
         "\r\n";
}

TEST(QueryBuffer, GivesRequestsInOrder) {
  QueryBuffer buffer;
  feed(buffer, "PING\r\n*1\r\n$4\r\nQUIT\r\nEC");
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.parse({}), ParseStatus::kRequest);  // the same
  EXPECT_EQ(buffer.args()[0], "PING");
  EXPECT_EQ(buffer.raw(), "");
  buffer.postpone();
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.args()[0], "PING");
  buffer.consume();
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.raw(), "*1\r\n$4\r\nQUIT\r\n");
  buffer.consume();
  EXPECT_EQ(buffer.parse({}), ParseStatus::kNeedMore);
  EXPECT_EQ(buffer.unread(), "EC");
}

TEST(QueryBuffer, GivesBackWhatALargeRequestNeeded) {
  constexpr size_t kLarge = 10'000'000;
  QueryBuffer buffer;
  feed(buffer, request(kLarge) + "*1\r\n$4\r\nPI");
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.args()[1].size(), kLarge);
  EXPECT_LT(held(buffer), static_cast<int64_t>(3 * kLarge));
  buffer.consume();
  buffer.tidy();
  EXPECT_LT(held(buffer), 64 * 1024);
  feed(buffer, "NG\r\n");
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.args()[0], "PING");
}

// The room grows with what has come, not with what a length promises.
TEST(QueryBuffer, DoesNotBelieveALength) {
  QueryBuffer buffer;
  feed(buffer, "*2\r\n$4\r\nECHO\r\n$500000000\r\nx");
  (void)buffer.room(true);
  EXPECT_LT(held(buffer), 64 * 1024);
}

TEST(QueryBuffer, MayMoveWithARequestThatWaits) {
  QueryBuffer buffer;
  feed(buffer, request(100));
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  feed(buffer, request(100'000));  // it moves to where there is more room
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.args()[1], std::string(100, 'x'));
  EXPECT_EQ(buffer.raw().data(), buffer.unread().data());
  buffer.consume();
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  EXPECT_EQ(buffer.args()[1].size(), 100'000u);
}

TEST(QueryBuffer, HoldsNothingWhileItRests) {
  QueryBuffer buffer;
  EXPECT_EQ(held(buffer), 0);
  feed(buffer, "PI");
  buffer.rest();  // it waits for the rest
  EXPECT_EQ(buffer.unread(), "PI");
  feed(buffer, "NG\r\n");
  ASSERT_EQ(buffer.parse({}), ParseStatus::kRequest);
  buffer.consume();
  buffer.tidy();
  buffer.rest();
  EXPECT_EQ(held(buffer), 0);
  feed(buffer, "PING\r\n");
  EXPECT_EQ(buffer.parse({}), ParseStatus::kRequest);
}

}  // namespace
}  // namespace tandem
