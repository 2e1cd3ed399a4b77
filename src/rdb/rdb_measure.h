// RdbMeasure finds where an item of an RDB stream ends, byte by byte as it arrives, so that the
// reader decodes each item once, when it is whole, however large it is and however small the pieces
// it comes in.
//
// It follows a shape (rdb_format.h) and keeps its place between calls: measuring costs time in
// proportion to the bytes, and no memory. It believes no claimed length: a collection of 2^60
// elements simply never ends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "rdb/rdb_format.h"

namespace tandem {

class RdbMeasure {
 public:
  enum class Outcome {
    kWhole,     // the item ends at size()
    kNeedMore,  // call again with at least needed() bytes
    kInvalid,   // see problem() and size(), where it was found
  };

  // No string may be longer than `string_bytes_max`, plain or packed.
  explicit RdbMeasure(uint64_t string_bytes_max) : string_bytes_max_(string_bytes_max) {}

  // Something new: bytes before `start` are taken as given, then `shape` follows.
  void begin(size_t start, std::string_view shape);

  // `item` holds all bytes of the item so far, the same ones as in earlier calls and perhaps more.
  Outcome advance(Bytes item);

  size_t size() const { return at_; }
  size_t needed() const { return needed_; }
  const char* problem() const { return problem_; }

 private:
  struct Repeat {
    size_t shape_at;  // just behind the opening parenthesis
    uint64_t left;
  };

  Outcome step(Bytes item);
  Outcome skip(Bytes item, uint64_t bytes);
  Outcome skip_length(Bytes item, uint64_t& value);
  Outcome skip_string(Bytes item);
  Outcome skip_old_double(Bytes item);
  Outcome open(Bytes item);
  void close();
  Outcome invalid(const char* problem);

  const uint64_t string_bytes_max_;
  std::string_view shape_;
  size_t shape_at_ = 0;
  size_t at_ = 0;
  size_t needed_ = 0;
  std::array<Repeat, kRdbShapeDepthMax> repeats_{};
  size_t depth_ = 0;
  const char* problem_ = nullptr;
};

// A length as it stands in the stream.
struct RdbLength {
  enum class Outcome { kLength, kEncoded, kNeedMore, kInvalid };
  Outcome outcome;
  size_t bytes;    // of the length itself; with kNeedMore, how many there must be
  uint64_t value;  // the length, or the encoding's marker byte
};
RdbLength rdb_parse_length(Bytes bytes);

}  // namespace tandem
