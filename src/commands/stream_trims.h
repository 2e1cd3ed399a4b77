// The trimming words of XADD and XTRIM: MAXLEN or MINID, = or ~, the threshold, LIMIT.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "commands/arguments.h"
#include "data/stream.h"

namespace tandem {

struct TrimWords {
  std::optional<StreamTrim> trim;
  std::optional<int64_t> limit;
};

enum class Took : uint8_t { kNothing, kWords, kFailed };  // kFailed: has answered
// Takes what is next of the words, if it is one of them.
Took take_trim_words(Context& ctx, OptionWords& options, TrimWords& words);
// Checks them together and settles the limit; has answered if false.
bool finish_trim_words(Context& ctx, TrimWords& words);

// What a replica trims to after this: never an approximation, which depends on how the nodes happen
// to lie.
std::vector<std::string> exact_trim(const Stream& stream, const StreamTrim& trim);

}  // namespace tandem
