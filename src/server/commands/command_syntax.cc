// Recursive descent over words and brackets. A sequence is first read as it stands, so that a
// repetition can be compared with the words before it; only then do literals take what follows
// them.
#include "server/commands/command_syntax.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace tandem {
namespace {

using Type = SyntaxArgument::Type;
using Arguments = std::vector<SyntaxArgument>;

// As the protocol has it, in the order of the type's values.
constexpr std::string_view kTypeNames[] = {"string",    "integer",    "double", "key",  "pattern",
                                           "unix-time", "pure-token", "oneof",  "block"};

constexpr std::pair<std::string_view, Type> kWordTypes[] = {
    {"key", Type::kKey},
    {"newkey", Type::kKey},
    {"source", Type::kKey},
    {"src", Type::kKey},
    {"destination", Type::kKey},
    {"dst", Type::kKey},
    {"pattern", Type::kPattern},
    {"score", Type::kDouble},
    {"timeout", Type::kDouble},
    {"unix-time-seconds", Type::kUnixTime},
    {"unix-time-milliseconds", Type::kUnixTime},
    {"client-id", Type::kInteger},
    {"count", Type::kInteger},
    {"cursor", Type::kInteger},
    {"db", Type::kInteger},
    {"decrement", Type::kInteger},
    {"destination-db", Type::kInteger},
    {"end", Type::kInteger},
    {"frequency", Type::kInteger},
    {"increment", Type::kInteger},
    {"index", Type::kInteger},
    {"index1", Type::kInteger},
    {"index2", Type::kInteger},
    {"limit", Type::kInteger},
    {"milliseconds", Type::kInteger},
    {"numkeys", Type::kInteger},
    {"numreplicas", Type::kInteger},
    {"offset", Type::kInteger},
    {"port", Type::kInteger},
    {"protover", Type::kInteger},
    {"seconds", Type::kInteger},
    {"start", Type::kInteger},
    {"stop", Type::kInteger},
    {"ttl", Type::kInteger},
};

constexpr std::pair<std::string_view, std::string_view> kSymbolNames[] = {
    {"=", "equal"}, {"~", "approximately"}, {"*", "auto-id"}, {"$", "new-id"}};

template <typename Value, size_t kCount>
Value look_up(const std::pair<std::string_view, Value> (&table)[kCount], std::string_view word,
              Value otherwise) {
  const auto* found = std::ranges::find(table, word, &std::pair<std::string_view, Value>::first);
  return found == std::end(table) ? otherwise : found->second;
}

// Words, and marks; a closing bracket with the notes at it.
std::vector<std::string_view> split_lexemes(std::string_view text) {
  std::vector<std::string_view> lexemes;
  while (!text.empty()) {
    const bool opening = std::string_view("[<|").contains(text.front());
    const size_t length = opening ? 1 : std::min(text.find_first_of(" []<>|", 1), text.size());
    if (text.front() != ' ') lexemes.push_back(text.substr(0, length));
    text.remove_prefix(text.front() == ' ' ? 1 : length);
  }
  return lexemes;
}

// Takes what follows `mark` off the end of `word`. A mark that stands alone is a literal.
std::string_view take_note(std::string_view& word, char mark) {
  const size_t at = word.find(mark, 1);
  if (at == word.npos) return {};
  const std::string_view note = word.substr(at + 1);
  word = word.substr(0, at);
  return note;
}

void take_versions(std::string_view& word, SyntaxArgument& argument) {
  if (const auto version = take_note(word, '!'); !version.empty()) {
    argument.deprecated_since = version;
  }
  if (const auto version = take_note(word, '@'); !version.empty()) argument.since = version;
}

bool is_literal(std::string_view word) {
  return std::ranges::none_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
}

Type word_type(const CommandRow& row, std::string_view word) {
  const Type type = look_up(kWordTypes, word, Type::kString);
  return type == Type::kKey && row.keys.empty() ? Type::kString : type;
}

// "name", "LITERAL", "name:type" or "name:LITERAL", with notes.
std::optional<SyntaxArgument> read_word(const CommandRow& row, std::string_view word) {
  SyntaxArgument argument;
  take_versions(word, argument);
  argument.shown = take_note(word, '=');
  const std::string_view kind = take_note(word, ':');
  argument.name = word;
  if (is_literal(kind.empty() ? word : kind)) {
    argument.type = Type::kPureToken;
    argument.token = kind.empty() ? word : kind;
    if (kind.empty()) argument.name = look_up(kSymbolNames, word, std::string_view());
    if (argument.name.empty()) argument.name = to_lower(word);
  } else if (kind.empty()) {
    argument.type = word_type(row, word);
  } else {
    const auto* type = std::ranges::find(kTypeNames, kind);
    if (type == std::end(kTypeNames)) return std::nullopt;
    argument.type = static_cast<Type>(type - kTypeNames);
  }
  return argument;
}

// COUNT n becomes one argument, LIMIT offset count a block; a literal alone stays one.
Arguments attach_literals(Arguments raw) {
  Arguments attached;
  for (size_t at = 0; at < raw.size();) {
    SyntaxArgument& first = raw[at++];
    const size_t begin = at;
    const bool takes = first.type == Type::kPureToken && !first.optional && !first.multiple;
    while (takes && at < raw.size() && !raw[at].optional && raw[at].type != Type::kPureToken) ++at;
    const std::span<SyntaxArgument> taken(raw.data() + begin, at - begin);
    if (taken.empty()) {
      attached.push_back(std::move(first));
      continue;
    }
    if (taken.size() == 1 && taken[0].token.empty()) {
      taken[0].token = std::move(first.token);
      if (taken[0].name.empty()) taken[0].name = std::move(first.name);
      attached.push_back(std::move(taken[0]));
      continue;
    }
    first.type = Type::kBlock;
    first.children.assign(taken.begin(), taken.end());
    attached.push_back(std::move(first));
  }
  return attached;
}

// What was read as a sequence, as one argument. A block is nameless yet.
SyntaxArgument as_one(Arguments raw) {
  Arguments attached = attach_literals(std::move(raw));
  if (attached.size() == 1) return std::move(attached.front());
  return {.type = Type::kBlock, .children = std::move(attached)};
}

class SyntaxParser {
 public:
  explicit SyntaxParser(const CommandRow& row) : row_(row), lexemes_(split_lexemes(row.syntax)) {}

  std::optional<Arguments> parse() {
    Arguments raw;
    if (!read_sequence(raw) || !at_end() || repeats_) return std::nullopt;
    return attach_literals(std::move(raw));
  }

 private:
  bool at_end() const { return at_ == lexemes_.size(); }
  std::string_view next() const { return at_end() ? std::string_view() : lexemes_[at_]; }
  bool opens() const { return next() == "[" || next() == "<"; }
  bool closes() const { return next().starts_with(']') || next().starts_with('>'); }
  bool take(std::string_view lexeme) {
    if (next() != lexeme) return false;
    ++at_;
    return true;
  }
  // "where:" before a bracket; else nothing.
  std::string_view take_name() {
    if (!next().ends_with(':')) return {};
    const std::string_view name = lexemes_[at_++];
    return name.substr(0, name.size() - 1);
  }

  // Up to the end or to what closes it. An ellipsis, which must be last, sets `repeats_`.
  bool read_sequence(Arguments& raw) {
    repeats_ = false;
    while (!at_end() && !closes() && next() != "|") {
      if (repeats_) return false;
      const std::string_view name = take_name();
      if (opens()) {
        if (!read_brackets(name, raw)) return false;
      } else if (!name.empty()) {
        return false;
      } else if (take("...")) {
        if (raw.empty()) return false;
        repeats_ = true;
      } else {
        auto word = read_word(row_, lexemes_[at_++]);
        if (!word) return false;
        raw.push_back(std::move(*word));
      }
    }
    return true;
  }

  bool read_brackets(std::string_view name, Arguments& before) {
    const bool optional = lexemes_[at_++] == "[";
    std::vector<Arguments> alternatives;
    bool repeats = false;
    do {
      Arguments& raw = alternatives.emplace_back();
      if (!read_sequence(raw) || raw.empty()) return false;
      repeats = std::exchange(repeats_, false);
      if (repeats && (!optional || alternatives.size() > 1)) return false;
    } while (take("|") && !repeats);
    if (!next().starts_with(optional ? ']' : '>')) return false;
    SyntaxArgument read = repeats ? repeated(std::move(alternatives.front()), before)
                                  : choice(std::move(alternatives), optional);
    if (!name.empty()) read.name = name;
    std::string_view notes = lexemes_[at_++];
    take_versions(notes, read);
    if (notes.ends_with("...")) read.multiple = true;
    before.push_back(std::move(read));
    return notes.size() == 1 || notes.substr(1) == "...";
  }

  // "[raw ...]" after `before`, from which it takes the same words.
  static SyntaxArgument repeated(Arguments raw, Arguments& before) {
    const bool known = before.size() >= raw.size() &&
                       std::equal(raw.begin(), raw.end(), before.end() - std::ssize(raw));
    if (known) before.resize(before.size() - raw.size());
    SyntaxArgument repeated = as_one(std::move(raw));
    if (repeated.name.empty()) repeated.name = "data";
    repeated.optional = !known;
    repeated.multiple = true;
    repeated.multiple_token = !repeated.token.empty() && repeated.type != Type::kPureToken;
    return repeated;
  }

  static SyntaxArgument choice(std::vector<Arguments> alternatives, bool optional) {
    SyntaxArgument chosen{.type = Type::kOneOf};
    if (alternatives.size() == 1) {
      chosen = as_one(std::move(alternatives.front()));
    } else {
      for (Arguments& raw : alternatives) chosen.children.push_back(as_one(std::move(raw)));
    }
    chosen.optional = optional;
    return chosen;
  }

  const CommandRow& row_;
  std::vector<std::string_view> lexemes_;
  size_t at_ = 0;
  bool repeats_ = false;
};

// The specification of keys that patterns among the arguments name; -1 if there is none.
int pattern_specification(std::span<const KeySpec> specifications) {
  const auto found = std::ranges::find_if(specifications, [](const KeySpec& spec) {
    return spec.find == KeySpec::Find::kUnknown && spec.position_in == nullptr;
  });
  return found == specifications.end() ? -1 : static_cast<int>(found - specifications.begin());
}

// Keys stand in the order of the specifications; the last of these may be a range for several.
void number_keys(Arguments& arguments, std::span<const KeySpec> specifications, int& next) {
  const int of_patterns = pattern_specification(specifications);
  for (SyntaxArgument& argument : arguments) {
    if (argument.type == Type::kKey) {
      if (next == of_patterns) ++next;
      argument.key_spec_index = std::min(next++, static_cast<int>(specifications.size()) - 1);
    } else if (argument.type == Type::kPattern) {
      argument.key_spec_index = of_patterns;
    }
    number_keys(argument.children, specifications, next);
  }
}

void name_the_nameless(Arguments& arguments) {
  for (SyntaxArgument& argument : arguments) {
    name_the_nameless(argument.children);
    if (!argument.name.empty()) continue;
    for (const SyntaxArgument& child : argument.children) {
      if (!argument.name.empty()) argument.name += '-';
      argument.name += child.name;
    }
  }
}

}  // namespace

std::optional<std::vector<SyntaxArgument>> parse_syntax(const CommandRow& row) {
  auto arguments = SyntaxParser(row).parse();
  if (!arguments) return std::nullopt;
  int next = 0;
  number_keys(*arguments, row.keys, next);
  name_the_nameless(*arguments);
  return arguments;
}

std::string_view syntax_type_name(Type type) { return kTypeNames[static_cast<size_t>(type)]; }

}  // namespace tandem
