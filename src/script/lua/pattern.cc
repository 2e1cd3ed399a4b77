// What follows an item is matched by recursion only where there is a choice to come back to: after
// a capture's edge, and after each repetition. Everything else goes on in a loop.
#include "script/lua/pattern.h"

#include <algorithm>

#include "script/lua/lua.h"

namespace tandem {
namespace {

bool is_between(unsigned char c, char low, char high) {
  return c >= static_cast<unsigned char>(low) && c <= static_cast<unsigned char>(high);
}
bool is_digit(unsigned char c) { return is_between(c, '0', '9'); }
bool is_lower(unsigned char c) { return is_between(c, 'a', 'z'); }
bool is_upper(unsigned char c) { return is_between(c, 'A', 'Z'); }
bool is_letter(unsigned char c) { return is_lower(c) || is_upper(c); }
bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }
bool is_hexadecimal(unsigned char c) {
  return is_digit(c) || is_between(c, 'a', 'f') || is_between(c, 'A', 'F');
}
bool is_space(unsigned char c) { return c == ' ' || is_between(c, '\t', '\r'); }
bool is_punctuation(unsigned char c) {
  return is_between(c, '!', '~') && !is_letter(c) && !is_digit(c);
}

// Whether `c` belongs to the class that the letter after "%" names; a capital letter names the
// rest. Any other character stands for itself.
bool in_class(unsigned char c, unsigned char name) {
  bool inside;
  switch (is_upper(name) ? name - 'A' + 'a' : name) {
    case 'a':
      inside = is_letter(c);
      break;
    case 'c':
      inside = is_control(c);
      break;
    case 'd':
      inside = is_digit(c);
      break;
    case 'l':
      inside = is_lower(c);
      break;
    case 'p':
      inside = is_punctuation(c);
      break;
    case 's':
      inside = is_space(c);
      break;
    case 'u':
      inside = is_upper(c);
      break;
    case 'w':
      inside = is_letter(c) || is_digit(c);
      break;
    case 'x':
      inside = is_hexadecimal(c);
      break;
    case 'z':
      inside = c == '\0';
      break;
    default:
      return name == c;
  }
  return is_upper(name) ? !inside : inside;
}

}  // namespace

LuaPattern::LuaPattern(lua_State* lua, Bytes subject, Bytes pattern)
    : lua_(lua),
      interrupt_(interrupt_of(lua)),
      subject_(subject),
      pattern_(pattern.substr(0, pattern.find('\0'))) {}

bool LuaPattern::take_anchor() {
  if (!pattern_.starts_with('^')) return false;
  pattern_.remove_prefix(1);
  return true;
}

size_t LuaPattern::match(size_t start) {
  captures_count_ = 0;
  depth_ = 0;
  return match_from(start, 0);
}

size_t LuaPattern::match_from(size_t subject, size_t pattern) {
  if (++depth_ > kDepthMax) luaL_error(lua_, "pattern too complex");
  size_t end = kNoMatch;
  for (bool goes_on = true; goes_on;) {
    count_steps(lua_, interrupt_, 1);
    if (pattern >= pattern_.size()) {
      end = subject;
      break;
    }
    const char c = pattern_[pattern];
    const char next = pattern_at(pattern + 1);
    if (c == '(') {
      end = open_capture(subject, pattern + 1);
      break;
    }
    if (c == ')') {
      end = close_capture(subject, pattern + 1);
      break;
    }
    if (c == '$' && pattern + 1 == pattern_.size()) {
      if (subject == subject_.size()) end = subject;
      break;
    }
    if (c == '%' && next == 'b') {
      subject = match_balance(subject, pattern + 2);
      pattern += 4;
      goes_on = subject != kNoMatch;
    } else if (c == '%' && next == 'f') {
      if (pattern_at(pattern + 2) != '[') {
        luaL_error(lua_, "missing '[' after '%%f' in pattern");
      }
      const Item set = item_at(pattern + 2);
      pattern = set.end;
      goes_on = at_frontier(subject, set);
    } else if (c == '%' && is_digit(static_cast<unsigned char>(next))) {
      subject = match_back_reference(subject, next);
      pattern += 2;
      goes_on = subject != kNoMatch;
    } else {
      const Item item = item_at(pattern);
      end = match_item(subject, item, goes_on);
      if (goes_on) subject = end;
      pattern = item.end;
    }
    if (goes_on) end = kNoMatch;
  }
  --depth_;
  return end;
}

// With a repetition: the end of the whole match. Without: where the subject goes on.
size_t LuaPattern::match_item(size_t subject, Item item, bool& goes_on) {
  goes_on = false;
  switch (pattern_at(item.end)) {
    case '?': {
      if (matches_one(subject, item)) {
        const size_t end = match_from(subject + 1, item.end + 1);
        if (end != kNoMatch) return end;
      }
      return match_from(subject, item.end + 1);
    }
    case '*':
      return match_most(subject, item, 0);
    case '+':
      return match_most(subject, item, 1);
    case '-':
      return match_least(subject, item);
    default:
      goes_on = matches_one(subject, item);
      return goes_on ? subject + 1 : kNoMatch;
  }
}

size_t LuaPattern::match_most(size_t subject, Item item, size_t least) {
  size_t count = 0;
  while (matches_one(subject + count, item)) ++count;
  count_steps(lua_, interrupt_, static_cast<int64_t>(count));
  for (; count + 1 > least; --count) {
    const size_t end = match_from(subject + count, item.end + 1);
    if (end != kNoMatch) return end;
    if (count == 0) break;
  }
  return kNoMatch;
}

size_t LuaPattern::match_least(size_t subject, Item item) {
  for (;; ++subject) {
    const size_t end = match_from(subject, item.end + 1);
    if (end != kNoMatch) return end;
    if (!matches_one(subject, item)) return kNoMatch;
  }
}

// "%bxy" at the subject's place; `pattern` is where x stands.
size_t LuaPattern::match_balance(size_t subject, size_t pattern) {
  if (pattern + 2 > pattern_.size()) luaL_error(lua_, "unbalanced pattern");
  const char opening = pattern_[pattern];
  const char closing = pattern_[pattern + 1];
  if (subject >= subject_.size() || subject_[subject] != opening) return kNoMatch;
  size_t open = 1;
  for (size_t i = subject + 1; i < subject_.size(); ++i) {
    if (subject_[i] == closing) {
      if (--open == 0) {
        count_steps(lua_, interrupt_, static_cast<int64_t>(i - subject));
        return i + 1;
      }
    } else if (subject_[i] == opening) {
      ++open;
    }
  }
  count_steps(lua_, interrupt_, static_cast<int64_t>(subject_.size() - subject));
  return kNoMatch;
}

// Both ends of the subject count as a zero byte.
bool LuaPattern::at_frontier(size_t subject, Item set) const {
  const char before = subject == 0 ? '\0' : subject_[subject - 1];
  const char after = subject_at(subject);
  return !in_set(static_cast<unsigned char>(before), set) &&
         in_set(static_cast<unsigned char>(after), set);
}

size_t LuaPattern::open_capture(size_t subject, size_t pattern) {
  if (captures_count_ >= kCapturesMax) luaL_error(lua_, "too many captures");
  const bool position = pattern_at(pattern) == ')';
  captures_[captures_count_++] = {subject, position ? kPosition : kOpen};
  const size_t end = match_from(subject, position ? pattern + 1 : pattern);
  if (end == kNoMatch) --captures_count_;
  return end;
}

size_t LuaPattern::close_capture(size_t subject, size_t pattern) {
  size_t last = captures_count_;
  while (last > 0 && captures_[last - 1].size != kOpen) --last;
  if (last == 0) {
    luaL_error(lua_, "invalid pattern capture");
    return kNoMatch;
  }
  Capture& capture = captures_[last - 1];
  capture.size = subject - capture.start;
  const size_t end = match_from(subject, pattern);
  if (end == kNoMatch) capture.size = kOpen;
  return end;
}

size_t LuaPattern::match_back_reference(size_t subject, char digit) {
  const auto index = static_cast<size_t>(digit - '1');
  if (digit == '0' || index >= captures_count_ || captures_[index].size == kOpen) {
    luaL_error(lua_, "invalid capture index");
    return kNoMatch;
  }
  const Capture& capture = captures_[index];
  if (capture.size == kPosition) return kNoMatch;
  const Bytes text = subject_.substr(capture.start, capture.size);
  count_steps(lua_, interrupt_, static_cast<int64_t>(text.size()));
  return subject_.substr(subject).starts_with(text) ? subject + text.size() : kNoMatch;
}

// The class that begins at `pattern`, which is not the end.
LuaPattern::Item LuaPattern::item_at(size_t pattern) {
  size_t end = pattern + 1;
  if (pattern_[pattern] == '%') {
    if (end == pattern_.size()) luaL_error(lua_, "malformed pattern (ends with '%%')");
    ++end;
  } else if (pattern_[pattern] == '[') {
    if (pattern_at(end) == '^') ++end;
    // A "]" in the first place is an ordinary character.
    do {
      if (end >= pattern_.size()) luaL_error(lua_, "malformed pattern (missing ']')");
      if (pattern_[end++] == '%' && end < pattern_.size()) ++end;
    } while (pattern_at(end) != ']');
    ++end;
  }
  return {pattern, end};
}

bool LuaPattern::matches_one(size_t subject, Item item) const {
  if (subject >= subject_.size()) return false;
  const auto c = static_cast<unsigned char>(subject_[subject]);
  switch (pattern_[item.start]) {
    case '.':
      return true;
    case '%':
      return in_class(c, static_cast<unsigned char>(pattern_[item.start + 1]));
    case '[':
      return in_set(c, item);
    default:
      return static_cast<unsigned char>(pattern_[item.start]) == c;
  }
}

bool LuaPattern::in_set(unsigned char c, Item set) const {
  const size_t last = set.end - 1;  // where "]" stands
  size_t i = set.start + 1;
  const bool inside = pattern_[i] != '^';
  if (!inside) ++i;
  for (; i < last; ++i) {
    if (pattern_[i] == '%') {
      ++i;
      if (in_class(c, static_cast<unsigned char>(pattern_[i]))) return inside;
    } else if (pattern_[i + 1] == '-' && i + 2 < last) {
      if (is_between(c, pattern_[i], pattern_[i + 2])) return inside;
      i += 2;
    } else if (static_cast<unsigned char>(pattern_[i]) == c) {
      return inside;
    }
  }
  return !inside;
}

void LuaPattern::push_capture(size_t index, size_t start, size_t end) {
  if (index >= captures_count_) {
    if (index != 0) luaL_error(lua_, "invalid capture index");
    lua_pushlstring(lua_, subject_.data() + start, end - start);
    return;
  }
  const Capture& capture = captures_[index];
  if (capture.size == kOpen) luaL_error(lua_, "unfinished capture");
  if (capture.size == kPosition) {
    return lua_pushnumber(lua_, static_cast<double>(capture.start + 1));
  }
  lua_pushlstring(lua_, subject_.data() + capture.start, capture.size);
}

int LuaPattern::push_captures(size_t start, size_t end, bool whole) {
  const size_t count = captures_count_ == 0 && whole ? 1 : captures_count_;
  luaL_checkstack(lua_, static_cast<int>(count), "too many captures");
  for (size_t i = 0; i < count; ++i) push_capture(i, start, end);
  return static_cast<int>(count);
}

}  // namespace tandem
