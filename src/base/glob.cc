// Every element of a pattern but `*` takes exactly one character, so when a mismatch comes it is
// enough to let the latest `*` take one character more: no recursion, and no earlier star is ever
// tried again.
#include "base/glob.h"

#include <algorithm>

#include "base/bytes.h"

namespace tandem {
namespace {

char fold(char c, GlobCase letter_case) {
  return letter_case == GlobCase::kIgnore ? ascii_lower(c) : c;
}

// Whether `c` is in the class whose `[` stands at `at`; moves `at` behind the class. A class that
// is never closed reaches to the end of the pattern.
bool match_class(Bytes pattern, size_t& at, char c, GlobCase letter_case) {
  ++at;
  const bool negated = at < pattern.size() && pattern[at] == '^';
  if (negated) ++at;
  bool found = false;
  for (; at < pattern.size(); ++at) {
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      ++at;
      found |= pattern[at] == c;
    } else if (pattern[at] == ']') {
      break;
    } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
      const auto from = static_cast<unsigned char>(fold(pattern[at], letter_case));
      const auto to = static_cast<unsigned char>(fold(pattern[at + 2], letter_case));
      const auto value = static_cast<unsigned char>(fold(c, letter_case));
      found |= value >= std::min(from, to) && value <= std::max(from, to);
      at += 2;
    } else {
      found |= fold(pattern[at], letter_case) == fold(c, letter_case);
    }
  }
  if (at < pattern.size()) ++at;
  return found != negated;
}

// One element of the pattern that is not `*` against one character; moves `at` behind the element.
bool match_one(Bytes pattern, size_t& at, char c, GlobCase letter_case) {
  switch (pattern[at]) {
    case '?':
      ++at;
      return true;
    case '[':
      return match_class(pattern, at, c, letter_case);
    case '\\':
      if (at + 1 < pattern.size()) ++at;
      [[fallthrough]];
    default:
      return fold(pattern[at++], letter_case) == fold(c, letter_case);
  }
}

}  // namespace

bool glob_match(Bytes pattern, Bytes text, GlobCase letter_case) {
  // In Redis no star matches the empty text. (KEYS and SCAN take a lone star for "no pattern".)
  if (text.empty()) return pattern.empty();
  size_t at = 0;
  size_t position = 0;
  size_t after_star = Bytes::npos;
  size_t star_position = 0;
  while (position < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      after_star = ++at;
      star_position = position;
      if (at == pattern.size()) return true;
      continue;
    }
    if (at < pattern.size() && match_one(pattern, at, text[position], letter_case)) {
      ++position;
      continue;
    }
    if (after_star == Bytes::npos) return false;
    at = after_star;
    position = ++star_position;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace tandem
