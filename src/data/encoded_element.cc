#include "data/encoded_element.h"

#include <cstring>

namespace tandem {

using namespace listpack_format;  // NOLINT(google-build-using-namespace): the grammar of this file

namespace {

int64_t sign_extend(uint64_t value, int bits) {
  const int shift = 64 - bits;
  return static_cast<int64_t>(value << shift) >> shift;
}

int64_t read_integer(const uint8_t* entry) {
  const uint8_t first = entry[0];
  if (first < 0x80) return first;
  if (first < kText12) return sign_extend((first & 0x1Fu) << 8 | entry[1], 13);
  switch (first) {
    case kInt16:
      return sign_extend(load_little_endian(entry + 1, 2), 16);
    case kInt24:
      return sign_extend(load_little_endian(entry + 1, 3), 24);
    case kInt32:
      return sign_extend(load_little_endian(entry + 1, 4), 32);
    default:
      return static_cast<int64_t>(load_little_endian(entry + 1, 8));
  }
}

bool holds_text(uint8_t first) {
  return (first >= kText6 && first < kInt13) || (first >= kText12 && first <= kText32);
}

Bytes read_text(const uint8_t* entry) {
  const ElementShape shape = shape_of(entry, 5);
  return Bytes(reinterpret_cast<const char*>(entry) + shape.head_bytes, shape.data_bytes);
}

}  // namespace

Element read_element(const uint8_t* element) {
  return holds_text(*element) ? Element(read_text(element)) : Element(read_integer(element));
}

bool element_matches(const uint8_t* element, Bytes value) {
  return element_matches(element, value, holds_text(*element) ? std::nullopt : parse_int64(value));
}

bool element_matches(const uint8_t* element, Bytes value, std::optional<int64_t> integer) {
  if (holds_text(*element)) return read_text(element) == value;
  return integer && *integer == read_integer(element);
}

uint8_t* write_backlen(uint8_t* to, uint64_t length) {
  const uint32_t bytes = backlen_bytes(length);
  for (uint32_t i = 0; i < bytes; ++i) {
    const auto seven = static_cast<uint8_t>(length >> (7 * (bytes - 1 - i)) & 0x7F);
    to[i] = i == 0 ? seven : seven | 0x80;
  }
  return to + bytes;
}

uint64_t read_backlen(const uint8_t* end) {
  uint64_t length = 0;
  for (int i = 0; i < 5; ++i) {
    const uint8_t byte = *--end;
    length |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) break;
  }
  return length;
}

EncodedElement EncodedElement::of(Bytes value) {
  const std::optional<int64_t> integer = parse_int64(value);
  return integer ? of_integer(*integer) : of_text(value);
}

uint8_t* EncodedElement::write(uint8_t* to) const {
  std::memcpy(to, head, head_bytes);
  if (!text.empty()) std::memcpy(to + head_bytes, text.data(), text.size());
  return to + length();
}

EncodedElement EncodedElement::of_integer(int64_t value) {
  EncodedElement entry;
  const auto bits = static_cast<uint64_t>(value);
  const auto wide = [&](uint8_t encoding, int bytes) {
    entry.head[0] = encoding;
    store_little_endian(entry.head + 1, bits, bytes);
    entry.head_bytes = 1 + static_cast<uint32_t>(bytes);
  };
  if (value >= 0 && value <= 127) {
    entry.head[0] = static_cast<uint8_t>(value);
    entry.head_bytes = 1;
  } else if (value >= -4096 && value <= 4095) {
    entry.head[0] = static_cast<uint8_t>(kInt13 | (bits >> 8 & 0x1F));
    entry.head[1] = static_cast<uint8_t>(bits);
    entry.head_bytes = 2;
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    wide(kInt16, 2);
  } else if (value >= -(1 << 23) && value < (1 << 23)) {
    wide(kInt24, 3);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    wide(kInt32, 4);
  } else {
    wide(kInt64, 8);
  }
  return entry;
}

EncodedElement EncodedElement::of_text(Bytes text) {
  EncodedElement entry;
  entry.text = text;
  const size_t size = text.size();
  if (size < 64) {
    entry.head[0] = static_cast<uint8_t>(kText6 | size);
    entry.head_bytes = 1;
  } else if (size < 4096) {
    entry.head[0] = static_cast<uint8_t>(kText12 | size >> 8);
    entry.head[1] = static_cast<uint8_t>(size);
    entry.head_bytes = 2;
  } else {
    entry.head[0] = kText32;
    store_little_endian(entry.head + 1, size, 4);
    entry.head_bytes = 5;
  }
  return entry;
}

}  // namespace tandem
