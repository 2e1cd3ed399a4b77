#include "config/title_template.h"

namespace tandem {

std::optional<std::string> fill_title(
    std::string_view text, FunctionRef<std::optional<std::string>(std::string_view name)> value) {
  std::string filled;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '{' || text.substr(at).starts_with("{{")) {
      filled.push_back(text[at]);
      at += text[at] == '{' ? 2 : 1;
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == text.npos) return std::nullopt;
    const auto known = value(text.substr(at + 1, end - at - 1));
    if (!known) return std::nullopt;
    filled += *known;
    at = end + 1;
  }
  const size_t begin = filled.find_first_not_of(' ');
  if (begin == filled.npos) return "";
  return filled.substr(begin, filled.find_last_not_of(' ') + 1 - begin);
}

std::string show_title(std::string_view text, const TitleFacts& facts) {
  const auto value = [&facts](std::string_view name) -> std::optional<std::string> {
    if (name == "title") return facts.title;
    if (name == "listen-addr") return facts.listen_address;
    if (name == "port") return std::to_string(facts.port);
    if (name == "tls-port") return "0";
    if (name == "unixsocket") return facts.unix_socket;
    if (name == "server-mode") return "";  // " [cluster]" or " [sentinel]"; this is neither
    if (name == "config-file") return facts.config_file;
    return std::nullopt;
  };
  return fill_title(text, value).value_or("");
}

Result<void> check_title_template(std::string_view text) {
  // What may be empty does not count.
  const auto value = [](std::string_view name) -> std::optional<std::string> {
    if (name == "title" || name == "unixsocket" || name == "server-mode") return "";
    if (name == "listen-addr" || name == "port" || name == "tls-port" || name == "config-file") {
      return "x";
    }
    return std::nullopt;
  };
  const auto filled = fill_title(text, value);
  if (filled && !filled->empty()) return {};
  return fail(ErrorCode::kInvalid, "template format is invalid or contains unknown variables");
}

}  // namespace tandem
