// Errors of system calls as Results.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "base/result.h"

namespace tandem {

// The operating system's words: "Connection refused".
inline std::string system_text(int code) { return std::generic_category().message(code); }

// `what` says which call or file: "bind: Address already in use".
[[nodiscard]] inline std::unexpected<Error> fail_system(std::string_view what, int code = errno) {
  return fail(ErrorCode::kIo, std::string(what) + ": " + system_text(code));
}

}  // namespace tandem
