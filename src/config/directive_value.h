// A directive's value between its words and its place: parsed by the row's kind, put where the
// row's binding says, and shown again. Pure but for the Options it is given.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/directive.h"

namespace tandem {

// Checks the words and gives the text that CONFIG GET shows for them. The error is Redis's reason.
Result<std::string> normalize_value(const Directive& directive, std::span<const std::string> words);

// Sets the option that the row is bound to; the row must not be an Accepted one.
Result<void> set_option(const Directive& directive, std::span<const std::string> words,
                        Options& options);

// What CONFIG GET shows; the row must not be an Accepted one.
std::string show_option(const Directive& directive, Options& options);

// The lines of a file that give the directive the value shown as `text`.
std::vector<std::string> value_lines(const Directive& directive, const std::string& text,
                                     Options& options);

// A value as one text, taken apart as the directive takes it: of several words, an empty text has
// none.
std::vector<std::string> value_words(const Directive& directive, const std::string& text);

}  // namespace tandem
