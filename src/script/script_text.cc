#include "script/script_text.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "resp/request.h"

namespace tandem {
namespace {

std::unexpected<Error> wrong(std::string text) {
  return fail(ErrorCode::kInvalid, std::move(text));
}

// Without its end. A zero byte hides what is behind it, as in Redis. Nothing: the line does not
// end.
std::optional<Bytes> first_line(Bytes text) {
  const size_t end = text.find_first_of(Bytes("\n\0", 2));
  if (end == Bytes::npos || text[end] != '\n') return std::nullopt;
  return text.substr(0, end);
}

Result<uint32_t> read_flags(Bytes list) {
  uint32_t flags = 0;
  // After a comma one more is expected.
  for (bool more = !list.empty(); more;) {
    const Bytes name = list.substr(0, list.find(','));
    more = name.size() < list.size();
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    const auto known = std::ranges::find(kScriptFlagNames, name, &ScriptFlagName::name);
    if (known == std::end(kScriptFlagNames)) {
      return wrong("ERR Unexpected flag in script shebang: " + std::string(name));
    }
    flags |= known->flag;
  }
  return flags;
}

}  // namespace

Result<ScriptText> read_script_text(Bytes script) {
  ScriptText text{.code = script};
  if (!script.starts_with("#!")) return text;
  const std::optional<Bytes> line = first_line(script);
  if (!line) return wrong("ERR Invalid script shebang");
  std::string storage;
  std::vector<Bytes> words;
  if (!split_arguments(*line, storage, words) || words.empty()) {
    return wrong("ERR Invalid engine in script shebang");
  }
  if (words[0] != "#!lua")
    return wrong("ERR Unexpected engine in script shebang: " + std::string(words[0]));
  text.has_flags = true;
  text.code = script.substr(line->size());
  for (size_t i = 1; i < words.size(); ++i) {
    static constexpr Bytes kFlags = "flags=";
    if (!words[i].starts_with(kFlags))
      return wrong("ERR Unknown lua shebang option: " + std::string(words[i]));
    const Result<uint32_t> flags = read_flags(words[i].substr(kFlags.size()));
    if (!flags) return std::unexpected(flags.error());
    text.flags |= *flags;
  }
  return text;
}

Result<LibraryText> read_library_text(Bytes library) {
  static constexpr Bytes kName = "name=";
  if (!library.starts_with("#!")) return wrong("Missing library metadata");
  const std::optional<Bytes> line = first_line(library);
  std::string storage;
  std::vector<Bytes> words;
  if (!line || !split_arguments(*line, storage, words) || words.empty()) {
    return wrong("Invalid library metadata");
  }
  std::optional<Bytes> name;
  for (const Bytes word : std::span(words).subspan(1)) {
    if (!equal_ignore_case(word.substr(0, kName.size()), kName)) {
      return wrong("Invalid metadata value given: " + std::string(word));
    }
    if (name) return wrong("Invalid metadata value, name argument was given multiple times");
    name = word.substr(kName.size());
  }
  if (!name) return wrong("Library name was not given");
  if (!is_library_name(*name)) return wrong(kNoLibraryName);
  const Bytes engine = words[0].substr(2);
  if (!equal_ignore_case(engine, "lua"))
    return wrong("Engine '" + std::string(engine) + "' not found");
  return LibraryText{.name = std::string(*name), .code = library.substr(line->size())};
}

bool is_library_name(Bytes name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace tandem
