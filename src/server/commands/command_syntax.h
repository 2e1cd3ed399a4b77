// A command's syntax as a tree: what COMMAND DOCS tells about the arguments, read from the row's
// own text.
//
//   word            an argument; without a lower-case letter: a literal (NX, *, 0)
//   [a b] <a b>     optional; together
//   a | b           one of them, inside brackets
//   a b [a b ...]   once or more; without the same words before it ("[key ...]"): any number
//   <a | b>...      one of them, once or more
//   COUNT n         a literal belongs to what is required after it, up to the next literal
//
// What the words leave open is noted at them:
//
//   where:<a | b>   a name for what is in brackets, or for a literal ("change:CH")
//   min:double      a type, where the word suggests another one
//   addr=ip:port    what people are shown instead of the name
//   [GET]@6.2.0     since when it is there; at words, too ("EX seconds@2.6.12")
//   old!2.8.12      since when it is deprecated
//
// Brackets without a name of their own have that of the literal before them, or else their parts'
// names, joined; a group that repeats is "data".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command.h"

namespace tandem {

struct SyntaxArgument {
  enum class Type : uint8_t {
    kString,
    kInteger,
    kDouble,
    kKey,
    kPattern,
    kUnixTime,
    kPureToken,
    kOneOf,
    kBlock,
  };

  std::string name = {};
  Type type = Type::kString;
  std::string shown = {};  // to people; empty: the name
  std::string token = {};  // the literal to type before it; empty: none
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;  // the literal is repeated, too
  int key_spec_index = -1;      // of what names keys: the row's specification that finds them
  std::string since = {};
  std::string deprecated_since = {};
  std::vector<SyntaxArgument> children = {};  // of a block or a one-of

  bool operator==(const SyntaxArgument&) const = default;
};

// Nothing: the text is not in this notation (brackets that do not match, an empty alternative, an
// ellipsis that repeats nothing, a type that is none).
std::optional<std::vector<SyntaxArgument>> parse_syntax(const CommandRow& row);

// As the protocol has it: "key", "pure-token", "oneof".
std::string_view syntax_type_name(SyntaxArgument::Type type);

}  // namespace tandem
