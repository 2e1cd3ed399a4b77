#include "commands/containers.h"

#include <algorithm>

namespace tandem {

IndexRange index_range(int64_t start, int64_t stop, size_t size) {
  const auto length = static_cast<int64_t>(size);
  const int64_t first = start < 0 ? std::max<int64_t>(0, start + length) : start;
  const int64_t last = std::min(length - 1, stop < 0 ? stop + length : stop);
  if (first > last) return {.first = 0, .count = 0};
  return {.first = static_cast<size_t>(first), .count = static_cast<size_t>(last - first + 1)};
}

}  // namespace tandem
