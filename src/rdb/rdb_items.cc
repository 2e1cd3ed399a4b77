#include "rdb/rdb_items.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <liblzf/lzf.h>

#include "base/number.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_measure.h"

namespace tandem {
namespace {

// "-2147483648": no longer text fits 32 bits.
constexpr size_t kShortIntegerTextMax = 11;

}  // namespace

char* RdbEncoder::room(size_t bytes) {
  if (staged_.size() - used_ < bytes) flush();
  char* room = staged_.data() + used_;
  used_ += bytes;
  return room;
}

void RdbEncoder::flush() {
  if (used_ > 0) sink_.write(Bytes(staged_.data(), used_));
  flushed_ += used_;
  used_ = 0;
}

void RdbEncoder::byte(uint8_t value) { *room(1) = static_cast<char>(value); }

void RdbEncoder::raw(Bytes bytes) {
  if (bytes.size() > staged_.size() / 2) {
    flush();
    sink_.write(bytes);
    flushed_ += bytes.size();
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
  if (packer_ != nullptr && bytes.size() >= kRdbLzfStringBytesMin && packer_->pack(*this, bytes)) {
    return;
  }
  length(bytes.size());
  raw(bytes);
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

std::string rdb_quoted(Bytes bytes) {
  constexpr size_t kShownMax = 64;
  std::string quoted = "\"";
  for (const char byte : bytes.substr(0, kShownMax)) {
    if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
      quoted += byte;
    } else {
      quoted += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
    }
  }
  return quoted + (bytes.size() > kShownMax ? "...\"" : "\"");
}

}  // namespace tandem
