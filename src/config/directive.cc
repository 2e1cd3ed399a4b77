#include "config/directive.h"

#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/config_value.h"

namespace tandem {
namespace {

using Words = std::span<const std::string>;
using Parsed = std::variant<bool, int64_t, std::string>;

template <class... Calls>
struct Overload : Calls... {
  using Calls::operator()...;
};
template <class... Calls>
Overload(Calls...) -> Overload<Calls...>;

std::unexpected<Error> invalid(std::string text) {
  return fail(ErrorCode::kInvalid, std::move(text));
}

template <class Number>
std::unexpected<Error> out_of_range(Number min, Number max) {
  return invalid(fmt::format("argument must be between {} and {} inclusive", min, max));
}

Result<Parsed> parse(const BoolKind&, Words words) {
  if (equal_ignore_case(words[0], "yes")) return true;
  if (equal_ignore_case(words[0], "no")) return false;
  return invalid("argument must be 'yes' or 'no'");
}

Result<Parsed> parse(const IntegerKind& kind, Words words) {
  const auto value = parse_integer(words[0]);
  if (!value) return invalid("argument couldn't be parsed into an integer");
  if (*value < kind.min || *value > kind.max) return out_of_range(kind.min, kind.max);
  return *value;
}

Result<Parsed> parse(const OctalKind& kind, Words words) {
  const auto value = parse_octal(words[0]);
  if (!value) return invalid("argument couldn't be parsed as an octal number");
  if (*value < 0 || *value > kind.max) {
    return invalid(fmt::format("argument must be between 0 and {:o} inclusive", kind.max));
  }
  return *value;
}

Result<Parsed> parse(const MemoryKind& kind, Words words) {
  const auto value = parse_memory(words[0]);
  if (!value) return invalid("argument must be a memory value");
  if (*value < kind.min || *value > kind.max) return out_of_range(kind.min, kind.max);
  constexpr uint64_t kNumberMax = std::numeric_limits<int64_t>::max();
  if (*value > kNumberMax) return fmt::format("{}", *value);
  return static_cast<int64_t>(*value);
}

Result<Parsed> parse(const EnumKind& kind, Words words) {
  const auto wrong = [&kind] {
    std::string names;
    for (const EnumValue& value : kind.values) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", value.name);
    }
    return invalid("argument(s) must be one of the following: " + names);
  };
  if (words.empty()) return wrong();
  int64_t sum = 0;
  for (const std::string& word : words) {
    const EnumValue* found = nullptr;
    for (const EnumValue& value : kind.values) {
      if (equal_ignore_case(word, value.name)) found = &value;
    }
    if (found == nullptr) return wrong();
    sum |= found->number;
  }
  const std::string_view objection = kind.objection == nullptr ? "" : kind.objection(sum);
  if (!objection.empty()) return invalid(std::string(objection));
  return sum;
}

Result<Parsed> parse(const TextKind& kind, Words words) {
  if (kind.check != nullptr) {
    if (auto checked = kind.check(words[0]); !checked) return std::unexpected(checked.error());
  }
  return words[0];
}

Result<Parsed> parse(const CheckedKind& kind, Words words) {
  auto text = kind.normalize(words);
  if (!text) return std::unexpected(text.error());
  return std::move(*text);
}

Result<Parsed> parse(const SpecialKind&, Words) { return invalid("not a plain value"); }

Result<Parsed> parse_words(const Directive& directive, Words words) {
  if (words.size() != 1 && !directive.has(kMultiWord)) return invalid("wrong number of arguments");
  return std::visit([&](const auto& kind) { return parse(kind, words); }, directive.kind);
}

std::string show_enum(const EnumKind& kind, int64_t number) {
  std::string shown;
  for (const EnumValue& value : kind.values) {
    const bool exact = value.number == number;
    if (exact && !kind.combine) return std::string(value.name);
    const bool bit = value.number != 0 && (number & value.number) == value.number;
    if (exact ? value.number == 0 || bit : bit) {
      shown += fmt::format("{}{}", shown.empty() ? "" : " ", value.name);
    }
  }
  return shown;
}

std::string show(const DirectiveKind& kind, const Parsed& value) {
  return std::visit(Overload{[](bool flag) { return std::string(flag ? "yes" : "no"); },
                             [](const std::string& text) { return text; },
                             [&](int64_t number) {
                               if (const auto* names = std::get_if<EnumKind>(&kind)) {
                                 return show_enum(*names, number);
                               }
                               if (std::holds_alternative<OctalKind>(kind))
                                 return fmt::format("{:o}", number);
                               return fmt::format("{}", number);
                             }},
                    value);
}

}  // namespace

Result<std::string> normalize_value(const Directive& directive, Words words) {
  const auto parsed = parse_words(directive, words);
  if (!parsed) return std::unexpected(parsed.error());
  return show(directive.kind, *parsed);
}

Result<void> set_option(const Directive& directive, Words words, Options& options) {
  if (const auto* special = std::get_if<BindSpecial>(&directive.binding)) {
    return special->set(options, words);
  }
  auto parsed = parse_words(directive, words);
  if (!parsed) return std::unexpected(parsed.error());
  std::visit(Overload{[&](BindBool field) { field(options).set(std::get<bool>(*parsed)); },
                      [&](BindInteger field) { field(options).set(std::get<int64_t>(*parsed)); },
                      [&](BindText field) {
                        field(options).set(std::move(std::get<std::string>(*parsed)));
                      },
                      [&](const BindEnum& field) {
                        field.set(options, static_cast<int>(std::get<int64_t>(*parsed)));
                      },
                      [](const BindSpecial&) {}, [](const Accepted&) {}},
             directive.binding);
  return {};
}

std::string show_option(const Directive& directive, Options& options) {
  const auto shown = [&](Parsed value) { return show(directive.kind, value); };
  return std::visit(
      Overload{[&](BindBool field) { return shown(field(options).get()); },
               [&](BindInteger field) { return shown(field(options).get()); },
               [&](BindText field) { return field(options).get(); },
               [&](const BindEnum& field) { return shown(int64_t{field.get(options)}); },
               [&](const BindSpecial& field) { return field.get(options); },
               [](const Accepted& accepted) { return std::string(accepted.initial); }},
      directive.binding);
}

std::vector<std::string> value_lines(const Directive& directive, const std::string& text,
                                     Options& options) {
  const auto line = [&](std::string_view value) {
    return fmt::format("{} {}", directive.name, value);
  };
  const auto* special = std::get_if<BindSpecial>(&directive.binding);
  if (special != nullptr && special->lines != nullptr) {
    std::vector<std::string> lines;
    for (const std::string& value : special->lines(options)) lines.push_back(line(value));
    return lines;
  }
  if (std::holds_alternative<MemoryKind>(directive.kind)) {
    return {line(format_memory(parse_memory(text).value_or(0)))};
  }
  const bool quoted = std::holds_alternative<TextKind>(directive.kind) || text.empty();
  return {line(quoted ? quote_word(text) : text)};
}

std::vector<std::string> value_words(const Directive& directive, const std::string& text) {
  std::vector<std::string> words;
  if (directive.has(kMultiWord) && text.empty()) return words;
  size_t at = 0;
  for (size_t blank; directive.has(kMultiWord) && (blank = text.find(' ', at)) != text.npos;) {
    words.push_back(text.substr(at, blank - at));
    at = blank + 1;
  }
  words.push_back(text.substr(at));
  return words;
}

}  // namespace tandem
