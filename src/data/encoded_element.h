// One element as a listpack holds it (data/listpack_format.h): its encoding and its data. What
// listpacks put behind it, the backlen, is read and written here, too. Nodes of streams keep their
// elements in the same way (data/stream_node.h).
//
// Reading trusts the bytes, but for shape_of().
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "data/element.h"
#include "data/listpack_format.h"

namespace tandem {

// An element about to be written: its encoding, with the integer's bytes, and the text behind it,
// which it views. A text that is a canonical integer becomes one.
struct EncodedElement {
  uint8_t head[9];
  uint32_t head_bytes = 0;
  Bytes text;

  static EncodedElement of_integer(int64_t value);
  static EncodedElement of_text(Bytes text);
  static EncodedElement of(Bytes value);

  uint64_t length() const { return head_bytes + text.size(); }
  // With its backlen.
  uint64_t listpack_bytes() const { return length() + listpack_format::backlen_bytes(length()); }
  // Returns where it ends.
  uint8_t* write(uint8_t* to) const;
};

inline uint64_t load_little_endian(const uint8_t* from, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | from[i];
  return value;
}
inline void store_little_endian(uint8_t* to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

// What the first bytes of an element say: the encoding's own length, and the data's.
struct ElementShape {
  uint32_t head_bytes;  // 0: not an encoding
  uint64_t data_bytes;
};

// Reads no further than `available` bytes, at least one.
inline ElementShape shape_of(const uint8_t* element, uint64_t available) {
  using namespace listpack_format;  // NOLINT(google-build-using-namespace): its grammar
  const uint8_t first = element[0];
  if (first < 0x80) return {1, 0};
  if (first < kInt13) return {1, first & 0x3Fu};
  if (first < kText12) return {2, 0};
  if (first < kText32) {
    if (available < 2) return {0, 0};
    return {2, (first & 0x0Fu) << 8 | element[1]};
  }
  switch (first) {
    case kText32:
      if (available < 5) return {0, 0};
      return {5, load_little_endian(element + 1, 4)};
    case kInt16:
      return {1, 2};
    case kInt24:
      return {1, 3};
    case kInt32:
      return {1, 4};
    case kInt64:
      return {1, 8};
    default:
      return {0, 0};
  }
}

// How far it is to what follows it, without a backlen.
inline uint64_t encoded_length(const uint8_t* element) {
  const ElementShape shape = shape_of(element, 5);
  return shape.head_bytes + shape.data_bytes;
}
Element read_element(const uint8_t* element);
bool element_matches(const uint8_t* element, Bytes value);
// For many elements; `integer`: what `value` is as an integer, if it is one.
bool element_matches(const uint8_t* element, Bytes value, std::optional<int64_t> integer);

// Returns where it ends.
uint8_t* write_backlen(uint8_t* to, uint64_t length);
// The one that ends just before `end`.
uint64_t read_backlen(const uint8_t* end);

}  // namespace tandem
