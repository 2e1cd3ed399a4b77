// proc-title-template: text with {variables}, and "{{" for a brace. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"

namespace tandem {

// The title with each variable's value put in, without blanks at its ends. Nothing when a brace is
// not closed, or `value` knows nothing of a variable.
std::optional<std::string> fill_title(
    std::string_view text, FunctionRef<std::optional<std::string>(std::string_view name)> value);

// Only a template of known variables that shows something, whatever its variables are.
Result<void> check_title_template(std::string_view text);

struct TitleFacts {
  std::string title;  // the program, as it was called
  std::string listen_address;
  int64_t port = 0;
  std::string unix_socket;
  std::string config_file;
};
// Of a checked template.
std::string show_title(std::string_view text, const TitleFacts& facts);

}  // namespace tandem
