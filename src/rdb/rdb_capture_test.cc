#include "rdb/rdb_capture.h"

#include <gtest/gtest.h>

#include "rdb/rdb_reader.h"
#include "rdb/rdb_test_values.h"
#include "rdb/rdb_writer.h"

namespace tandem {
namespace {

using EntryOwner = std::unique_ptr<Entry, void (*)(Entry*)>;

EntryOwner text_entry(Bytes key, Bytes text) {
  return {Entry::make_string(key, text, kNoExpiry), Entry::destroy};
}

std::string encoded(RdbCapture& capture, RdbPacking* packing, size_t step = SIZE_MAX) {
  std::string out;
  StringSink sink(out);
  while (capture.encode(sink, packing, step)) {
  }
  return out;
}

// As a stream with nothing else in it is read.
std::vector<std::string> described(Bytes entries, int version) {
  std::string stored;
  StringSink sink(stored);
  RdbWriter writer(sink, {.version = version});
  writer.begin({});
  writer.entries(0).write(entries);
  writer.finish();
  RdbReader reader({});
  reader.feed(stored);
  std::vector<std::string> found;
  while (!reader.ended()) {
    const Result<RdbEvent> event = reader.next();
    if (!event || std::holds_alternative<RdbNeedMore>(*event)) {
      ADD_FAILURE() << (event ? "cut short" : event.error().text);
      return found;
    }
    if (const auto* entry = std::get_if<RdbEntry>(&*event)) {
      found.push_back(fmt::format("{} {} {}", entry->key, entry->expire_ms.value_or(-1),
                                  describe(entry->value, version)));
    }
  }
  return found;
}

// What is captured and encoded later is what would be encoded at once, in whatever pieces.
TEST(RdbCapture, EncodesWhatAnEncodingAtOnceDoes) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const RdbWriteOptions options{.version = static_cast<int>(9 + seed % 3),
                                  .compress = random.below(3) != 0};
    const EncodingLimits limits;
    RdbCapture capture(options);
    RdbCapture again(options);
    std::string at_once;
    for (int i = 0; i < 30; ++i) {
      Value value = random_value(random, limits);
      if (random.below(4) == 0) {
        const size_t bytes = Entry::kInlineMax - 2 + random.below(random.below(2) == 0 ? 5 : 5000);
        value = Value(std::string(bytes, static_cast<char>('a' + random.below(26))));
      }
      const int64_t expiry = random.below(2) == 0 ? kNoExpiry : 1'700'000'000'000 + i;
      std::optional<int64_t> expires;
      if (expiry != kNoExpiry) expires = expiry;
      const std::string key = fmt::format("{} {}", i, random_text(random));
      StringSink sink(at_once);
      rdb_encode_entry(sink, key, ref(value), expires,
                       {.version = options.version, .compress = false});
      const EntryOwner entry(Entry::make(key, std::move(value), expiry), Entry::destroy);
      capture.add(*entry);
      again.add(*entry);
    }
    EXPECT_EQ(encoded(capture, nullptr, 1 + random.below(3000)), at_once) << "seed " << seed;
    EXPECT_TRUE(capture.empty());
    EXPECT_EQ(capture.bytes(), 0U);
    RdbPacking packing;
    const std::string packed = encoded(again, &packing, 1 + random.below(3000));
    EXPECT_EQ(described(packed, options.version), described(at_once, options.version))
        << "seed " << seed;
    EXPECT_EQ(packing.tried() > 0, options.compress);
    EXPECT_EQ(packed.size() < at_once.size(), options.compress);
  }
}

// LZF is left to encode(): what is captured is as long as it is plain, or shared.
TEST(RdbCapture, CopiesPlainAndSharesWhatIsLong) {
  RdbCapture capture({.compress = true});
  capture.add(*text_entry("k", std::string(Entry::kInlineMax, 'a')));
  EXPECT_GE(capture.copied_bytes(), Entry::kInlineMax);
  const size_t before = capture.copied_bytes();
  capture.add(*text_entry("k", std::string(Entry::kInlineMax + 1, 'a')));
  EXPECT_LT(capture.copied_bytes() - before, 16U);
  EXPECT_EQ(capture.bytes() - before, capture.copied_bytes() - before + Entry::kInlineMax + 1);
  RdbPacking packing;
  EXPECT_LT(encoded(capture, &packing).size(), 100U);
  EXPECT_EQ(packing.tried(), 2U);
}

TEST(RdbCapture, WhatIsSharedStaysAsItWas) {
  const std::string text(5000, 'a');
  EntryOwner entry = text_entry("k", text);
  RdbCapture capture({.compress = false});
  capture.add(*entry);
  char* data = nullptr;
  entry = {entry.release()->resize_text(6000, data), Entry::destroy};
  std::memset(data, 'b', 6000);
  entry.reset();
  EXPECT_NE(encoded(capture, nullptr).find(text), std::string::npos);
}

bool is_changed_in_place(EntryOwner& entry) {
  char digits[kInt64TextMax];
  const Bytes before = entry->text(digits);
  char* data = nullptr;
  entry = {entry.release()->resize_text(before.size(), data), Entry::destroy};
  return data == before.data();
}

TEST(RdbCapture, LetsGoOfWhatItShares) {
  EntryOwner entry = text_entry("k", std::string(5000, 'a'));
  {
    RdbCapture capture({});
    capture.add(*entry);
    EXPECT_FALSE(is_changed_in_place(entry));
    capture.add(*entry);
  }
  EXPECT_TRUE(is_changed_in_place(entry)) << "with the capture";
  RdbCapture capture({});
  capture.add(*entry);
  encoded(capture, nullptr);
  EXPECT_TRUE(is_changed_in_place(entry)) << "once it is encoded";
}

TEST(RdbCapture, EncodesAboutAsMuchAsItIsToldTo) {
  RdbCapture capture({.compress = false});
  for (int i = 0; i < 10; ++i) {
    capture.add(*text_entry(std::to_string(i), std::string(1000, static_cast<char>('a' + i))));
  }
  std::string out;
  StringSink sink(out);
  EXPECT_TRUE(capture.encode(sink, nullptr, 2500));
  EXPECT_GT(out.size(), 2500U);
  EXPECT_LT(out.size(), 3600U);
}

TEST(RdbCapture, TellsHowKeysWereUsed) {
  const auto captured = [](uint32_t use, const RdbUses& uses) {
    Entry* entry = Entry::make_string("k", "v", kNoExpiry);
    entry->set_use(use);
    RdbCapture capture({.uses = uses});
    capture.add(*entry);
    Entry::destroy(entry);
    std::string bytes;
    StringSink sink(bytes);
    EXPECT_FALSE(capture.encode(sink, nullptr, 1000));
    return bytes;
  };
  using Told = RdbUses::Told;
  const std::string entry("\x00\x01k\x01v", 5);
  const uint32_t use = use_by_recency(1000);
  EXPECT_EQ(captured(use, {.told = Told::kNothing, .now_s = 1500}), entry);
  EXPECT_EQ(captured(use, {.told = Told::kIdleTime, .now_s = 1500}), "\xf8\x41\xf4" + entry);
  EXPECT_EQ(captured(use, {.told = Told::kIdleTime, .now_s = 990}),
            std::string("\xf8\0", 2) + entry)
      << "used after the cut";
  EXPECT_EQ(captured(use_by_frequency(77, 0),
                     {.told = Told::kFrequency, .now_s = 120, .decay_minutes = 1}),
            "\xf9\x4b" + entry);
}

}  // namespace
}  // namespace tandem
