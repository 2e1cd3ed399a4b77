// RdbEncoder: the primitives of RDB (rdb_format.h), gathered in a small buffer so that the sink
// sees few calls. Flush before the encoder goes; what is not flushed is lost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace tandem {

class RdbEncoder {
 public:
  // `compress`: strings above 20 bytes are tried with LZF.
  RdbEncoder(ByteSink& sink, bool compress) : sink_(sink), compress_(compress) {}
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

 private:
  char* room(size_t bytes);
  bool short_integer(int64_t number);
  bool compressed(Bytes bytes);

  ByteSink& sink_;
  const bool compress_;
  std::array<char, 512> staged_;
  size_t used_ = 0;
};

// Whether LZF can save anything: false when no three bytes in a row come twice near the beginning.
bool lzf_may_pay(Bytes bytes);

}  // namespace tandem
