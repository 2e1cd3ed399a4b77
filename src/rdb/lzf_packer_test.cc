#include "rdb/lzf_packer.h"

#include <algorithm>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <liblzf/lzf.h>

#include "base/random.h"

namespace tandem {
namespace {

// Nothing: it did not fit. Fails when bytes behind the room were touched.
std::optional<std::string> packed(LzfPacker& packer, Bytes text, size_t room) {
  constexpr char kGuard = 0x5a;
  std::string out(room + 64, kGuard);
  const size_t bytes = packer.pack(text, {out.data(), room});
  EXPECT_LE(bytes, room);
  EXPECT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(room), out.end(),
                          [](char c) { return c == kGuard; }));
  if (bytes == 0) return std::nullopt;
  out.resize(bytes);
  return out;
}

// As everybody reads it.
std::string unpacked(Bytes packed_text, size_t bytes) {
  std::string text(bytes, '\0');
  const unsigned made =
      lzf_decompress(packed_text.data(), static_cast<unsigned>(packed_text.size()), text.data(),
                     static_cast<unsigned>(bytes));
  text.resize(made);
  return text;
}

// Runs of one byte, repetitions near and far, and bytes by chance.
std::string random_text(Random& random) {
  std::string text;
  const uint64_t alphabet = 1 + random.below(256);
  for (uint64_t pieces = 1 + random.below(20); pieces > 0; --pieces) {
    const uint64_t bytes = 1 + random.below(random.below(8) == 0 ? 3000 : 40);
    if (text.size() > bytes && random.below(3) == 0) {
      text += text.substr(random.below(text.size() - bytes), bytes);
    } else if (random.below(4) == 0) {
      text.append(bytes, static_cast<char>('a' + random.below(alphabet)));
    } else {
      for (uint64_t i = 0; i < bytes; ++i) text += static_cast<char>(random.below(alphabet));
    }
  }
  return text;
}

TEST(LzfPacker, WhatItPacksUnpacks) {
  Random random(1);
  LzfPacker packer;
  int fitted = 0;
  for (int round = 0; round < 5000; ++round) {
    const std::string text = random_text(random);
    const size_t room = round % 3 == 0 ? random.below(text.size() + 1) : text.size() * 2;
    const auto out = packed(packer, text, room);
    if (!out) continue;
    ++fitted;
    ASSERT_EQ(unpacked(*out, text.size()), text) << "round " << round;
  }
  EXPECT_GT(fitted, 3000);
}

TEST(LzfPacker, WhatIsPackedDependsOnTheTextAlone) {
  Random random(2);
  LzfPacker used;
  for (int round = 0; round < 300; ++round) {
    const std::string text = random_text(random);
    LzfPacker fresh;
    ASSERT_EQ(packed(used, text, text.size() * 2), packed(fresh, text, text.size() * 2));
  }
}

TEST(LzfPacker, SavesWhatComesAgain) {
  LzfPacker packer;
  EXPECT_LT(packed(packer, std::string(1000, 'a'), 1000)->size(), 20U);
  std::string far(8192, '\0');
  Random random(3);
  for (char& c : far) c = static_cast<char>(random.next());
  far += far.substr(0, 2000);
  EXPECT_LT(packed(packer, far, far.size())->size(), 8192U + 8192U / 32 + 200) << "8192 back";
  far.insert(8192, "x");
  EXPECT_FALSE(packed(packer, far, far.size())) << "8193 back is out of reach";
}

TEST(LzfPacker, TextsThatAreTooShortDoNotFit) {
  LzfPacker packer;
  for (const char* text : {"", "a", "aaa"}) EXPECT_FALSE(packed(packer, text, 100));
}

}  // namespace
}  // namespace tandem
