// A command's syntax as a tree: what COMMAND DOCS tells about the arguments, read from the row's
// own text.
//
//   word            an argument; without a lower-case letter: a literal (NX, *, 0)
//   [a b] <a b>     optional; together
//   a | b           one of them, inside brackets
//   a b [a b ...]   once or more; without the same words before it ("[key ...]"): any number
//   COUNT n         a literal belongs to what is required after it, up to the next literal
//
// Types are guessed from the words, and from the command's name and group where words have two
// meanings.
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

  std::string name;
  Type type = Type::kString;
  std::string token = {};  // the literal to type before it; empty: none
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;  // the literal is repeated, too
  int key_spec_index = -1;      // of a key: which of the row's specifications finds it
  std::vector<SyntaxArgument> children = {};  // of a block or a one-of

  bool operator==(const SyntaxArgument&) const = default;
};

// Nothing: the text is not in this notation (brackets that do not match, an empty alternative, an
// ellipsis that repeats nothing).
std::optional<std::vector<SyntaxArgument>> parse_syntax(const CommandRow& row);

// As the protocol has it: "key", "pure-token", "oneof".
std::string_view syntax_type_name(SyntaxArgument::Type type);

}  // namespace tandem
