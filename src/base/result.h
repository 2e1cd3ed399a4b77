// Result<T>: the outcome of what may fail for a reason outside the program (a peer's bytes, a full
// disk, a refused connection). Mistakes of the program itself are checks (base/check.h), never
// Results.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace tandem {

// What a caller can decide on; the text is for people.
enum class ErrorCode {
  kInvalid,    // bytes or arguments that break a format's rules
  kEnd,        // the peer or the file ended
  kIo,         // the operating system refused
  kCancelled,  // the owner asked the task to stop
  kTimeout,    // the deadline passed
  kLimit,      // a named limit was reached
  kRefused,    // a peer answered with an error
  kUnsupported,
};

struct Error {
  ErrorCode code;
  std::string text;
};

template <class T>
using Result = std::expected<T, Error>;

// `return fail(ErrorCode::kInvalid, "...")` from any function that returns a Result.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string text) {
  return std::unexpected(Error{code, std::move(text)});
}

// Errors of system calls as Results.

// The operating system's words: "Connection refused".
inline std::string system_text(int code) { return std::generic_category().message(code); }

// `what` says which call or file: "bind: Address already in use".
[[nodiscard]] inline std::unexpected<Error> fail_system(std::string_view what, int code = errno) {
  return fail(ErrorCode::kIo, std::string(what) + ": " + system_text(code));
}

}  // namespace tandem
