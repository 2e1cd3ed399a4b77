// The words and numbers of a configuration. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

// The words of a configuration line, and of CONFIG SET's multi-word values: separated by blanks;
// "..." understands
// \n \r \t \b \a, \xHH and backslash before anything else; '...' understands only \'. Pure.

// Nothing when a quote is not closed, or when a closing quote is followed by anything but a blank.
std::optional<std::vector<std::string>> split_words(std::string_view line);

// The word in double quotes, so that split_words gives it back.
std::string quote_word(std::string_view word);

// The numbers of a configuration: integers, octal numbers and memory sizes. Pure.

// A whole decimal number with an optional minus; nothing else, and nothing that overflows.
std::optional<int64_t> parse_integer(std::string_view text);

// A whole octal number, as file permissions are written.
std::optional<int64_t> parse_octal(std::string_view text);

// Bytes: digits and a unit in any case: none or b, k 1000, kb 1024, m, mb, g, gb alike. Negative
// sizes are refused; what does not fit counts as the largest number, which only few directives
// take.
std::optional<uint64_t> parse_memory(std::string_view text);

// The largest of the units kb, mb and gb that divides the size.
std::string format_memory(uint64_t bytes);

}  // namespace tandem
