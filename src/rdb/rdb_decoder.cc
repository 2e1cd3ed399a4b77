#include "rdb/rdb_decoder.h"

#include <bit>
#include <limits>
#include <utility>

#include <liblzf/lzf.h>

#include "base/number.h"
#include "rdb/rdb_bits.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_measure.h"

namespace tandem {

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
  constexpr uint64_t kLzfBytesMax = std::numeric_limits<uint32_t>::max();
  if (plain_bytes > string_bytes_max_ || plain_bytes > kLzfBytesMax ||
      packed_bytes > kLzfBytesMax) {
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
