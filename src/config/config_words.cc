#include "config/config_words.h"

#include <fmt/format.h>

#include "resp/split_arguments.h"

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

}  // namespace tandem
