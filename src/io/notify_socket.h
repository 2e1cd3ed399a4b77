// The socket on which systemd, or whatever starts the server as it does, hears how the server is.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem {

// Sends one message, lines of NAME=VALUE. `address`: a path, or a name behind '@' in the abstract
// namespace, as the environment's NOTIFY_SOCKET gives it. Does not wait.
Result<void> send_notice(const std::string& address, std::string_view text);

}  // namespace tandem
