// What the server says it is: its own version, and the version of Redis whose behaviour it has, by
// which clients and peers choose what they may ask for.
#pragma once

#include <string_view>

namespace tandem {

inline constexpr std::string_view kTandemVersion = "0.1.0";
inline constexpr std::string_view kRedisVersion = "7.2.4";

}  // namespace tandem
