// The id of a stream entry: milliseconds and a sequence number, ordered by both.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace tandem {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  auto operator<=>(const StreamId&) const = default;

  // The neighbours; nothing beyond 0-0 and the greatest id.
  std::optional<StreamId> next() const;
  std::optional<StreamId> previous() const;

  std::string text() const;        // "ms-seq"
  std::string big_endian() const;  // 16 bytes that sort as the ids do: the key of a node in RDB
  static StreamId from_big_endian(Bytes key);  // key.size() == 16
};

inline constexpr StreamId kStreamIdMin{};
inline constexpr StreamId kStreamIdMax{std::numeric_limits<uint64_t>::max(),
                                       std::numeric_limits<uint64_t>::max()};

}  // namespace tandem
