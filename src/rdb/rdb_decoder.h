// RdbDecoder: reads the primitives of RDB (rdb_format.h) out of bytes that hold a whole item. It
// never reads past them and never fails half way: the first thing wrong is remembered, and from
// then on every call returns zero or nothing. So callers decode in a straight line, ask ok() in
// loops and before they use what they have read, and stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace tandem {

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

}  // namespace tandem
