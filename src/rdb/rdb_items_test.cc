#include "rdb/rdb_items.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/number.h"
#include "base/random.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_measure.h"
#include "rdb/rdb_packing.h"

namespace tandem {
namespace {

constexpr uint64_t kLimit = uint64_t{1} << 20;

template <class Encode>
std::string encoded(Encode encode, bool compress = true) {
  std::string out;
  StringSink sink(out);
  RdbPackEach packer;
  RdbEncoder encoder(sink, compress ? &packer : nullptr);
  encode(encoder);
  encoder.flush();
  return out;
}

std::string encoded_string(Bytes text, bool compress = true) {
  return encoded([&](RdbEncoder& encoder) { encoder.string(text); }, compress);
}

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

TEST(RdbEncoder, LengthsTakeTheShortestForm) {
  const auto length = [](uint64_t value) {
    return encoded([&](RdbEncoder& encoder) { encoder.length(value); });
  };
  EXPECT_EQ(length(0), bytes({0x00}));
  EXPECT_EQ(length(63), bytes({0x3f}));
  EXPECT_EQ(length(64), bytes({0x40, 0x40}));
  EXPECT_EQ(length(16383), bytes({0x7f, 0xff}));
  EXPECT_EQ(length(16384), bytes({0x80, 0, 0, 0x40, 0}));
  EXPECT_EQ(length(0xffffffff), bytes({0x80, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(length(0x100000000), bytes({0x81, 0, 0, 0, 1, 0, 0, 0, 0}));
  for (const uint64_t value : {uint64_t{0}, uint64_t{63}, uint64_t{64}, uint64_t{16384},
                               uint64_t{1} << 32, std::numeric_limits<uint64_t>::max()}) {
    const std::string stored = length(value);
    RdbDecoder decoder(stored, kLimit);
    EXPECT_EQ(decoder.length(), value);
    EXPECT_TRUE(decoder.ok() && decoder.at_end());
  }
}

TEST(RdbEncoder, NumbersThatPrintTheSameGoOutAsNumbers) {
  EXPECT_EQ(encoded_string("12"), bytes({0xc0, 12}));
  EXPECT_EQ(encoded_string("-128"), bytes({0xc0, 0x80}));
  EXPECT_EQ(encoded_string("128"), bytes({0xc1, 0x80, 0}));
  EXPECT_EQ(encoded_string("-32769"), bytes({0xc2, 0xff, 0x7f, 0xff, 0xff}));
  EXPECT_EQ(encoded_string("2147483647"), bytes({0xc2, 0xff, 0xff, 0xff, 0x7f}));
  EXPECT_EQ(encoded_string("2147483648"),
            "\x0a"
            "2147483648");
  EXPECT_EQ(encoded_string("007"),
            "\x03"
            "007");
  EXPECT_EQ(encoded_string("-0"),
            "\x02"
            "-0");
  EXPECT_EQ(encoded_string(""), bytes({0}));
}

TEST(RdbEncoder, CompressesOnlyWhatPays) {
  const std::string repeated(200, 'a');
  const std::string packed = encoded_string(repeated);
  EXPECT_EQ(static_cast<uint8_t>(packed[0]), kRdbEncodedLzf);
  EXPECT_LT(packed.size(), 30U);
  EXPECT_EQ(encoded_string(repeated, false).size(), 202U);
  EXPECT_EQ(encoded_string(std::string(20, 'a')).size(), 21U);
  EXPECT_EQ(encoded_string("abcdefghijklmnopqrstuvwxyz0123456789").size(), 37U);
}

TEST(RdbEncoder, EveryStringComesBack) {
  Random seeded(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    const uint64_t alphabet = 1 + seeded.below(256);
    for (uint64_t left = seeded.below(round % 50 == 0 ? 40000 : 200); left > 0; --left) {
      text += static_cast<char>('0' + seeded.below(alphabet));
    }
    if (round % 5 == 0) text = int64_text(static_cast<int64_t>(seeded.next() >> seeded.below(64)));
    const std::string stored = encoded_string(text, round % 3 != 0);
    RdbDecoder decoder(stored, kLimit);
    std::string scratch;
    EXPECT_EQ(decoder.string(scratch), text);
    EXPECT_TRUE(decoder.ok() && decoder.at_end());

    RdbMeasure measure(kLimit);
    measure.begin(0, "S");
    EXPECT_EQ(measure.advance(stored), RdbMeasure::Outcome::kWhole);
    EXPECT_EQ(measure.size(), stored.size());
  }
}

TEST(RdbDecoder, RefusesWhatLies) {
  const auto problem = [](std::string stored) {
    RdbDecoder decoder(stored, 1000);
    std::string scratch;
    EXPECT_EQ(decoder.string(scratch), "");
    EXPECT_FALSE(decoder.ok());
    return decoder.problem();
  };
  EXPECT_EQ(problem(""), "a string of unknown encoding");
  EXPECT_EQ(problem(bytes({0xc4, 1})), "a string of unknown encoding");
  EXPECT_EQ(problem(bytes({0x82})), "a string of unknown encoding");
  EXPECT_EQ(problem(bytes({5, 'a'})), "fewer bytes than claimed");
  EXPECT_EQ(problem(bytes({0x81, 255, 255, 255, 255, 255, 255, 255, 255})),
            "a string longer than the limit");
  EXPECT_EQ(problem(bytes({0xc3, 1, 0x43, 0xe8, 0})),
            "a compressed string that claims what its bytes cannot hold");
  EXPECT_EQ(problem(bytes({0xc3, 2, 2, 0, 'a'})),
            "a compressed string that does not unpack to its length");
  EXPECT_EQ(problem(bytes({0xc3, 3, 9, 0xff, 0xff, 0xff})),
            "a compressed string that does not unpack to its length");
}

TEST(RdbDecoder, OldDoubles) {
  const std::string stored = bytes({254, 255, 253, 3, '1', '.', '5', 2, 'x', 'y'});
  RdbDecoder decoder(stored, kLimit);
  EXPECT_EQ(decoder.old_double(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(decoder.old_double(), -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(decoder.old_double()));
  EXPECT_EQ(decoder.old_double(), 1.5);
  EXPECT_TRUE(decoder.ok());
  decoder.old_double();
  EXPECT_EQ(decoder.problem(), "a score that is not a number");
}

// A stream of version 3: one node, a group with one pending entry and one consumer.
std::string stream_bytes() {
  return encoded([](RdbEncoder& encoder) {
    encoder.length(1);
    encoder.blob("0123456789abcdef");
    encoder.blob("not looked into");
    for (const uint64_t counter : {1, 70, 2, 1, 1, 0, 0, 100000}) encoder.length(counter);
    encoder.length(1);
    encoder.string("group");
    for (const uint64_t counter : {1, 2, 3}) encoder.length(counter);
    encoder.length(1);
    encoder.raw("0123456789abcdef01234567");
    encoder.length(1);
    encoder.length(1);
    encoder.string("consumer");
    encoder.raw("0123456701234567");
    encoder.length(1);
    encoder.raw("0123456789abcdef");
  });
}

TEST(RdbMeasure, FindsTheEndInPiecesOfAnySize) {
  const std::string stored = stream_bytes();
  for (size_t piece = 1; piece <= stored.size(); ++piece) {
    RdbMeasure measure(kLimit);
    measure.begin(0, rdb_value_shape(kRdbStreamListpacks3));
    size_t arrived = 0;
    while (arrived < stored.size()) {
      ASSERT_EQ(measure.advance(Bytes(stored).substr(0, arrived)), RdbMeasure::Outcome::kNeedMore);
      ASSERT_GT(measure.needed(), arrived);
      ASSERT_LE(measure.needed(), stored.size());
      arrived = std::min(stored.size(), arrived + piece);
    }
    EXPECT_EQ(measure.advance(stored), RdbMeasure::Outcome::kWhole);
    EXPECT_EQ(measure.size(), stored.size());
  }
}

TEST(RdbMeasure, StopsAtTheItemsEndAndSkipsEmptyCollections) {
  RdbMeasure measure(kLimit);
  measure.begin(0, rdb_value_shape(kRdbStreamListpacks));
  const std::string empty_stream(4, '\0');  // no nodes, length, last id
  EXPECT_EQ(measure.advance(empty_stream), RdbMeasure::Outcome::kNeedMore);
  EXPECT_EQ(measure.advance(empty_stream + std::string(1, '\0') + "more"),
            RdbMeasure::Outcome::kWhole);
  EXPECT_EQ(measure.size(), 5U);
}

TEST(RdbMeasure, RefusesEarly) {
  const auto problem = [](std::string_view shape, std::string stored) {
    RdbMeasure measure(1000);
    measure.begin(0, shape);
    EXPECT_EQ(measure.advance(stored), RdbMeasure::Outcome::kInvalid);
    return std::string(measure.problem());
  };
  EXPECT_EQ(problem("S", bytes({0x80, 0, 0, 4, 0})), "a string longer than the limit");
  EXPECT_EQ(problem("(S)", bytes({0xc0})), "a string's encoding where a length must stand");
  EXPECT_EQ(problem("L", bytes({0x83})), "not a length");
  EXPECT_EQ(problem("S", bytes({0xc3, 1, 0x42, 0})),
            "a compressed string that claims what its bytes cannot hold");
}

}  // namespace
}  // namespace tandem
