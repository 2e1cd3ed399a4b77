// Lua's patterns (Lua 5.1 manual, 5.4.1), for strings that nobody vouches for: unlike the
// language's own matcher this one never recurses beyond a limit, and can be interrupted.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "script/lua/limits.h"

struct lua_State;

namespace tandem {

class LuaPattern {
 public:
  static constexpr size_t kNoMatch = Bytes::npos;

  // Both outlive this object, whose functions raise Lua errors. A pattern ends at its first zero
  // byte.
  LuaPattern(lua_State* lua, Bytes subject, Bytes pattern);

  // Whether it begins with "^" and so matches at one place only; that is taken off then.
  bool take_anchor();
  // The end of the match that begins at `start`, or kNoMatch.
  size_t match(size_t start);

  // After a match from `start` to `end`: pushes capture `index` (from 0), the whole match if there
  // are no captures.
  void push_capture(size_t index, size_t start, size_t end);
  // All captures; the whole match if there are none and `whole`. Returns how many.
  int push_captures(size_t start, size_t end, bool whole);

 private:
  static constexpr size_t kCapturesMax = 32;
  static constexpr int kDepthMax = 200;
  static constexpr size_t kOpen = Bytes::npos;
  static constexpr size_t kPosition = Bytes::npos - 1;

  struct Capture {
    size_t start;
    size_t size;  // or kOpen, kPosition
  };
  // One character class and where it ends in the pattern.
  struct Item {
    size_t start;
    size_t end;
  };

  char pattern_at(size_t place) const { return place < pattern_.size() ? pattern_[place] : '\0'; }
  char subject_at(size_t place) const { return place < subject_.size() ? subject_[place] : '\0'; }
  size_t match_from(size_t subject, size_t pattern);
  size_t match_item(size_t subject, Item item, bool& goes_on);
  size_t match_most(size_t subject, Item item, size_t least);
  size_t match_least(size_t subject, Item item);
  size_t match_balance(size_t subject, size_t pattern);
  bool at_frontier(size_t subject, Item set) const;
  size_t open_capture(size_t subject, size_t pattern);
  size_t close_capture(size_t subject, size_t pattern);
  size_t match_back_reference(size_t subject, char digit);
  Item item_at(size_t pattern);
  bool matches_one(size_t subject, Item item) const;
  bool in_set(unsigned char c, Item set) const;

  lua_State* lua_;
  LuaInterrupt& interrupt_;
  Bytes subject_;
  Bytes pattern_;
  size_t captures_count_ = 0;
  int depth_ = 0;
  std::array<Capture, kCapturesMax> captures_;
};

}  // namespace tandem
