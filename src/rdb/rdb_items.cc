// Compression is tried only where it may pay. LZF saves nothing without a sequence of three bytes
// that comes again, and finding one is far cheaper than a run of the compressor, whose table is 256
// KB: a look at the first kilobytes with a table of 2 KB tells random bytes and short names from
// text.
#include "rdb/rdb_items.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <liblzf/lzf.h>

#include "base/number.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_measure.h"

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

bool RdbDecoder::fail(std::string problem) {
  if (ok()) problem_ = std::move(problem);
  return false;
}

Bytes RdbDecoder::raw(size_t bytes) {
  if (!ok()) return {};
  if (left() < bytes) {
    fail("fewer bytes than claimed");
    return {};
  }
  const Bytes found = bytes_.substr(at_, bytes);
  at_ += bytes;
  return found;
}

uint8_t RdbDecoder::byte() {
  const Bytes found = raw(1);
  return found.empty() ? 0 : static_cast<uint8_t>(found[0]);
}

uint16_t RdbDecoder::number16() {
  const Bytes found = raw(2);
  return found.empty() ? 0 : load_little_endian<uint16_t>(found.data());
}

uint32_t RdbDecoder::number32() {
  const Bytes found = raw(4);
  return found.empty() ? 0 : load_little_endian<uint32_t>(found.data());
}

uint64_t RdbDecoder::number64() {
  const Bytes found = raw(8);
  return found.empty() ? 0 : load_little_endian<uint64_t>(found.data());
}

uint64_t RdbDecoder::number64_big_endian() {
  const Bytes found = raw(8);
  return found.empty() ? 0 : load_big_endian<uint64_t>(found.data());
}

double RdbDecoder::ieee_double() { return std::bit_cast<double>(number64()); }

double RdbDecoder::old_double() {
  const uint8_t text_bytes = byte();
  switch (text_bytes) {
    case kRdbDoubleNan:
      return std::numeric_limits<double>::quiet_NaN();
    case kRdbDoublePositiveInfinity:
      return std::numeric_limits<double>::infinity();
    case kRdbDoubleNegativeInfinity:
      return -std::numeric_limits<double>::infinity();
    default:
      break;
  }
  const Bytes text = raw(text_bytes);
  if (!ok()) return 0;
  const auto number = parse_double(text);
  if (!number) fail("a score that is not a number");
  return number.value_or(0);
}

uint64_t RdbDecoder::length() {
  if (!ok()) return 0;
  const RdbLength length = rdb_parse_length(bytes_.substr(at_));
  if (length.outcome != RdbLength::Outcome::kLength) {
    fail("not a length");
    return 0;
  }
  at_ += length.bytes;
  return length.value;
}

Bytes RdbDecoder::string(std::string& scratch) {
  if (!ok()) return {};
  const RdbLength length = rdb_parse_length(bytes_.substr(at_));
  if (length.outcome == RdbLength::Outcome::kLength) {
    at_ += length.bytes;
    if (length.value > string_bytes_max_) {
      fail("a string longer than the limit");
      return {};
    }
    return raw(length.value);
  }
  if (length.outcome != RdbLength::Outcome::kEncoded) {
    fail("a string of unknown encoding");
    return {};
  }
  at_ += 1;
  int64_t number = 0;
  switch (length.value) {
    case kRdbEncodedInt8:
      number = static_cast<int8_t>(byte());
      break;
    case kRdbEncodedInt16:
      number = static_cast<int16_t>(number16());
      break;
    case kRdbEncodedInt32:
      number = static_cast<int32_t>(number32());
      break;
    default:
      return lzf_string(scratch);
  }
  if (!ok()) return {};
  scratch = int64_text(number);
  return scratch;
}

Bytes RdbDecoder::lzf_string(std::string& scratch) {
  const uint64_t packed_bytes = length();
  const uint64_t plain_bytes = length();
  if (!ok()) return {};
  constexpr uint64_t kLzfTakesMax = std::numeric_limits<uint32_t>::max();
  if (plain_bytes > string_bytes_max_ || plain_bytes > kLzfTakesMax ||
      packed_bytes > kLzfTakesMax) {
    fail("a string longer than the limit");
    return {};
  }
  if (plain_bytes == 0 || plain_bytes > packed_bytes * kRdbLzfRatioMax) {
    fail("a compressed string that claims what its bytes cannot hold");
    return {};
  }
  const Bytes packed = raw(packed_bytes);
  if (!ok()) return {};
  scratch.resize(plain_bytes);
  const unsigned unpacked = lzf_decompress(packed.data(), static_cast<unsigned>(packed.size()),
                                           scratch.data(), static_cast<unsigned>(plain_bytes));
  if (unpacked != plain_bytes) {
    fail("a compressed string that does not unpack to its length");
    return {};
  }
  return scratch;
}

}  // namespace tandem
