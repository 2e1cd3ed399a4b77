#include "data/stream.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/listpack.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

using Fields = std::vector<std::string>;
using Rows = std::vector<std::pair<StreamId, Fields>>;

Result<void> append(Stream& stream, StreamId id, const Fields& fields,
                    const EncodingLimits& limits = {}) {
  const std::vector<Bytes> views(fields.begin(), fields.end());
  return stream.append(id, views, limits);
}

Rows rows(const Stream& stream, StreamId first = kStreamIdMin, StreamId last = kStreamIdMax,
          bool backwards = false) {
  Rows out;
  stream.for_each(first, last, backwards, [&](StreamId id, std::span<const Element> fields) {
    out.emplace_back(id, Fields());
    for (const Element& field : fields) out.back().second.push_back(field.copy());
    return true;
  });
  return out;
}

std::string only_node(const Stream& stream) {
  EXPECT_EQ(stream.nodes().size(), 1u);
  return stream.nodes().first()->listpack();
}

// XADD of these four by redis-server 7.0, then XDEL 5-2.
constexpr Bytes kGolden =
    "540000001f0003010101020181660281670200010201000100010101"
    "8374776f0405010301000101018178020301"
    "050100010201dfff020101856f7468657206c12c0206010201040100"
    "01dfff028179020501ff";

Stream golden_stream() {
  Stream stream;
  EXPECT_TRUE(append(stream, {5, 1}, {"f", "1", "g", "two"}));
  EXPECT_TRUE(append(stream, {5, 2}, {"f", "x", "g", "3"}));
  EXPECT_TRUE(append(stream, {7, 0}, {"other", "300"}));
  EXPECT_TRUE(append(stream, {9, 1}, {"f", "-1", "g", "y"}));
  EXPECT_TRUE(stream.erase({5, 2}));
  return stream;
}

TEST(Stream, WritesTheBytesThatRedisWrites) {
  const Stream stream = golden_stream();
  EXPECT_EQ(to_hex(only_node(stream)), kGolden);
  EXPECT_EQ(stream.length(), 3u);
  EXPECT_EQ(stream.last_id(), (StreamId{9, 1}));
  EXPECT_EQ(stream.first_id(), (StreamId{5, 1}));
  EXPECT_EQ(stream.max_deleted_id(), (StreamId{5, 2}));
  EXPECT_EQ(stream.entries_added(), 4u);
}

TEST(Stream, LoadsNodesAndRefusesBrokenOnes) {
  Stream stream;
  ASSERT_TRUE(stream.append_node({5, 1}, from_hex(kGolden)).has_value());
  EXPECT_EQ(rows(stream), rows(golden_stream()));
  EXPECT_EQ(stream.length(), 3u);
  EXPECT_EQ(stream.first_id(), (StreamId{5, 1}));
  EXPECT_FALSE(stream.append_node({9, 1}, from_hex(kGolden)).has_value());  // out of order
  EXPECT_FALSE(stream.append_node({10, 1}, "junk").has_value());
  EXPECT_FALSE(stream.append_node({10, 1}, Listpack().bytes()).has_value());
  EXPECT_EQ(stream.length(), 3u);

  Random random{9};
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string blob = from_hex(kGolden);
    blob[random.below(blob.size())] = static_cast<char>(random.next());
    Stream broken;
    if (!broken.append_node({5, 1}, blob)) continue;
    ++accepted;
    EXPECT_EQ(rows(broken).size(), broken.length());
    EXPECT_EQ(rows(broken, kStreamIdMin, kStreamIdMax, true).size(), broken.length());
  }
  EXPECT_GT(accepted, 0);
}

TEST(Stream, GivesOutAscendingIds) {
  Stream stream;
  EXPECT_EQ(stream.next_id(0), (StreamId{0, 1}));
  EXPECT_EQ(stream.next_id(5), (StreamId{5, 0}));
  ASSERT_TRUE(append(stream, {5, UINT64_MAX}, {"a", "b"}).has_value());
  EXPECT_EQ(stream.next_id(5), (StreamId{6, 0}));
  EXPECT_EQ(append(stream, {5, 7}, {"a", "b"}).error().code, ErrorCode::kInvalid);
  ASSERT_TRUE(append(stream, kStreamIdMax, {"a", "b"}).has_value());
  EXPECT_EQ(stream.next_id(7), std::nullopt);
  EXPECT_EQ(rows(stream).back().first, kStreamIdMax);  // its difference does not fit 63 bits
  EXPECT_TRUE(StreamNode::from_listpack({5, UINT64_MAX}, only_node(stream)).has_value());
}

TEST(Stream, CutsNodesAtTheLimits) {
  EncodingLimits limits;
  limits.stream_node_max_entries = 10;
  Stream stream;
  for (uint64_t i = 1; i <= 25; ++i) ASSERT_TRUE(append(stream, {i, 0}, {"f", "v"}, limits));
  EXPECT_EQ(stream.nodes().size(), 3u);
  limits.stream_node_max_bytes = 100;
  limits.stream_node_max_entries = 0;
  ASSERT_TRUE(append(stream, {26, 0}, {"f", std::string(90, 'v')}, limits));
  EXPECT_EQ(stream.nodes().size(), 4u);
}

TEST(Stream, TrimsByLengthAndById) {
  EncodingLimits limits;
  limits.stream_node_max_entries = 10;
  const auto filled = [&] {
    Stream stream;
    for (uint64_t i = 1; i <= 40; ++i) EXPECT_TRUE(append(stream, {i, 0}, {"f", "v"}, limits));
    return stream;
  };
  using By = StreamTrim::By;
  Stream stream = filled();
  EXPECT_EQ(stream.trim({.by = By::kMaxLength, .max_length = 33}), 7u);
  EXPECT_EQ(stream.first_id(), (StreamId{8, 0}));
  EXPECT_EQ(stream.nodes().size(), 4u);
  EXPECT_EQ(stream.trim({.by = By::kMaxLength, .max_length = 25, .approximate = true}), 3u);
  EXPECT_EQ(stream.length(), 30u);
  EXPECT_EQ(stream.trim({.by = By::kMinId, .min_id = {25, 0}, .approximate = true}), 10u);
  EXPECT_EQ(stream.trim({.by = By::kMinId, .min_id = {25, 0}}), 4u);
  EXPECT_EQ(stream.first_id(), (StreamId{25, 0}));
  EXPECT_EQ(stream.max_deleted_id(), kStreamIdMin);  // trimming leaves no tombstone
  EXPECT_EQ(stream.trim({.by = By::kMaxLength, .max_length = 0}), 16u);
  EXPECT_EQ(stream.first_id(), kStreamIdMin);
  EXPECT_EQ(stream.nodes().size(), 0u);
  EXPECT_EQ(stream.last_id(), (StreamId{40, 0}));

  Stream limited = filled();
  const StreamTrim trim{
      .by = By::kMaxLength, .max_length = 0, .min_id = {}, .approximate = true, .limit = 25};
  EXPECT_EQ(limited.trim(trim), 20u);
}

TEST(Stream, IdsSortAsTheirBytesDo) {
  const StreamId id{0x0102030405060708, 0x1112131415161718};
  EXPECT_EQ(to_hex(id.big_endian()), "01020304050607081112131415161718");
  EXPECT_EQ(StreamId::from_big_endian(id.big_endian()), id);
  EXPECT_EQ((StreamId{12, 3}.text()), "12-3");
  EXPECT_EQ((StreamId{1, 0}.previous()), (StreamId{0, UINT64_MAX}));
  EXPECT_EQ(kStreamIdMin.previous(), std::nullopt);
  EXPECT_EQ((StreamId{1, UINT64_MAX}.next()), (StreamId{2, 0}));
}

// Bytes an entry, where the listpack takes 18: what a stream is kept for.
TEST(Stream, TakesLessThanTheListpack) {
  Stream stream;
  constexpr uint64_t kEntries = 10'000;
  for (uint64_t i = 1; i <= kEntries; ++i) {
    const uint64_t value = 500'000 + i;
    ASSERT_TRUE(append(stream, {i, 1},
                       {"sensor", int64_text(static_cast<int64_t>(value)), "value",
                        int64_text(static_cast<int64_t>(3 * value))}));
  }
  EXPECT_LT(stream.memory_bytes(), kEntries * 14);
}

class StreamModel {
 public:
  explicit StreamModel(uint64_t seed) : random_(seed) {
    limits_.stream_node_max_entries = 1 + random_.below(30);
    limits_.stream_node_max_bytes = 200 + random_.below(2000);
  }

  void step() {
    switch (random_.below(20)) {
      case 0:
        trim();
        break;
      case 1:
      case 2:
      case 3:
      case 4: {
        const StreamId id = some_id();
        ASSERT_EQ(stream_.erase(id), model_.erase(id) == 1);
        break;
      }
      default:
        add();
        break;
    }
  }

  void check() {
    ASSERT_EQ(stream_.length(), model_.size());
    ASSERT_EQ(stream_.first_id(), model_.empty() ? kStreamIdMin : model_.begin()->first);
    if (!model_.empty()) ASSERT_EQ(stream_.last_live_id(), model_.rbegin()->first);
    StreamId first = some_id();
    StreamId last = some_id();
    if (random_.below(5) == 0) std::tie(first, last) = std::pair(kStreamIdMin, kStreamIdMax);
    Rows expected;
    for (const auto& entry : model_) {
      if (entry.first >= first && entry.first <= last) expected.push_back(entry);
    }
    ASSERT_EQ(rows(stream_, first, last), expected);
    std::ranges::reverse(expected);
    ASSERT_EQ(rows(stream_, first, last, true), expected);
    ASSERT_EQ(stream_.contains(first), model_.contains(first));

    Stream copy;
    for (auto node = stream_.nodes().first(); node; node.next()) {
      const std::string listpack = node->listpack();
      ASSERT_EQ(node->listpack_bytes(), listpack.size());
      ASSERT_TRUE(copy.append_node(node->master(), listpack).has_value());
      ASSERT_EQ(copy.nodes().last()->listpack(), listpack);
    }
    ASSERT_EQ(rows(copy), rows(stream_));
  }

 private:
  StreamId some_id() { return {random_.below(ms_ + 2), random_.below(3)}; }

  void add() {
    const StreamId id =
        random_.below(2) == 0 ? *stream_.next_id(ms_) : StreamId{ms_ += random_.below(4), 0};
    Fields fields;
    const uint64_t pairs = 1 + random_.below(3);
    for (uint64_t i = 0; i < pairs; ++i) {
      fields.push_back(random_.below(4) == 0 ? random_text(random_) : "field");
      fields.push_back(random_text(random_));
    }
    const bool expected = id > stream_.last_id();
    ASSERT_EQ(append(stream_, id, fields, limits_).has_value(), expected);
    if (expected) model_.emplace(id, fields);
  }

  void trim() {
    StreamTrim trim{.by = StreamTrim::By::kMaxLength};
    if (random_.below(2) == 0) {
      trim.max_length = model_.size() - random_.below(model_.size() / 2 + 1);
    } else {
      trim.by = StreamTrim::By::kMinId;
      trim.min_id = {ms_ / 2, 1};
    }
    const uint64_t removed = stream_.trim(trim);
    uint64_t expected = 0;
    while (!model_.empty() &&
           (trim.by == StreamTrim::By::kMaxLength ? model_.size() > trim.max_length
                                                  : model_.begin()->first < trim.min_id)) {
      model_.erase(model_.begin());
      ++expected;
    }
    ASSERT_EQ(removed, expected);
  }

  Random random_;
  EncodingLimits limits_;
  Stream stream_;
  uint64_t ms_ = 1;
  std::map<StreamId, Fields> model_;
};

// A copy is what a snapshot reads while others write.
TEST(Stream, ACopyStaysWhatItWas) {
  EncodingLimits limits;
  limits.stream_node_max_entries = 3;
  Stream stream;
  for (uint64_t i = 1; i <= 500; ++i) ASSERT_TRUE(append(stream, {i, 0}, {"f", "v"}, limits));
  ASSERT_TRUE(stream.add_group(StreamGroup("g", {7, 0}, 7)));
  const Stream then = stream;
  const Rows before = rows(then);
  stream.erase({250, 0});
  stream.trim({.by = StreamTrim::By::kMaxLength, .max_length = 100});
  ASSERT_TRUE(append(stream, {501, 0}, {"f", "w"}, limits));
  stream.write_group("g")->move_to({9, 0}, 9);
  EXPECT_EQ(rows(then), before);
  EXPECT_EQ(then.length(), 500u);
  EXPECT_EQ(then.last_id(), (StreamId{500, 0}));
  EXPECT_EQ(then.groups().find("g")->last_id(), (StreamId{7, 0}));
  EXPECT_EQ(stream.length(), 101u);
}

// What redis-server 7.0 answers: the count is lost with an XDEL ahead, and found at the ends.
TEST(Stream, CountsHowFarAGroupHasRead) {
  constexpr int64_t kUnknown = StreamGroup::kEntriesReadUnknown;
  Stream stream;
  EXPECT_EQ(stream.lag(StreamGroup("g", {5, 0}, kUnknown)), 0);
  EXPECT_EQ(stream.entries_up_to({5, 0}), 0);
  for (uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(append(stream, {i, 0}, {"f", "v"}));
  EXPECT_EQ(stream.entries_up_to({0, 0}), 0);
  EXPECT_EQ(stream.entries_up_to({1, 0}), 1);
  EXPECT_EQ(stream.entries_up_to({2, 0}), kUnknown);
  EXPECT_EQ(stream.entries_up_to({5, 0}), 5);
  EXPECT_EQ(stream.entries_up_to({6, 0}), kUnknown);
  EXPECT_EQ(stream.lag(StreamGroup("g", {2, 0}, 2)), 3);
  EXPECT_EQ(stream.lag(StreamGroup("g", {2, 0}, kUnknown)), std::nullopt);
  stream.erase({3, 0});
  EXPECT_EQ(stream.lag(StreamGroup("g", {2, 0}, 2)), std::nullopt);
  EXPECT_EQ(stream.lag(StreamGroup("g", {4, 0}, 4)), 1);
  StreamGroup group("g", {0, 0}, 0);
  stream.note_delivery(group, {1, 0});
  EXPECT_EQ(group.entries_read(), kUnknown);
  stream.note_delivery(group, {5, 0});
  EXPECT_EQ(group.entries_read(), 5);
  // What is removed from the front, or was trimmed there, leaves no gap.
  for (const uint64_t i : {1, 2}) stream.erase({i, 0});
  EXPECT_EQ(stream.first_id(), (StreamId{4, 0}));
  EXPECT_EQ(stream.lag(StreamGroup("g", {1, 0}, 1)), 4);
  EXPECT_EQ(stream.entries_up_to({1, 0}), 3);
  for (const uint64_t i : {4, 5}) stream.erase({i, 0});
  EXPECT_EQ(stream.entries_up_to({2, 0}), 5);
  EXPECT_EQ(stream.entries_up_to({9, 0}), kUnknown);
}

TEST(Stream, FollowsAModelThroughRandomChanges) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    StreamModel model(seed);
    for (int i = 0; i < 1500; ++i) {
      ASSERT_NO_FATAL_FAILURE(model.step());
      if (i % 30 == 0) ASSERT_NO_FATAL_FAILURE(model.check());
    }
  }
}

}  // namespace
}  // namespace tandem
