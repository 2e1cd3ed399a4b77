// A line taken apart into arguments, as inline requests, redis-cli and the configuration file write
// them: words,
// "..." with \n \r \t \b \a \xHH and \ before any other character, '...' with only \' escaped.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace tandem {

// Replaces `arguments` with views into `storage`, whose old content goes. False: a quote is not
// closed, or something other than a space follows a closing quote; nothing is in `arguments` then.
// A zero byte ends the line.
bool split_arguments(Bytes line, std::string& storage, std::vector<Bytes>& arguments);

}  // namespace tandem
