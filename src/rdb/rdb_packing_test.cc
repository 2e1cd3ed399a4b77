#include "rdb/rdb_packing.h"

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

constexpr auto kHash = RdbStringKind::value(ValueType::kHash);
constexpr auto kString = RdbStringKind::value(ValueType::kString);

std::string noise(Random& random, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += static_cast<char>(random.next());
  return text;
}

std::string words(Random& random, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "number " + std::to_string(random.below(100)) + ", ";
  text.resize(bytes);
  return text;
}

class Packing : public testing::Test {
 protected:
  // Whether it was packed.
  bool pack(RdbStringKind kind, Bytes text) {
    StringSink sink(out_);
    RdbEncoder encoder(sink);
    const bool done = packing_.pack(encoder, kind, text);
    encoder.flush();
    return done;
  }

  Random random_{1};
  RdbPacking packing_;
  std::string out_;
};

TEST_F(Packing, WhatDoesNotCompressIsLeftOutAfterAWhile) {
  for (int i = 0; i < 6400; ++i) EXPECT_FALSE(pack(kString, noise(random_, 1000)));
  EXPECT_GE(packing_.tried(), 16U);
  EXPECT_LE(packing_.tried(), 20U + 6400 / 64);
  EXPECT_EQ(out_, "");
}

TEST_F(Packing, WhatCompressesIsAlwaysTried) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(pack(kString, words(random_, 200)));
  EXPECT_EQ(packing_.tried(), 1000U);
}

TEST_F(Packing, AChangeOfCharacterIsNoticed) {
  for (int i = 0; i < 1000; ++i) pack(kString, noise(random_, 1000));
  int until = 0;
  while (until < 10'000 &&
         !(pack(kString, words(random_, 1000)) && pack(kString, words(random_, 1000)))) {
    ++until;
  }
  EXPECT_LT(until, 64 * 10) << "soon tried again";
  EXPECT_GT(until, 64) << "not at once";
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(pack(kString, words(random_, 1000)));
}

TEST_F(Packing, KindsAndSizesAreJudgedApart) {
  for (int i = 0; i < 1000; ++i) pack(kString, noise(random_, 1000));
  EXPECT_TRUE(pack(kHash, words(random_, 1000)));
  EXPECT_TRUE(pack(RdbStringKind::key(), words(random_, 1000)));
  EXPECT_TRUE(pack(kString, words(random_, 300)));
  EXPECT_FALSE(pack(kString, words(random_, 1000)));
}

TEST_F(Packing, FollowsFromTheStringsAlone) {
  RdbPacking other;
  std::string others;
  for (int i = 0; i < 3000; ++i) {
    const size_t bytes = 21 + random_.below(3000);
    const std::string text = random_.below(2) == 0 ? noise(random_, bytes) : words(random_, bytes);
    pack(kString, text);
    StringSink sink(others);
    RdbEncoder encoder(sink);
    other.pack(encoder, kString, text);
    encoder.flush();
  }
  EXPECT_EQ(others, out_);
}

TEST(RdbPackEach, TriesWhateverCameBefore) {
  Random random(1);
  RdbPackEach packer;
  std::string out;
  StringSink sink(out);
  RdbEncoder encoder(sink);
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(packer.pack(encoder, noise(random, 1000)));
  EXPECT_TRUE(packer.pack(encoder, words(random, 1000)));
}

}  // namespace
}  // namespace tandem
