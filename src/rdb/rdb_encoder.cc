// Compression is tried only where it may pay. LZF saves nothing without a sequence of three bytes
// that comes again, and finding one is far cheaper than a run of the compressor, whose table is 256
// KB: a look at the first kilobytes with a table of 2 KB tells random bytes and short names from
// text.
#include "rdb/rdb_encoder.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include <liblzf/lzf.h>

#include "base/number.h"
#include "rdb/rdb_bits.h"
#include "rdb/rdb_format.h"

namespace tandem {
namespace {

constexpr size_t kProbeBytes = 4096;
constexpr size_t kLzfBytesMax = size_t{1} << 30;
// "-2147483648": no longer text fits 32 bits.
constexpr size_t kShortIntegerTextMax = 11;
// A compressed string has two lengths more than a plain one: less than this saved is not worth it.
constexpr size_t kLzfSavedMin = 4;

}  // namespace

bool lzf_may_pay(Bytes bytes) {
  constexpr int kTableBits = 10;
  std::array<uint16_t, size_t{1} << kTableBits>
      last_seen{};  // offset + 1 of three bytes with this hash
  const size_t end = std::min(bytes.size(), kProbeBytes);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  for (size_t at = 0; at + 3 <= end; ++at) {
    const uint32_t three = uint32_t{data[at]} << 16 | uint32_t{data[at + 1]} << 8 | data[at + 2];
    uint16_t& seen = last_seen[three * 0x9e3779b1U >> (32 - kTableBits)];
    if (seen != 0 && std::memcmp(data + seen - 1, data + at, 3) == 0) return true;
    seen = static_cast<uint16_t>(at + 1);
  }
  return false;
}

char* RdbEncoder::room(size_t bytes) {
  if (staged_.size() - used_ < bytes) flush();
  char* room = staged_.data() + used_;
  used_ += bytes;
  return room;
}

void RdbEncoder::flush() {
  if (used_ > 0) sink_.write(Bytes(staged_.data(), used_));
  used_ = 0;
}

void RdbEncoder::byte(uint8_t value) { *room(1) = static_cast<char>(value); }

void RdbEncoder::raw(Bytes bytes) {
  if (bytes.size() > staged_.size() / 2) {
    flush();
    sink_.write(bytes);
  } else if (!bytes.empty()) {
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  }
}

void RdbEncoder::length(uint64_t value) {
  if (value < 64) {
    byte(static_cast<uint8_t>(kRdbLength6 | value));
  } else if (value < 16384) {
    store_big_endian(room(2), static_cast<uint16_t>(kRdbLength14 << 8 | value));
  } else if (value <= std::numeric_limits<uint32_t>::max()) {
    byte(kRdbLength32);
    store_big_endian(room(4), static_cast<uint32_t>(value));
  } else {
    byte(kRdbLength64);
    store_big_endian(room(8), value);
  }
}

bool RdbEncoder::short_integer(int64_t number) {
  if (number == static_cast<int8_t>(number)) {
    byte(kRdbEncodedInt8);
    byte(static_cast<uint8_t>(number));
  } else if (number == static_cast<int16_t>(number)) {
    byte(kRdbEncodedInt16);
    store_little_endian(room(2), static_cast<uint16_t>(number));
  } else if (number == static_cast<int32_t>(number)) {
    byte(kRdbEncodedInt32);
    store_little_endian(room(4), static_cast<uint32_t>(number));
  } else {
    return false;
  }
  return true;
}

void RdbEncoder::string(Bytes text) {
  if (text.size() <= kShortIntegerTextMax) {
    const auto number = parse_int64(text);
    if (number && short_integer(*number)) return;
  }
  blob(text);
}

void RdbEncoder::integer_string(int64_t number) {
  if (short_integer(number)) return;
  char text[kInt64TextMax];
  const size_t bytes = write_int64(text, number);
  length(bytes);
  raw(Bytes(text, bytes));
}

void RdbEncoder::blob(Bytes bytes) {
  if (compress_ && bytes.size() >= kRdbLzfStringBytesMin && compressed(bytes)) return;
  length(bytes.size());
  raw(bytes);
}

bool RdbEncoder::compressed(Bytes bytes) {
  if (bytes.size() > kLzfBytesMax || !lzf_may_pay(bytes)) return false;
  const size_t packed_max = bytes.size() - kLzfSavedMin;
  std::array<char, 1024> small;
  std::string large;
  char* packed = small.data();
  if (packed_max > small.size()) {
    large.resize(packed_max);
    packed = large.data();
  }
  const size_t packed_bytes = lzf_compress(bytes.data(), static_cast<unsigned>(bytes.size()),
                                           packed, static_cast<unsigned>(packed_max));
  if (packed_bytes == 0) return false;
  byte(kRdbEncodedLzf);
  length(packed_bytes);
  length(bytes.size());
  raw(Bytes(packed, packed_bytes));
  return true;
}

void RdbEncoder::number16(uint16_t value) { store_little_endian(room(2), value); }
void RdbEncoder::number64(uint64_t value) { store_little_endian(room(8), value); }
void RdbEncoder::number64_big_endian(uint64_t value) { store_big_endian(room(8), value); }
void RdbEncoder::ieee_double(double value) { number64(std::bit_cast<uint64_t>(value)); }

}  // namespace tandem
