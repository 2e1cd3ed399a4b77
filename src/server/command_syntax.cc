// Recursive descent over words and brackets. A sequence is first read as it stands, so that a
// repetition can be compared with the words before it; only then do literals take what follows
// them.
#include "server/command_syntax.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/ascii.h"

namespace tandem {
namespace {

using Type = SyntaxArgument::Type;
using Arguments = std::vector<SyntaxArgument>;

constexpr std::pair<std::string_view, Type> kWordTypes[] = {
    {"key", Type::kKey},
    {"newkey", Type::kKey},
    {"source", Type::kKey},
    {"src", Type::kKey},
    {"destination", Type::kKey},
    {"dst", Type::kKey},
    {"pattern", Type::kPattern},
    {"score", Type::kDouble},
    {"longitude", Type::kDouble},
    {"latitude", Type::kDouble},
    {"unix-time-seconds", Type::kUnixTime},
    {"unix-time-milliseconds", Type::kUnixTime},
    {"client-id", Type::kInteger},
    {"count", Type::kInteger},
    {"cursor", Type::kInteger},
    {"db", Type::kInteger},
    {"decrement", Type::kInteger},
    {"destination-db", Type::kInteger},
    {"frequency", Type::kInteger},
    {"increment", Type::kInteger},
    {"index", Type::kInteger},
    {"index1", Type::kInteger},
    {"index2", Type::kInteger},
    {"limit", Type::kInteger},
    {"milliseconds", Type::kInteger},
    {"numkeys", Type::kInteger},
    {"numlocal", Type::kInteger},
    {"numreplicas", Type::kInteger},
    {"offset", Type::kInteger},
    {"port", Type::kInteger},
    {"protover", Type::kInteger},
    {"seconds", Type::kInteger},
    {"timeout", Type::kInteger},
    {"ttl", Type::kInteger},
    {"weight", Type::kInteger},
};

// Names for what the text gives none: by the first of the alternatives.
constexpr std::pair<std::string_view, std::string_view> kChoiceNames[] = {
    {"nx", "condition"},        {"gt", "comparison"},  {"seconds", "expiration"},
    {"left", "where"},          {"before", "where"},   {"async", "flush-type"},
    {"maxlen", "strategy"},     {"equal", "operator"}, {"byscore", "sortby"},
    {"auto-id", "id-selector"},
};

constexpr std::pair<std::string_view, std::string_view> kSymbolNames[] = {
    {"=", "equal"}, {"~", "approximately"}, {"*", "auto-id"}};

template <typename Value, size_t kCount>
Value look_up(const std::pair<std::string_view, Value> (&table)[kCount], std::string_view word,
              Value otherwise) {
  const auto* found = std::ranges::find(table, word, &std::pair<std::string_view, Value>::first);
  return found == std::end(table) ? otherwise : found->second;
}

std::vector<std::string_view> split_lexemes(std::string_view text) {
  constexpr std::string_view kMarks = "[]<>|";
  std::vector<std::string_view> lexemes;
  while (!text.empty()) {
    const bool mark = kMarks.contains(text.front());
    const size_t length = mark ? 1 : std::min(text.find_first_of(" []<>|"), text.size());
    if (length > 0) lexemes.push_back(text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return lexemes;
}

bool is_literal(std::string_view word) {
  return std::ranges::none_of(word, [](char c) { return c >= 'a' && c <= 'z'; });
}

Type word_type(const CommandRow& row, std::string_view word) {
  const bool range_end = word == "start" || word == "stop" || word == "end";
  if (range_end && (row.group == "list" || row.group == "string")) return Type::kInteger;
  const bool float_step = word == "increment" && row.name.ends_with("float");
  const bool float_wait = word == "timeout" && (row.group == "list" || row.group == "sorted-set");
  if (float_step || float_wait) return Type::kDouble;
  const Type type = look_up(kWordTypes, word, Type::kString);
  return type == Type::kKey && row.keys.empty() ? Type::kString : type;
}

SyntaxArgument read_word(const CommandRow& row, std::string_view word) {
  if (!is_literal(word)) return {.name = std::string(word), .type = word_type(row, word)};
  const std::string lower = to_lower(word);
  return {.name = std::string(look_up(kSymbolNames, word, std::string_view(lower))),
          .type = Type::kPureToken,
          .token = std::string(word)};
}

std::string joined_names(const Arguments& arguments) {
  std::string name;
  for (const SyntaxArgument& argument : arguments) {
    if (!name.empty()) name += '_';
    name += argument.name;
  }
  return name;
}

SyntaxArgument block(std::string name, Arguments children) {
  return {.name = std::move(name), .type = Type::kBlock, .children = std::move(children)};
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
      if (taken[0].type == Type::kOneOf) taken[0].name = std::move(first.name);
      attached.push_back(std::move(taken[0]));
      continue;
    }
    SyntaxArgument group = block(std::move(first.name), {taken.begin(), taken.end()});
    group.token = std::move(first.token);
    attached.push_back(std::move(group));
  }
  return attached;
}

// What was read as a sequence, as one argument.
SyntaxArgument as_one(Arguments raw) {
  Arguments attached = attach_literals(std::move(raw));
  if (attached.size() == 1) return std::move(attached.front());
  std::string name = joined_names(attached);
  return block(std::move(name), std::move(attached));
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
  bool take(std::string_view lexeme) {
    if (next() != lexeme) return false;
    ++at_;
    return true;
  }

  // Up to the end or to what closes it. An ellipsis, which must be last, sets `repeats_`.
  bool read_sequence(Arguments& raw) {
    repeats_ = false;
    while (!at_end() && next() != "]" && next() != ">" && next() != "|") {
      if (repeats_) return false;
      if (take("[")) {
        if (!read_brackets("]", raw)) return false;
      } else if (take("<")) {
        if (!read_brackets(">", raw)) return false;
      } else if (take("...")) {
        if (raw.empty()) return false;
        repeats_ = true;
      } else {
        raw.push_back(read_word(row_, lexemes_[at_++]));
      }
    }
    return true;
  }

  bool read_brackets(std::string_view closing, Arguments& before) {
    const bool optional = closing == "]";
    std::vector<Arguments> alternatives;
    bool repeats = false;
    do {
      Arguments& raw = alternatives.emplace_back();
      if (!read_sequence(raw) || raw.empty()) return false;
      repeats = std::exchange(repeats_, false);
      if (repeats && (!optional || alternatives.size() > 1)) return false;
    } while (take("|") && !repeats);
    if (!take(closing)) return false;
    if (repeats) {
      repeat(std::move(alternatives.front()), before);
      return true;
    }
    before.push_back(choice(std::move(alternatives)));
    before.back().optional = optional;
    return true;
  }

  // "[raw ...]" after `before`.
  static void repeat(Arguments raw, Arguments& before) {
    const bool known = before.size() >= raw.size() &&
                       std::equal(raw.begin(), raw.end(), before.end() - std::ssize(raw));
    if (known) before.resize(before.size() - raw.size());
    SyntaxArgument repeated = as_one(std::move(raw));
    repeated.optional = !known;
    repeated.multiple = true;
    repeated.multiple_token = !repeated.token.empty() && repeated.type != Type::kPureToken;
    before.push_back(std::move(repeated));
  }

  static SyntaxArgument choice(std::vector<Arguments> alternatives) {
    if (alternatives.size() == 1) return as_one(std::move(alternatives.front()));
    Arguments children;
    for (Arguments& raw : alternatives) children.push_back(as_one(std::move(raw)));
    const std::string joined = joined_names(children);
    const std::string_view name =
        look_up(kChoiceNames, children.front().name, std::string_view(joined));
    return {.name = std::string(name), .type = Type::kOneOf, .children = std::move(children)};
  }

  const CommandRow& row_;
  std::vector<std::string_view> lexemes_;
  size_t at_ = 0;
  bool repeats_ = false;
};

// Keys stand in the order of the specifications; the last of these may be a range for several.
void number_keys(Arguments& arguments, int specifications, int& next) {
  for (SyntaxArgument& argument : arguments) {
    if (argument.type == Type::kKey) {
      argument.key_spec_index = std::min(next++, specifications - 1);
    }
    number_keys(argument.children, specifications, next);
  }
}

// Siblings are told apart by their names: "where", "where2".
void number_namesakes(Arguments& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i].name;
    const auto taken = [&] {
      return std::ranges::count(std::span(arguments).first(i), arguments[i].name,
                                &SyntaxArgument::name) > 0;
    };
    for (int number = 2; taken(); ++number) arguments[i].name = name + std::to_string(number);
    number_namesakes(arguments[i].children);
  }
}

}  // namespace

std::optional<std::vector<SyntaxArgument>> parse_syntax(const CommandRow& row) {
  auto arguments = SyntaxParser(row).parse();
  if (!arguments) return std::nullopt;
  int next = 0;
  number_keys(*arguments, static_cast<int>(row.keys.size()), next);
  number_namesakes(*arguments);
  return arguments;
}

std::string_view syntax_type_name(Type type) {
  switch (type) {
    case Type::kString:
      return "string";
    case Type::kInteger:
      return "integer";
    case Type::kDouble:
      return "double";
    case Type::kKey:
      return "key";
    case Type::kPattern:
      return "pattern";
    case Type::kUnixTime:
      return "unix-time";
    case Type::kPureToken:
      return "pure-token";
    case Type::kOneOf:
      return "oneof";
    case Type::kBlock:
      return "block";
  }
  return "string";
}

}  // namespace tandem
