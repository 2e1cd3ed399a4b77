// The words of a configuration line, and of CONFIG SET's multi-word values: separated by blanks;
// "..." understands
// \n \r \t \b \a, \xHH and backslash before anything else; '...' understands only \'. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

// Nothing when a quote is not closed, or when a closing quote is followed by anything but a blank.
std::optional<std::vector<std::string>> split_words(std::string_view line);

// The word in double quotes, so that split_words gives it back.
std::string quote_word(std::string_view word);

}  // namespace tandem
