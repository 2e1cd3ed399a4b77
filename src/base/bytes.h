// Bytes are looked at through std::string_view and owned by std::string: keys, values and the wire
// are all binary. With them: where encoders write, buffers that are used again, letters of ASCII.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem {

using Bytes = std::string_view;

// Where encoders write. Implementations: a string (below), a file, a checksum, a snapshot chunk.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(Bytes bytes) = 0;
};

class StringSink final : public ByteSink {
 public:
  explicit StringSink(std::string& out) : out_(out) {}
  void write(Bytes bytes) override { out_.append(bytes); }

 private:
  std::string& out_;
};

// Buffers that are used again and again keep their room for the next use, but only up to a limit:
// one large use must not cost its memory for ever.

// Empties the buffer. If it has room for more than `kept_max` items (of a string: bytes), all of it
// is given back.
template <class Buffer>
void clear_and_keep(Buffer& buffer, size_t kept_max) {
  if (buffer.capacity() <= kept_max) [[likely]]
    return buffer.clear();
  Buffer().swap(buffer);
}

// Characters in ASCII only, as commands, options and names of the protocol compare; no locale has a
// say.

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

// The six characters that C's isspace knows.
constexpr bool ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr bool ascii_digit(char c) { return c >= '0' && c <= '9'; }

// The value of a hexadecimal digit, -1 for any other character.
constexpr int ascii_hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Two lower-case hexadecimal digits for each byte.
inline std::string hex_text(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

constexpr bool equal_ignore_case(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const int other = a[i] ^ b[i];
    if (other == 0) continue;
    // A letter and its capital differ in this bit, and so do some that are no letters.
    const int letter = a[i] | 0x20;
    if (other != 0x20 || letter < 'a' || letter > 'z') return false;
  }
  return true;
}

inline std::string to_lower(Bytes text) {
  std::string out(text);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

inline std::string to_upper(Bytes text) {
  std::string out(text);
  for (char& c : out) c = ascii_upper(c);
  return out;
}

// What C's functions for text see of these bytes: so Redis shows a client's words in errors.
constexpr Bytes up_to_zero(Bytes text) { return text.substr(0, text.find('\0')); }

// A peer's bytes as a line for people may hold them: without control characters, and cut.
inline std::string printable(Bytes text, size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

}  // namespace tandem
