#include "data/hyperloglog.h"

#include <gtest/gtest.h>

#include "base/checksum.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

constexpr size_t kNoLimit = 1'000'000;

std::string element(int number) { return "element:" + std::to_string(number); }

// The bytes of redis-server 7.0.15 after PFADD of element:0, element:1, ...
struct Golden {
  size_t sparse_bytes_max;
  int elements;
  size_t bytes;
  Bytes sha1;
  uint64_t count;
};
constexpr Golden kGolden[] = {
    {3000, 1, 21, "d111dd27cb94748a8cf3c3c1bf002fe0e1b6b277", 1},
    {3000, 10, 48, "dd7cf3784918baa4c956f1723b1cebdb193228f7", 10},
    {3000, 200, 505, "b8e951c842b9b88c3e38a542f67456984ae0bc9f", 200},
    {3000, 1500, 2722, "b100a66eeab600d2bd3d0bdf8f8340d0c1cb3801", 1500},
    {3000, 20000, 12304, "760926999ca4cd24462f115f64f03d415e81e69e", 19986},
    {kNoLimit, 4000, 6125, "fbbdbf835441c837c09b92a3fdb16362119d880a", 4002},
    {0, 1, 12304, "f53e5c922201326906eeb43d835521fd4ddfabc2", 1},
    {0, 1500, 12304, "58840ef15abc7285b76519b702305073c2a7c235", 1500},
};

TEST(HyperLogLog, HasTheBytesOfRedis) {
  for (const Golden& golden : kGolden) {
    HyperLogLog hyperloglog;
    for (int i = 0; i < golden.elements; ++i) {
      EXPECT_TRUE(hyperloglog.raise(observe(element(i)), golden.sparse_bytes_max));
    }
    EXPECT_EQ(hyperloglog.text().size(), golden.bytes);
    EXPECT_EQ(sha1_hex(hyperloglog.text()), golden.sha1) << golden.elements << " elements";
    EXPECT_EQ(*count_elements(hyperloglog.text()), golden.count);
    EXPECT_EQ(is_dense_hyperloglog(hyperloglog.text()), golden.bytes == kHyperLogLogDenseBytes);
  }
}

TEST(HyperLogLog, BeginsWithOneRunOfZeros) {
  const HyperLogLog fresh;
  EXPECT_EQ(to_hex(fresh.text()),
            "48594c4c"
            "01"
            "000000"
            "0000000000000080"
            "7fff");
  EXPECT_TRUE(is_hyperloglog(fresh.text()));
  EXPECT_EQ(*count_elements(fresh.text()), 0u);
}

TEST(HyperLogLog, TellsWhatIsNew) {
  for (const size_t limit : {size_t{0}, size_t{3000}}) {
    HyperLogLog hyperloglog;
    EXPECT_TRUE(*hyperloglog.raise(observe("a"), limit));
    const std::string before = hyperloglog.text();
    EXPECT_FALSE(*hyperloglog.raise(observe("a"), limit));
    EXPECT_EQ(hyperloglog.text(), before);
  }
}

TEST(HyperLogLog, ARegisterTooHighForARunMakesItDense) {
  HyperLogLog hyperloglog;
  EXPECT_TRUE(*hyperloglog.raise({7, 32}, 3000));
  EXPECT_FALSE(is_dense_hyperloglog(hyperloglog.text()));
  EXPECT_TRUE(*hyperloglog.raise({8, 33}, 3000));
  EXPECT_TRUE(is_dense_hyperloglog(hyperloglog.text()));
  RegisterUnion all;
  ASSERT_TRUE(all.add(hyperloglog.text()));
  EXPECT_EQ(all.registers()[7], 32);
  EXPECT_EQ(all.registers()[8], 33);
}

TEST(HyperLogLog, KeepsACountUntilItIsForgotten) {
  std::string text = HyperLogLog().text();
  EXPECT_FALSE(kept_count(text));
  keep_count(text, 0x123456);
  EXPECT_EQ(to_hex(Bytes(text).substr(8, 8)), "5634120000000000");
  EXPECT_EQ(kept_count(text), 0x123456u);
  forget_count(text);
  EXPECT_FALSE(kept_count(text));
}

TEST(HyperLogLog, SparseAndDenseHoldTheSameRegisters) {
  Random random(4);
  HyperLogLog sparse;
  HyperLogLog dense;
  ASSERT_TRUE(dense.become_dense());
  for (int i = 0; i < 3'000; ++i) {
    const Observation seen{static_cast<uint16_t>(random.below(kHyperLogLogRegisters)),
                           static_cast<uint8_t>(1 + random.below(32))};
    EXPECT_EQ(*sparse.raise(seen, kNoLimit), *dense.raise(seen, kNoLimit));
  }
  EXPECT_FALSE(is_dense_hyperloglog(sparse.text()));
  EXPECT_EQ(*count_elements(sparse.text()), *count_elements(dense.text()));
  RegisterUnion of_sparse;
  RegisterUnion of_dense;
  ASSERT_TRUE(of_sparse.add(sparse.text()));
  ASSERT_TRUE(of_dense.add(dense.text()));
  EXPECT_EQ(of_sparse.registers(), of_dense.registers());
  EXPECT_EQ(of_sparse.count(), *count_elements(dense.text()));
  ASSERT_TRUE(sparse.become_dense());
  EXPECT_EQ(sparse.text(), dense.text());
}

TEST(HyperLogLog, AUnionCountsEachElementOnce) {
  RegisterUnion all;
  for (int part = 0; part < 3; ++part) {
    HyperLogLog one;
    for (int i = part * 500; i < part * 500 + 1000; ++i) (void)one.raise(observe(element(i)), 3000);
    ASSERT_TRUE(all.add(one.text()));
  }
  EXPECT_NEAR(static_cast<double>(all.count()), 2000, 2000 * 0.02);
}

TEST(HyperLogLog, WhatIsNoneIsSeen) {
  const std::string head = HyperLogLog().text().substr(0, 16);
  const auto text = [&](Bytes runs) { return head + std::string(runs); };
  EXPECT_FALSE(is_hyperloglog(""));
  EXPECT_FALSE(is_hyperloglog("HYLL"));
  EXPECT_FALSE(is_hyperloglog("HYLX" + head.substr(4)));
  EXPECT_FALSE(is_hyperloglog("HYLL\2" + head.substr(5)));
  const std::string dense = std::string("HYLL\0", 5) + std::string(kHyperLogLogDenseBytes - 5, 'x');
  EXPECT_TRUE(is_hyperloglog(dense));
  EXPECT_FALSE(is_hyperloglog(dense.substr(1)));
  EXPECT_FALSE(is_hyperloglog(dense + "x"));
  // Too few registers, too many, a run that is cut off.
  for (const Bytes runs : {Bytes(""), Bytes("\x7F\xFE"), Bytes("\x7F\xFF\0", 3),
                           Bytes("\x7F\xFF\x80"), Bytes("\x3F\x7F"), Bytes("\x7F")}) {
    ASSERT_TRUE(is_hyperloglog(text(runs)));
    EXPECT_FALSE(count_elements(text(runs)));
    EXPECT_FALSE(RegisterUnion().add(text(runs)));
    EXPECT_FALSE(HyperLogLog(text(runs)).become_dense());
  }
  // A register that no run has.
  EXPECT_FALSE(HyperLogLog(text("\x7F")).raise({5, 1}, 3000));
  EXPECT_FALSE(HyperLogLog(text("\x03")).raise({5, 1}, 3000));
  EXPECT_TRUE(HyperLogLog(text("\x07")).raise({5, 1}, 3000));
}

TEST(HyperLogLog, AnyBytesAreSafe) {
  Random random(5);
  const std::string head = HyperLogLog().text().substr(0, 16);
  for (int round = 0; round < 2000; ++round) {
    std::string text = head;
    for (uint64_t i = random.below(40); i > 0; --i) text += static_cast<char>(random.below(256));
    HyperLogLog changed(text);
    for (int i = 0; i < 20; ++i) {
      (void)changed.raise({static_cast<uint16_t>(random.below(kHyperLogLogRegisters)),
                           static_cast<uint8_t>(1 + random.below(51))},
                          100);
      (void)count_elements(changed.text());
    }
  }
}

}  // namespace
}  // namespace tandem
