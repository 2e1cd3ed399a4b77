#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace tandem {

// What error_text() shows of a part of it.
template <typename Part>
constexpr auto shown_in_error(const Part& part) {
  if constexpr (std::is_convertible_v<const Part&, Bytes>) {
    return up_to_zero(part);
  } else {
    return part;
  }
}

// The text of an error that shows words of a client: of each what stands before its first zero
// byte, as Redis shows them.
template <typename... Parts>
std::string error_text(
    fmt::format_string<decltype(shown_in_error(std::declval<const Parts&>()))...> pattern,
    const Parts&... parts) {
  return fmt::format(pattern, shown_in_error(parts)...);
}

}  // namespace tandem
