// The longest common subsequence of two texts: of the table that dynamic programming fills, one bit
// a cell, and 64 cells at once (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
//
// Of the table L, where L(i, j) is the length for the first i bytes of one text and the first j of
// the other, a row is kept as the places where it does not rise: bit j-1 is 0 where
// L(i, j) = L(i, j-1) + 1. So the length is the number of zeros in the last row, and the way back
// through the table needs no number: where two bytes differ, L(i-1, j) > L(i, j-1) exactly where
// the row rises.
//
// Memory: a bit a cell, and as much again at most. Pure; the texts outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/function_ref.h"

namespace tandem {

class CommonSubsequence {
 public:
  CommonSubsequence(Bytes first, Bytes second) : first_(first), second_(second) {}

  // Without the way back: one row of memory.
  size_t length() const;

  // Bytes that stand in a row in both texts.
  struct Match {
    size_t in_first;
    size_t in_second;
    size_t bytes;
  };
  // The longest such runs, the last one first. Where there are several subsequences it is the one
  // that Redis finds.
  void for_each_match(FunctionRef<void(const Match&)> visit) const;

 private:
  using Row = std::vector<uint64_t>;

  size_t words() const { return (second_.size() + 63) / 64; }  // of a row
  std::vector<Row> places_of_bytes(std::array<int, 256>& slots) const;
  // Hands each row to `keep` and gives the last one.
  template <class Keep>
  Row fill(Keep keep) const;

  Bytes first_;
  Bytes second_;
};

}  // namespace tandem
