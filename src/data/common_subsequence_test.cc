#include "data/common_subsequence.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

using Match = CommonSubsequence::Match;

// The whole table, and the way back through its numbers.
struct Plain {
  size_t length = 0;
  std::vector<Match> matches;
};

Plain found_plainly(Bytes first, Bytes second) {
  std::vector<std::vector<size_t>> table(first.size() + 1,
                                         std::vector<size_t>(second.size() + 1, 0));
  for (size_t i = 1; i <= first.size(); ++i) {
    for (size_t j = 1; j <= second.size(); ++j) {
      table[i][j] = first[i - 1] == second[j - 1] ? table[i - 1][j - 1] + 1
                                                  : std::max(table[i - 1][j], table[i][j - 1]);
    }
  }
  Plain found{.length = table[first.size()][second.size()], .matches = {}};
  size_t i = first.size();
  size_t j = second.size();
  bool in_match = false;
  while (i > 0 && j > 0) {
    if (first[i - 1] == second[j - 1]) {
      --i;
      --j;
      if (!in_match) found.matches.push_back({});
      found.matches.back() = {i, j, found.matches.back().bytes + 1};
      in_match = true;
    } else {
      in_match = false;
      --(table[i - 1][j] > table[i][j - 1] ? i : j);
    }
  }
  return found;
}

std::vector<Match> matches_of(Bytes first, Bytes second) {
  std::vector<Match> matches;
  CommonSubsequence(first, second).for_each_match([&](const Match& match) {
    matches.push_back(match);
  });
  return matches;
}

std::string shown(const std::vector<Match>& matches) {
  std::string text;
  for (const Match& match : matches) {
    text += std::to_string(match.in_first) + "=" + std::to_string(match.in_second) + "*" +
            std::to_string(match.bytes) + " ";
  }
  return text;
}

TEST(CommonSubsequence, IsThatOfThePlainTable) {
  Random random(1);
  for (int round = 0; round < 1500; ++round) {
    const uint64_t letters = 1 + random.below(round % 3 == 0 ? 256 : 4);
    const auto text = [&] {
      std::string made(random.below(round < 1000 ? 30 : 200), '\0');
      for (char& c : made) c = static_cast<char>(random.below(letters));
      return made;
    };
    const std::string first = text();
    const std::string second = text();
    const Plain plain = found_plainly(first, second);
    EXPECT_EQ(CommonSubsequence(first, second).length(), plain.length);
    EXPECT_EQ(shown(matches_of(first, second)), shown(plain.matches));
  }
}

TEST(CommonSubsequence, OfTheExampleInTheDocumentation) {
  EXPECT_EQ(shown(matches_of("ohmytext", "mynewtext")), "4=5*4 2=0*2 ");
  EXPECT_EQ(CommonSubsequence("ohmytext", "mynewtext").length(), 6u);
}

TEST(CommonSubsequence, CarriesGoThroughAllWords) {
  const std::string same(1000, 'a');
  EXPECT_EQ(shown(matches_of(same, same)), "0=0*1000 ");
  EXPECT_EQ(CommonSubsequence(same, same).length(), 1000u);
  EXPECT_EQ(CommonSubsequence(same, "").length(), 0u);
  EXPECT_EQ(CommonSubsequence("", same).length(), 0u);
  EXPECT_TRUE(matches_of("", "").empty());
}

}  // namespace
}  // namespace tandem
