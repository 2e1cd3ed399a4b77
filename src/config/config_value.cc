#include "config/config_value.h"

#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "resp/request.h"

namespace tandem {

std::optional<std::vector<std::string>> split_words(std::string_view line) {
  std::string storage;
  std::vector<Bytes> words;
  if (!split_arguments(line, storage, words)) return std::nullopt;
  return std::vector<std::string>(words.begin(), words.end());
}

std::string quote_word(std::string_view word) {
  std::string out = "\"";
  for (const char c : word) {
    switch (c) {
      case '\\':
      case '"':
        out.push_back('\\');
        out.push_back(c);
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          out.push_back(c);
        } else {
          out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  return out + '"';
}

namespace {

template <class Number>
std::optional<Number> parse_whole(std::string_view text, int radix) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, radix);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

std::optional<uint64_t> unit_bytes(std::string_view unit) {
  constexpr struct {
    std::string_view name;
    uint64_t bytes;
  } kUnits[] = {{"", 1},           {"b", 1},
                {"k", 1000},       {"kb", 1024},
                {"m", 1000000},    {"mb", 1024 * 1024},
                {"g", 1000000000}, {"gb", 1024 * 1024 * 1024}};
  for (const auto& known : kUnits) {
    if (equal_ignore_case(unit, known.name)) return known.bytes;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) {
  return parse_whole<int64_t>(text, 10);
}

std::optional<int64_t> parse_octal(std::string_view text) {
  if (text.empty()) return 0;  // as in Redis
  return parse_whole<int64_t>(text, 8);
}

std::optional<uint64_t> parse_memory(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && ascii_digit(text[digits])) ++digits;
  const auto unit = unit_bytes(text.substr(digits));
  if (!unit) return std::nullopt;
  if (digits == 0) return 0;  // as in Redis, also with a unit
  constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
  const auto number = parse_whole<uint64_t>(text.substr(0, digits), 10).value_or(kMost);
  return number > kMost / *unit ? kMost : number * *unit;
}

std::string format_memory(uint64_t bytes) {
  constexpr uint64_t kKilo = 1024, kMega = kKilo * 1024, kGiga = kMega * 1024;
  if (bytes != 0 && bytes % kGiga == 0) return fmt::format("{}gb", bytes / kGiga);
  if (bytes != 0 && bytes % kMega == 0) return fmt::format("{}mb", bytes / kMega);
  if (bytes != 0 && bytes % kKilo == 0) return fmt::format("{}kb", bytes / kKilo);
  return fmt::format("{}", bytes);
}

}  // namespace tandem
