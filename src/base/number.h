// Numbers as text, exactly as Redis reads and prints them: integers are strict (no spaces, no plus
// sign, no leading zeros), floating point takes what strtod takes (hexadecimal and "inf" too) but
// neither spaces nor "nan". Nothing here allocates, except where a std::string is returned or a
// text over 256 bytes is read as floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace tandem {

// "0", "-1", "9223372036854775807"; not "", "+1", "01", "-0", " 1", "1 ".
std::optional<int64_t> parse_int64(Bytes text);
// The same without a sign, up to 18446744073709551615.
std::optional<uint64_t> parse_uint64(Bytes text);

// At least one digit stays: for texts in which, as for strtoul, such zeros mean nothing.
Bytes without_leading_zeros(Bytes digits);

inline constexpr size_t kInt64TextMax = 20;
// Writes the decimal text to `out` (room for kInt64TextMax) and returns its length.
size_t write_int64(char* out, int64_t value);
size_t write_uint64(char* out, uint64_t value);
std::string int64_text(int64_t value);

// Refused: the empty text, spaces anywhere, nan, and what overflows or vanishes in a double.
std::optional<double> parse_double(Bytes text);
// The same rules for the 80-bit type of INCRBYFLOAT, HINCRBYFLOAT and timeouts; 5 KB at most, as in
// Redis.
std::optional<long double> parse_long_double(Bytes text);

// An end of a range of scores, by looser rules: what strtod makes of a text that ends at its first
// zero. So nothing is 0, spaces may lead, and what overflows is infinite. Refused: nan, and what is
// left over.
std::optional<double> parse_bound(Bytes text);
// What SORT orders by: the same, but what overflows or vanishes is refused, too.
std::optional<double> parse_weight(Bytes text);

inline constexpr size_t kDoubleTextMax = 32;
// The shortest text that reads back as the same double: "3", "0.1", "1e+22", "1.5e-9", "inf",
// "-inf", "nan", "-0". Redis 7.2 prints scores and RESP3 doubles so. Writes to `out` (room for
// kDoubleTextMax), returns the length.
size_t write_double(char* out, double value);
std::string double_text(double value);
// Fixed notation with 17 decimals, trailing zeros cut: how INCRBYFLOAT and HINCRBYFLOAT store their
// results.
std::string long_double_text(long double value);

}  // namespace tandem
