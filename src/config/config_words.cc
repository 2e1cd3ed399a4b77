#include "config/config_words.h"

#include <cctype>

#include <fmt/format.h>

namespace tandem {
namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\0'; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'b':
      return '\b';
    case 'a':
      return '\a';
    default:
      return c;
  }
}

// Both readers start behind the opening quote and end behind the closing one; false when there is
// none.
bool read_double_quoted(std::string_view line, size_t& at, std::string& word) {
  while (at < line.size() && line[at] != '"') {
    if (line[at] != '\\' || at + 1 >= line.size()) {
      word.push_back(line[at++]);
      continue;
    }
    const bool hex = line[at + 1] == 'x' && at + 3 < line.size() && hex_digit(line[at + 2]) >= 0 &&
                     hex_digit(line[at + 3]) >= 0;
    word.push_back(hex ? static_cast<char>(hex_digit(line[at + 2]) * 16 + hex_digit(line[at + 3]))
                       : escaped(line[at + 1]));
    at += hex ? 4 : 2;
  }
  return at++ < line.size();
}

bool read_single_quoted(std::string_view line, size_t& at, std::string& word) {
  while (at < line.size() && line[at] != '\'') {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\'') ++at;
    word.push_back(line[at++]);
  }
  return at++ < line.size();
}

}  // namespace

std::optional<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return words;
    std::string word;
    while (at < line.size() && !is_blank(line[at])) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        word.push_back(c);
        continue;
      }
      const bool closed =
          c == '"' ? read_double_quoted(line, at, word) : read_single_quoted(line, at, word);
      if (!closed || (at < line.size() && !is_blank(line[at]))) return std::nullopt;
      break;
    }
    words.push_back(std::move(word));
  }
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

}  // namespace tandem
