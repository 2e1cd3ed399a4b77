// What handlers of containers have in common.
#pragma once

#include <memory>
#include <utility>

#include "engine/context.h"
#include "keyspace/value.h"

namespace tandem {

// Gives an absent key this container and returns it where it now lives.
template <class T>
T& install(View& keys, Bytes key, T fresh) {
  auto owned = std::make_unique<T>(std::move(fresh));
  T& installed = *owned;
  keys.put(key, Value(std::move(owned)), kNoExpiry);
  return installed;
}

// After elements were taken out.
template <class T>
void settle(View& keys, Bytes key, const T& container) {
  keys.changed(key);
  keys.remove_if_empty(key, container);
}

// start and stop as LRANGE takes them, both inclusive and negative from the end.
struct IndexRange {
  size_t first;
  size_t count;
};
IndexRange index_range(int64_t start, int64_t stop, size_t size);

}  // namespace tandem
