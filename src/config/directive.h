// A directive: one row of the table that says what redis.conf, the command line and CONFIG
// understand. Rows are immutable data; values live in the Options structs that rows point into, or,
// for directives that are accepted but do nothing yet, as text in Config.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "config/options.h"

namespace tandem {

// What a value may look like. Checked for accepted directives too, so that a wrong file is refused
// as Redis does.
struct BoolKind {};
struct IntegerKind {
  int64_t min = 0;
  int64_t max = std::numeric_limits<int32_t>::max();
};
struct OctalKind {
  int64_t max;
};
struct MemoryKind {
  uint64_t min = 0;
  uint64_t max = std::numeric_limits<int64_t>::max();  // more: only for what is accepted as text
};
struct EnumValue {
  std::string_view name;
  int number;
};
struct EnumKind {
  std::span<const EnumValue> values;
  bool combine = false;  // several values at once, as bits
  // Says what is wrong with values together; empty: nothing.
  std::string_view (*objection)(int64_t bits) = nullptr;
};
struct TextKind {
  Result<void> (*check)(std::string_view text) = nullptr;
};
struct CheckedKind {  // text in a form of its own: gives it as CONFIG GET shows it
  Result<std::string> (*normalize)(std::span<const std::string> words);
};
struct SpecialKind {};  // the binding parses
using DirectiveKind = std::variant<BoolKind, IntegerKind, OctalKind, MemoryKind, EnumKind, TextKind,
                                   CheckedKind, SpecialKind>;

// Where the value lands.
struct Accepted {
  std::string_view initial;  // its default, as CONFIG GET shows it
};
using BindBool = Option<bool>& (*)(Options&);
using BindInteger = Option<int64_t>& (*)(Options&);
using BindText = TextOption& (*)(Options&);
struct BindEnum {  // enums of any type, as the numbers of the row's EnumValues
  int (*get)(Options&);
  void (*set)(Options&, int);
};
struct BindSpecial {
  std::string (*get)(Options&);
  Result<void> (*set)(Options&, std::span<const std::string> words);
  // The lines CONFIG REWRITE writes, without the directive's name; null: get's text as one line,
  // quoted if `quoted`.
  std::vector<std::string> (*lines)(Options&) = nullptr;
};
using Binding = std::variant<Accepted, BindBool, BindInteger, BindText, BindEnum, BindSpecial>;

inline constexpr unsigned kImmutable = 1;  // only at start
inline constexpr unsigned kMultiWord = 2;  // takes several words
inline constexpr unsigned kHidden = 4;     // CONFIG GET shows it only by its exact name
inline constexpr unsigned kProtected = 8;  // CONFIG SET only with enable-protected-configs
inline constexpr unsigned kSecret = 32;    // never shown as an argument of a command
inline constexpr unsigned kAddsUp = 16;  // in a file, more lines of it add up instead of replacing

struct Directive {
  std::string_view name;
  std::string_view alias;  // empty: none
  DirectiveKind kind;
  Binding binding;
  unsigned flags = 0;

  bool has(unsigned flag) const { return (flags & flag) != 0; }
  bool supported() const { return !std::holds_alternative<Accepted>(binding); }
};

// Every directive of Redis 7.2 and ours, in the order CONFIG GET shows.
std::span<const Directive> directives();

// By name or alias, in any case; null when there is none.
const Directive* find_directive(std::string_view name);

// What a configuration file may hold but CONFIG does not know: accepted with a warning, or ignored
// as Redis does.
struct FileDirective {
  std::string_view name;
  int words_min;  // after the name
  int words_max;
  bool warns;
};
const FileDirective* find_file_directive(std::string_view name);

}  // namespace tandem
