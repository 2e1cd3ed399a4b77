// Integers by hand; floating point by the C library, whose rules are Redis's, with std::from_chars
// as the quick way for plain decimals.
#include "base/number.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/bytes.h"

namespace tandem {
namespace {

constexpr size_t kStackTextMax = 256;
constexpr size_t kLongDoubleTextMax = 5 * 1024;

constexpr auto kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

size_t count_digits(uint64_t value) {
  size_t digits = 1;
  for (; value >= 10000; value /= 10000) digits += 4;
  if (value >= 1000) return digits + 3;
  if (value >= 100) return digits + 2;
  return value >= 10 ? digits + 1 : digits;
}

// The C library wants a zero behind the text; `convert` is strtod or strtold.
template <class T>
std::optional<T> parse_with(Bytes text, T (*convert)(const char*, char**)) {
  if (text.empty() || ascii_space(text[0])) return std::nullopt;
  char stack_text[kStackTextMax + 1];
  std::string long_text;
  const char* begin = stack_text;
  if (text.size() <= kStackTextMax) {
    std::memcpy(stack_text, text.data(), text.size());
    stack_text[text.size()] = '\0';
  } else {
    long_text = text;
    begin = long_text.c_str();
  }
  char* end = nullptr;
  errno = 0;
  const T value = convert(begin, &end);
  if (end != begin + text.size() || std::isnan(value)) return std::nullopt;
  if (errno == ERANGE && (std::isinf(value) || value == 0)) return std::nullopt;
  return value;
}

// What strtod makes of a text that ends at its first zero. Nothing: nan, or something is left over.
struct Loose {
  double value;
  bool in_range;  // it neither overflowed nor vanished
};

std::optional<Loose> parse_loosely(Bytes text) {
  const std::string ended(text.substr(0, text.find('\0')));
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(ended.c_str(), &end);
  const bool in_range = errno != ERANGE;
  if (*end != '\0' || std::isnan(value)) return std::nullopt;
  return Loose{.value = value, .in_range = in_range};
}

// Lays out a decimal "digits times 10^exponent" as Redis 7.2 does.
size_t write_digits(char* out, Bytes digits, int exponent) {
  const int count = static_cast<int>(digits.size());
  const int leading = exponent + count - 1;  // the power of ten of the first digit
  char* at = out;
  if (exponent >= 0 && leading < count + 7) {
    at = static_cast<char*>(std::memcpy(at, digits.data(), digits.size())) + count;
    std::memset(at, '0', static_cast<size_t>(exponent));
    return static_cast<size_t>(count + exponent);
  }
  if (exponent < 0 && (exponent > -7 || std::abs(leading) < 4)) {
    const int whole = count + exponent;  // digits before the point
    if (whole <= 0) {
      *at++ = '0';
      *at++ = '.';
      std::memset(at, '0', static_cast<size_t>(-whole));
      at += -whole;
      std::memcpy(at, digits.data(), digits.size());
      return static_cast<size_t>(at - out) + digits.size();
    }
    std::memcpy(at, digits.data(), static_cast<size_t>(whole));
    at[whole] = '.';
    std::memcpy(at + whole + 1, digits.data() + whole, digits.size() - static_cast<size_t>(whole));
    return digits.size() + 1;
  }
  *at++ = digits[0];
  if (count > 1) {
    *at++ = '.';
    std::memcpy(at, digits.data() + 1, digits.size() - 1);
    at += count - 1;
  }
  *at++ = 'e';
  *at++ = leading < 0 ? '-' : '+';
  at += write_uint64(at, static_cast<uint64_t>(std::abs(leading)));
  return static_cast<size_t>(at - out);
}

}  // namespace

Bytes without_leading_zeros(Bytes digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

std::optional<uint64_t> parse_uint64(Bytes text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  if (text[0] == '0' && text.size() > 1) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!ascii_digit(c)) return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
    if (value > kMax / 10 || value * 10 > kMax - digit) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::optional<int64_t> parse_int64(Bytes text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::optional<uint64_t> magnitude = parse_uint64(text);
  if (!magnitude || (negative && *magnitude == 0)) return std::nullopt;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (*magnitude > kMax + (negative ? 1 : 0)) return std::nullopt;
  return static_cast<int64_t>(negative ? 0 - *magnitude : *magnitude);
}

size_t write_uint64(char* out, uint64_t value) {
  const size_t length = count_digits(value);
  char* at = out + length;
  while (value >= 100) {
    at -= 2;
    std::memcpy(at, &kDigitPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(out, &kDigitPairs[2 * value], 2);
  } else {
    *out = static_cast<char>('0' + value);
  }
  return length;
}

size_t write_int64(char* out, int64_t value) {
  if (value >= 0) return write_uint64(out, static_cast<uint64_t>(value));
  *out = '-';
  return 1 + write_uint64(out + 1, 0 - static_cast<uint64_t>(value));
}

std::string int64_text(int64_t value) {
  char text[kInt64TextMax];
  return std::string(text, write_int64(text, value));
}

std::optional<double> parse_double(Bytes text) {
  // Only plain decimals whose result is an ordinary number; anything else is the library's to
  // judge.
  if (!text.empty() && (ascii_digit(text[0]) || text[0] == '-')) {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stopped == end && std::isfinite(value)) return value;
  }
  return parse_with<double>(text, std::strtod);
}

std::optional<long double> parse_long_double(Bytes text) {
  if (text.size() >= kLongDoubleTextMax) return std::nullopt;
  return parse_with<long double>(text, std::strtold);
}

std::optional<double> parse_bound(Bytes text) {
  const std::optional<Loose> read = parse_loosely(text);
  return read ? std::optional(read->value) : std::nullopt;
}

std::optional<double> parse_weight(Bytes text) {
  if (const std::optional<int64_t> integer = parse_int64(text)) {
    return static_cast<double>(*integer);
  }
  const std::optional<Loose> read = parse_loosely(text);
  return read && read->in_range ? std::optional(read->value) : std::nullopt;
}

size_t write_double(char* out, double value) {
  if (std::isnan(value)) {
    std::memcpy(out, "nan", 3);
    return 3;
  }
  size_t sign = 0;
  if (std::signbit(value)) {
    *out++ = '-';
    sign = 1;
    value = -value;
  }
  if (std::isinf(value)) {
    std::memcpy(out, "inf", 3);
    return sign + 3;
  }
  // Integers this small print without an exponent and are exact.
  constexpr double kPlainIntegerMax = 4611686018427387904.0;
  if (value <= kPlainIntegerMax && value == std::floor(value)) {
    return sign + write_uint64(out, static_cast<uint64_t>(value));
  }
  // "d.ddde-05" or "de+22" from the library; the digits and the exponent are laid out anew.
  char text[kDoubleTextMax];
  const char* const end =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific).ptr;
  const Bytes shortest(text, static_cast<size_t>(end - text));
  const size_t mark = shortest.find('e');
  char digits[kDoubleTextMax];
  size_t count = 0;
  for (const char c : shortest.substr(0, mark)) {
    if (c != '.') digits[count++] = c;
  }
  int leading = 0;
  const size_t exponent_at = mark + (shortest[mark + 1] == '+' ? 2 : 1);
  std::from_chars(text + exponent_at, end, leading);
  return sign + write_digits(out, Bytes(digits, count), leading - static_cast<int>(count) + 1);
}

std::string double_text(double value) {
  char text[kDoubleTextMax];
  return std::string(text, write_double(text, value));
}

std::string long_double_text(long double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[kLongDoubleTextMax];
  const char* const end =
      std::to_chars(text, text + sizeof(text), value, std::chars_format::fixed, 17).ptr;
  Bytes shown(text, static_cast<size_t>(end - text));
  shown.remove_suffix(shown.size() - 1 - shown.find_last_not_of('0'));
  if (shown.ends_with('.')) shown.remove_suffix(1);
  if (shown == "-0") shown = "0";
  return std::string(shown);
}

}  // namespace tandem
