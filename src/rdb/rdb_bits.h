// Fixed-width numbers in memory, in the byte order that a format states. The caller has checked the
// bounds.
#pragma once

#include <bit>
#include <concepts>
#include <cstring>

namespace tandem {

template <std::unsigned_integral Number>
Number load_little_endian(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  if constexpr (std::endian::native == std::endian::big) number = std::byteswap(number);
  return number;
}

template <std::unsigned_integral Number>
Number load_big_endian(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  if constexpr (std::endian::native == std::endian::little) number = std::byteswap(number);
  return number;
}

template <std::unsigned_integral Number>
void store_little_endian(char* to, Number number) {
  if constexpr (std::endian::native == std::endian::big) number = std::byteswap(number);
  std::memcpy(to, &number, sizeof number);
}

template <std::unsigned_integral Number>
void store_big_endian(char* to, Number number) {
  if constexpr (std::endian::native == std::endian::little) number = std::byteswap(number);
  std::memcpy(to, &number, sizeof number);
}

}  // namespace tandem
