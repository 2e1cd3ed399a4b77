#include "data/listpack.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "data/test_bytes.h"

namespace tandem {
namespace {

std::vector<std::string> texts(ListpackView view) {
  std::vector<std::string> out;
  for (auto at = view.first(); at != view.end(); at = view.next(at)) {
    out.push_back(view.get(at).copy());
  }
  return out;
}

// What redis-server 7.0 holds in a list after RPUSH of these values.
const std::vector<std::string> kGoldenValues = {"0",
                                                "127",
                                                "128",
                                                "-1",
                                                "4095",
                                                "-4096",
                                                "4096",
                                                "32767",
                                                "-32768",
                                                "32768",
                                                "8388607",
                                                "-8388609",
                                                "2147483647",
                                                "2147483648",
                                                "-9223372036854775808",
                                                "9223372036854775807",
                                                "",
                                                "a",
                                                std::string(63, 'x'),
                                                "01",
                                                "-0",
                                                "9223372036854775808"};

std::string golden() {
  return from_hex(
             "ba000000160000017f01c08002dfff02cfff02d00002f1001003f1ff7f03f1008003f200800004f2ffff7"
             "f04"
             "f3ffff7fff05f3ffffff7f05f4000000800000000009f4000000000000008009f4ffffffffffffff7f098"
             "001"
             "816102bf") +
         std::string(63, 'x') +
         from_hex("4082303103822d3003933932323333373230333638353437373538303814ff");
}

TEST(Listpack, WritesTheBytesThatRedisWrites) {
  Listpack pack;
  for (const std::string& value : kGoldenValues) pack.append(value);
  EXPECT_EQ(to_hex(pack.bytes()), to_hex(golden()));
  EXPECT_TRUE(ListpackView::validate(golden()));
}

TEST(Listpack, WritesLongTextsAsRedisDoes) {
  Listpack pack;
  pack.append(std::string(64, 'y'));
  pack.append(std::string(4095, 'z'));
  pack.append(std::string(4096, 'w'));
  const std::string expected = from_hex("4d2000000300e040") + std::string(64, 'y') +
                               from_hex("42efff") + std::string(4095, 'z') +
                               from_hex("2081f000100000") + std::string(4096, 'w') +
                               from_hex("2085ff");
  EXPECT_EQ(pack.total_bytes(), expected.size());
  EXPECT_EQ(to_hex(pack.bytes().substr(4)), to_hex(Bytes(expected).substr(4)));
}

TEST(Listpack, ReadsForwardsBackwardsAndByIndex) {
  const Listpack pack = *Listpack::from_bytes(golden());
  const ListpackView view = pack.view();
  EXPECT_EQ(view.count(), kGoldenValues.size());
  EXPECT_EQ(texts(view), kGoldenValues);
  auto at = view.end();
  for (size_t i = kGoldenValues.size(); i-- > 0;) {
    at = view.previous(at);
    EXPECT_EQ(view.get(at).copy(), kGoldenValues[i]);
    const auto index = static_cast<int64_t>(i);
    EXPECT_EQ(view.seek(index), at);
    EXPECT_EQ(view.seek(index - static_cast<int64_t>(kGoldenValues.size())), at);
    EXPECT_EQ(view.find(kGoldenValues[i], view.first()), at);
  }
  EXPECT_EQ(at, view.first());
  EXPECT_EQ(view.seek(22), view.end());
  EXPECT_EQ(view.seek(-23), view.end());
}

TEST(Listpack, FindsOnlyAtTheStride) {
  Listpack pack;
  for (const char* value : {"a", "b", "b", "a"}) pack.append(value);
  const ListpackView view = pack.view();
  EXPECT_EQ(view.find("b", view.first(), 2), view.seek(2));
  EXPECT_EQ(view.find("a", view.seek(1), 2), view.seek(3));
  EXPECT_EQ(view.find("a", view.seek(2), 2), view.end());
}

TEST(Listpack, FindsAnIntegerThatAForeignBlobHoldsAsText) {
  // "7" as a text of one byte.
  const std::string blob = from_hex("0a0000000100813702ff");
  ASSERT_TRUE(ListpackView::validate(blob));
  const ListpackView view(blob);
  EXPECT_EQ(view.find("7", view.first()), view.first());
}

TEST(Listpack, KeepsTheBacklenWidthsOfTheFormat) {
  for (const size_t length : {127u, 128u, 16381u, 16382u, 16383u, 16384u, 2097150u, 2097151u}) {
    Listpack pack;
    pack.append("head");
    pack.append(std::string(length - 5, 'x'));
    pack.append("tail");
    ASSERT_TRUE(ListpackView::validate(pack.bytes())) << length;
    const ListpackView view = pack.view();
    EXPECT_EQ(view.previous(view.previous(view.last())), view.first()) << length;
  }
}

TEST(Listpack, CountsPastWhatTheHeaderCanSay) {
  Listpack pack;
  Listpack chunk;
  for (int i = 0; i < 4681; ++i) chunk.append_integer(1);
  for (int i = 0; i < 14; ++i) {
    pack.append_entries(chunk.view(), chunk.view().first(), chunk.view().end());
  }
  EXPECT_EQ(static_cast<uint8_t>(pack.bytes()[4]), 0xFE);
  pack.append_integer(1);
  pack.append_integer(1);
  EXPECT_EQ(static_cast<uint8_t>(pack.bytes()[4]), 0xFF);
  EXPECT_EQ(pack.count(), 65536u);
  EXPECT_TRUE(ListpackView::validate(pack.bytes()));
  pack.erase(pack.view().first(), 65535);
  EXPECT_EQ(pack.count(), 1u);
}

TEST(Listpack, RefusesMalformedBlobs) {
  EXPECT_FALSE(ListpackView::validate(""));
  EXPECT_FALSE(ListpackView::validate(from_hex("060000000000")));
  EXPECT_TRUE(ListpackView::validate(from_hex("070000000000ff")));
  EXPECT_FALSE(ListpackView::validate(from_hex("070000000000fe")));        // no end
  EXPECT_FALSE(ListpackView::validate(from_hex("080000000000ff")));        // size
  EXPECT_FALSE(ListpackView::validate(from_hex("070000000100ff")));        // count
  EXPECT_FALSE(ListpackView::validate(from_hex("0a0000000100816103ff")));  // backlen
  EXPECT_FALSE(ListpackView::validate(from_hex("0a0000000100bf6102ff")));  // text too long
  EXPECT_FALSE(ListpackView::validate(from_hex("0a0000000100f56102ff")));  // encoding
  EXPECT_FALSE(ListpackView::validate(from_hex("0a0000000100f0ffffff")));  // length cut
  EXPECT_FALSE(ListpackView::validate(from_hex("0d0000000100f0ffffffffffff")));
}

TEST(Listpack, NeverReadsOutsideABlobThatPassedTheCheck) {
  Random random{7};
  const std::string original = golden();
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string blob = original;
    for (uint64_t i = 0; i <= random.below(2); ++i) {
      blob[random.below(blob.size())] = static_cast<char>(random.next());
    }
    if (!ListpackView::validate(blob)) continue;
    ++accepted;
    const ListpackView view(blob);
    size_t bytes = 0;
    for (const std::string& text : texts(view)) bytes += text.size();
    EXPECT_LT(bytes, blob.size() * 3);
  }
  EXPECT_GT(accepted, 0);
}

TEST(Listpack, TellsWhetherItsEntriesAreDistinct) {
  Random random{12};
  int distinct = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto stride = static_cast<uint32_t>(1 + random.below(2));
    const uint64_t names = 1 + random.below(round % 2 == 0 ? 60 : 5000);
    Listpack pack;
    std::set<std::string> seen;
    bool twice = false;
    for (uint64_t left = random.below(40); left > 0; --left) {
      const std::string name =
          (random.below(2) == 0 ? "name" : "") + std::to_string(random.below(names));
      twice = !seen.insert(name).second || twice;
      pack.append(name);
      if (stride == 2) pack.append("the same");
    }
    ASSERT_EQ(entries_are_distinct(pack.view(), stride), !twice) << round;
    distinct += twice ? 0 : 1;
  }
  EXPECT_GT(distinct, 500);
  EXPECT_LT(distinct, 2500);
}

TEST(Listpack, FollowsAModelThroughRandomChanges) {
  Random random{11};
  Listpack pack;
  std::vector<std::string> model;
  for (int step = 0; step < 20000; ++step) {
    const std::string value = random_text(random);
    const size_t index = random.below(model.size() + 1);
    const auto place = static_cast<std::ptrdiff_t>(index);
    const auto at = pack.view().seek(place);
    if (model.size() < 200 && random.below(2) == 0) {
      pack.insert(at, value);
      model.insert(model.begin() + place, value);
    } else if (index < model.size() && random.below(2) == 0) {
      pack.replace(at, value);
      model[index] = value;
    } else if (index < model.size()) {
      const size_t count = std::min<size_t>(1 + random.below(4), model.size() - index);
      pack.erase(at, static_cast<uint32_t>(count));
      model.erase(model.begin() + place,
                  model.begin() + place + static_cast<std::ptrdiff_t>(count));
    }
    if (step % 100 == 0) {
      ASSERT_TRUE(ListpackView::validate(pack.bytes()));
      ASSERT_EQ(texts(pack.view()), model);
    }
  }
}

}  // namespace
}  // namespace tandem
