// A place in a replication history: which history (the id) and how many bytes of it came before
// (the offset).
//
// Offsets count bytes from the start of the history: offset N means that N bytes precede it.
// Redis's wire names the *next* byte instead, starting at one, so `PSYNC <id> M` asks for the place
// M - 1; only the code that reads or writes that wire converts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/random.h"

namespace tandem {

// Forty lower-case hexadecimal digits, a value. The default is forty zeros, which names no history
// (as in Redis's INFO for a missing second id).
class ReplicationId {
 public:
  static constexpr size_t kLength = 40;

  ReplicationId() { text_.fill('0'); }
  static ReplicationId generate(Random& random);
  // Forty hexadecimal digits of either case; anything else is nothing.
  static std::optional<ReplicationId> parse(Bytes text);

  // Valid as long as this object.
  Bytes text() const { return {text_.data(), kLength}; }
  bool is_none() const { return *this == ReplicationId(); }

  friend bool operator==(const ReplicationId&, const ReplicationId&) = default;

 private:
  std::array<char, kLength> text_;
};

struct Position {
  ReplicationId id;
  uint64_t offset = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace tandem
