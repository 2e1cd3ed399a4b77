// HyperLogLogs: how many different elements were seen, estimated from 16,384 small registers. The
// bytes are Redis's, for they are the value of a string key, which clients read and replicas and
// files carry:
//
//   value       = "HYLL" encoding 3 unused bytes, count, registers
//   encoding    = 0 dense | 1 sparse
//   count       = the last estimate, 64 bits, the lowest byte first; the highest bit: it is stale
//   registers   = dense:  6 bits each, from the lowest bit of the first byte on (12,288 bytes)
//               | sparse: runs, 16,384 registers together
//   run         = 00nnnnnn           n+1 registers that are 0
//               | 01nnnnnn nnnnnnnn  the same, the high bits of n first
//               | 1vvvvvnn           n+1 registers that are v+1
//
// The format: redis.io, "HyperLogLog", and the values that redis-server writes. The estimate: Otmar
// Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6.
//
// Two equal sparse values may have different bytes. Here they come about as in Redis, so that equal
// commands lead to equal bytes. Pure; what clients stored may be anything, and is kInvalid then.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

inline constexpr size_t kHyperLogLogRegisters = 16384;
inline constexpr size_t kHyperLogLogDenseBytes = 16 + kHyperLogLogRegisters * 6 / 8;

// What an element says: the register that it belongs to is at least this.
struct Observation {
  uint16_t index;
  uint8_t value;
};
Observation observe(Bytes element);

// By its head and, if dense, its length. Its runs are looked at only when they are used.
bool is_hyperloglog(Bytes text);
bool is_dense_hyperloglog(Bytes text);  // REQUIRES: is_hyperloglog()

// The estimate that lies in the value; nothing: it is stale.
std::optional<uint64_t> kept_count(Bytes text);
void keep_count(std::span<char> text, uint64_t count);
void forget_count(std::span<char> text);

// Of a dense value. False: it says nothing new.
bool raise_register(std::span<char> dense, Observation observation);

// Several values as one: the highest of each register.
class RegisterUnion {
 public:
  Result<void> add(Bytes text);
  uint64_t count() const;
  const std::array<uint8_t, kHyperLogLogRegisters>& registers() const { return registers_; }
  bool any_dense() const { return any_dense_; }

 private:
  std::array<uint8_t, kHyperLogLogRegisters> registers_{};
  bool any_dense_ = false;
};

// A value in a string of its own: sparse until it becomes too long, or a register too high, for it.
class HyperLogLog {
 public:
  HyperLogLog();  // all registers are 0
  // REQUIRES: is_hyperloglog().
  explicit HyperLogLog(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }
  void forget_count() { tandem::forget_count(text_); }

  // False: it says nothing new. A sparse value stays within the limit unless it was longer before.
  Result<bool> raise(Observation observation, size_t sparse_bytes_max);
  // To the registers of the union; dense if a part of it is. REQUIRES: this is a part of it.
  void raise_to(const RegisterUnion& all, size_t sparse_bytes_max);
  Result<void> become_dense();

 private:
  Result<bool> raise_dense(Observation observation);

  std::string text_;
};

Result<uint64_t> count_elements(Bytes text);

}  // namespace tandem
