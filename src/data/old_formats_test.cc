#include "data/old_formats.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

using Texts = std::vector<std::string>;

std::optional<Texts> ziplist(Bytes blob) {
  Texts out;
  if (!read_ziplist(blob, [&](const Element& element) { out.push_back(element.copy()); })) {
    EXPECT_TRUE(out.empty());
    return std::nullopt;
  }
  return out;
}

std::optional<Texts> zipmap(Bytes blob) {
  Texts out;
  if (!read_zipmap(blob, [&](Bytes field, Bytes value) {
        out.emplace_back(field);
        out.emplace_back(value);
      })) {
    return std::nullopt;
  }
  return out;
}

// From RDB files that Redis 2.4 and 6 wrote.
constexpr Bytes kHash =
    "1b0000001600000004000002663104027631040266320402763"
    "2ff";
constexpr Bytes kList =
    "30000000250000000800"
    "00c0010004c0020004c0030004016103016203016303d0a086010006e000bca06501000000ff";

TEST(Ziplist, ReadsWhatRedisWrote) {
  EXPECT_EQ(ziplist(from_hex(kHash)), (Texts{"f1", "v1", "f2", "v2"}));
  EXPECT_EQ(ziplist(from_hex(kList)),
            (Texts{"1", "2", "3", "a", "b", "c", "100000", "6000000000"}));
  EXPECT_EQ(ziplist(from_hex("0b0000000a0000000000ff")), Texts{});
}

TEST(Ziplist, ReadsTheSmallIntegers) {
  // 0 and 12 inside the encoding, -1 in 8 bits, -2 in 24 bits.
  const std::string blob = from_hex(
      "160000001000000004"
      "00"
      "00f1"
      "02fd"
      "02feff"
      "03f0feffff"
      "ff");
  EXPECT_EQ(ziplist(blob), std::nullopt);  // the tail offset is wrong
  std::string right = blob;
  right[0] = static_cast<char>(blob.size());
  right[4] = 17;
  EXPECT_EQ(ziplist(right), (Texts{"0", "12", "-1", "-2"}));
}

TEST(Ziplist, RefusesMalformedBlobsAndReadsNothingOutside) {
  EXPECT_EQ(ziplist(""), std::nullopt);
  EXPECT_EQ(ziplist(from_hex("0b0000000a0000000100ff")), std::nullopt);
  Random random{3};
  for (int round = 0; round < 20000; ++round) {
    std::string blob = from_hex(random.below(2) == 0 ? kHash : kList);
    blob[random.below(blob.size())] = static_cast<char>(random.next());
    if (random.below(4) == 0) blob.resize(random.below(blob.size()));
    ziplist(blob);
  }
}

TEST(Zipmap, ReadsPairsAndSkipsUnusedBytes) {
  EXPECT_EQ(zipmap(from_hex("02"
                            "0161"
                            "02026b6b7878"
                            "0162"
                            "0100"
                            "79"
                            "ff")),
            (Texts{"a", "kk", "b", "y"}));
  EXPECT_EQ(zipmap(from_hex("00ff")), Texts{});
}

TEST(Zipmap, RefusesMalformedBlobsAndReadsNothingOutside) {
  EXPECT_EQ(zipmap(""), std::nullopt);
  EXPECT_EQ(zipmap(from_hex("01ff")), std::nullopt);
  EXPECT_EQ(zipmap(from_hex("010161ff")), std::nullopt);
  EXPECT_EQ(zipmap(from_hex("0101610500ff")), std::nullopt);
  EXPECT_EQ(zipmap(from_hex("01feffffffff61ff")), std::nullopt);
  Random random{5};
  const std::string good = from_hex(
      "02"
      "0161"
      "02026b6b7878"
      "0162"
      "0100"
      "79"
      "ff");
  for (int round = 0; round < 20000; ++round) {
    std::string blob = good;
    blob[random.below(blob.size())] = static_cast<char>(random.next());
    if (random.below(4) == 0) blob.resize(random.below(blob.size()));
    zipmap(blob);
  }
}

}  // namespace
}  // namespace tandem
