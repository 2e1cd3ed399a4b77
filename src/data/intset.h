// A sorted array of distinct integers of one width, in Redis's intset format (RDB carries it
// verbatim):
//
//   intset = width:u32le count:u32le value*
//
// The width is 2, 4 or 8 bytes; values are signed, little-endian, ascending.
//
// Invariants: strictly ascending; the width never shrinks. Not thread safe.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

class Intset {
 public:
  // Deep check of bytes from outside: size, width and order.
  static bool validate(Bytes blob);

  Intset();
  static Result<Intset> from_bytes(Bytes blob);

  Bytes bytes() const { return bytes_; }
  uint32_t size() const;
  int64_t at(uint32_t index) const;  // index < size(); ascending
  bool contains(int64_t value) const;
  bool add(int64_t value);     // false: was there
  bool remove(int64_t value);  // false: was not there
  size_t memory_bytes() const;

 private:
  uint32_t width() const;
  uint32_t lower_bound(int64_t value) const;
  void store(uint32_t index, int64_t value);
  void set_size(uint32_t count);
  void widen(uint32_t width);

  std::string bytes_;
};

}  // namespace tandem
