// The primitives of RDB (rdb_format.h), both ways.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace tandem {

class RdbEncoder;

// Asked about each string that is long enough for LZF, before it goes out (rdb/rdb_packing.h).
class RdbPacker {
 public:
  // True: it has written the string, in a form of its own. False: it goes out plain, next.
  virtual bool pack(RdbEncoder& encoder, Bytes text) = 0;

 protected:
  ~RdbPacker() = default;
};

// RdbEncoder: the primitives of RDB (rdb_format.h), gathered in a small buffer so that the sink
// sees few calls. Flush before the encoder goes; what is not flushed is lost.
class RdbEncoder {
 public:
  // `packer` may be null: all strings go out plain.
  explicit RdbEncoder(ByteSink& sink, RdbPacker* packer = nullptr) : sink_(sink), packer_(packer) {}
  RdbEncoder(const RdbEncoder&) = delete;
  RdbEncoder& operator=(const RdbEncoder&) = delete;

  void byte(uint8_t value);
  void raw(Bytes bytes);
  void length(uint64_t value);
  // Text that is a number of up to 32 bits, exactly as a number prints, goes out as the number.
  void string(Bytes text);
  void integer_string(int64_t number);
  // A string that is known to be no number, such as a compact encoding's bytes.
  void blob(Bytes bytes);
  void number16(uint16_t value);
  void number64(uint64_t value);
  void number64_big_endian(uint64_t value);
  void ieee_double(double value);
  void flush();
  // Bytes that were encoded, flushed or not.
  uint64_t written() const { return flushed_ + used_; }

 private:
  char* room(size_t bytes);
  bool short_integer(int64_t number);

  ByteSink& sink_;
  RdbPacker* const packer_;
  std::array<char, 512> staged_;
  size_t used_ = 0;
  uint64_t flushed_ = 0;
};

// How many bytes length() takes for it.
constexpr size_t rdb_length_bytes(uint64_t value) {
  if (value < 64) return 1;
  if (value < 16384) return 2;
  return value <= UINT32_MAX ? 5 : 9;
}

// RdbDecoder: reads the primitives of RDB (rdb_format.h) out of bytes that hold a whole item. It
// never reads past them and never fails half way: the first thing wrong is remembered, and from
// then on every call returns zero or nothing. So callers decode in a straight line, ask ok() in
// loops and before they use what they have read, and stop.
class RdbDecoder {
 public:
  RdbDecoder(Bytes bytes, uint64_t string_bytes_max)
      : bytes_(bytes), string_bytes_max_(string_bytes_max) {}

  bool ok() const { return problem_.empty(); }
  const std::string& problem() const { return problem_; }
  // Where reading stands; after a failure, where it was seen.
  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }
  bool at_end() const { return left() == 0; }
  // Always returns false, so that `return decoder.fail(...)` reads well. Only the first failure
  // counts.
  bool fail(std::string problem);

  uint8_t byte();
  Bytes raw(size_t bytes);
  uint64_t length();
  // Into `scratch` where the text is not in the stream as it is (numbers, LZF), else a view of the
  // bytes. The view lives as long as both.
  Bytes string(std::string& scratch);
  uint16_t number16();
  uint32_t number32();
  uint64_t number64();
  uint64_t number64_big_endian();
  double ieee_double();
  double old_double();

 private:
  Bytes lzf_string(std::string& scratch);

  Bytes bytes_;
  uint64_t string_bytes_max_;
  size_t at_ = 0;
  std::string problem_;
};

// For messages: in quotes, at most 64 bytes of it, what does not print as \xNN.
std::string rdb_quoted(Bytes bytes);

}  // namespace tandem
