#include "rdb/rdb_stream.h"

#include <gtest/gtest.h>

#include "rdb/rdb_test_values.h"
#include "rdb/rdb_writer.h"

namespace tandem {
namespace {

std::string encoded(const Stream& stream, int version) {
  std::string out;
  StringSink sink(out);
  RdbEncoder encoder(sink);
  rdb_encode_stream(encoder, stream, version);
  encoder.flush();
  return out;
}

TEST(RdbStream, PiecesMakeTheWhole) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const int version = static_cast<int>(9 + seed % 3);
    const auto stream = random_stream(random, {.stream_node_max_entries = 1 + random.below(20)});
    std::string out;
    StringSink sink(out);
    RdbEncoder encoder(sink);
    RdbStreamEncoder pieces(*stream, version);
    while (pieces.encode(encoder, 1 + random.below(200))) {
    }
    encoder.flush();
    ASSERT_EQ(out, encoded(*stream, version)) << seed;
  }
}

// A stream with so many entries, each of which is pending with one of a few consumers.
std::unique_ptr<Stream> delivered_stream(uint64_t entries) {
  auto stream = std::make_unique<Stream>();
  const std::vector<Bytes> fields{"field", "value"};
  StreamGroup group("group", {}, 0);
  for (int i = 0; i < 7; ++i) group.add_consumer(fmt::format("consumer {}", i), 1);
  for (uint64_t i = 1; i <= entries; ++i) {
    EXPECT_TRUE(stream->append({i, 0}, fields, {}));
    StreamConsumer& consumer = *group.write_consumer(fmt::format("consumer {}", i % 7));
    group.assign({i, 0}, consumer, 5, 1);
    stream->note_delivery(group, {i, 0});
  }
  stream->add_group(std::move(group));
  return stream;
}

// However much is pending, a snapshot's hold of the stripe copies the key and no more; what follows
// comes in steps of a bounded size, and under no stripe. Writers that come in between copy what
// they touch.
TEST(RdbStream, WhatIsPendingIsCapturedInStepsOfABoundedSize) {
  constexpr uint64_t kEntries = 20'000;
  constexpr size_t kStepBytes = 8 * 1024;
  const RdbWriteOptions options{.version = 11, .compress = false};
  std::unique_ptr<Entry, void (*)(Entry*)> entry(
      Entry::make("key", Value(delivered_stream(kEntries)), kNoExpiry), Entry::destroy);
  std::string expected;
  StringSink expected_sink(expected);
  rdb_encode_entry(expected_sink, "key", {ValueType::kStream, {}, &entry->as<Stream>()},
                   std::nullopt, options);

  std::atomic<size_t> held = 0;
  const auto large = RdbLargeEntry::begin(*entry, options, held);
  ASSERT_NE(large, nullptr);
  EXPECT_FALSE(large->in_place()) << "no step needs the stripe";
  Stream& stream = entry->as<Stream>();
  StreamGroup* group = stream.write_group("group");
  std::string out;
  StringSink sink(out);
  uint64_t next = 1;
  for (bool more = true; more;) {
    RdbCapture part(options);
    more = large->step(part, kStepBytes);
    EXPECT_LE(part.copied_bytes(), 2 * kStepBytes);
    while (part.encode(sink, nullptr, SIZE_MAX)) {
    }
    for (const uint64_t end = next + 100; next < end && next <= kEntries; ++next) {
      EXPECT_TRUE(group->acknowledge({next, 0}));
      stream.erase({next, 0});
    }
  }
  EXPECT_EQ(out, expected);
  EXPECT_GT(next, 5'000u) << "there were many steps";
}

// The few nodes of a stream with much that is pending do not make it small.
TEST(RdbStream, IsLargeByWhatIsPending) {
  const RdbWriteOptions options;
  std::atomic<size_t> held = 0;
  const auto begun = [&](uint64_t entries) {
    std::unique_ptr<Stream> stream = delivered_stream(entries);
    stream->trim({.by = StreamTrim::By::kMaxLength, .max_length = 1});
    std::unique_ptr<Entry, void (*)(Entry*)> entry(
        Entry::make("key", Value(std::move(stream)), kNoExpiry), Entry::destroy);
    return RdbLargeEntry::begin(*entry, options, held) != nullptr;
  };
  EXPECT_FALSE(begun(100));
  EXPECT_TRUE(begun(400));
}

}  // namespace
}  // namespace tandem
