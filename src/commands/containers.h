// What handlers of containers have in common.
#pragma once

#include <memory>
#include <utility>

#include "engine/context.h"
#include "keyspace/value.h"

namespace tandem {

// Gives the key this container and returns it where it now lives. Elements that are still to be
// added count, not the container.
template <class T>
T& install(View& keys, Bytes key, T fresh, uint64_t changes = 0) {
  auto owned = std::make_unique<T>(std::move(fresh));
  T& installed = *owned;
  keys.put(key, Value(std::move(owned)), kNoExpiry, changes);
  return installed;
}

// After elements were taken out.
template <class T>
void settle(View& keys, Bytes key, const T& container, uint64_t changes = 1) {
  keys.changed(key, changes);
  keys.remove_if_empty(key, container);
}

// HDEL, SREM, ZREM: takes the named elements out and answers how many were there.
template <class T>
void remove_elements(Context& ctx) {
  const Bytes key = ctx.args[1];
  T* container;
  if (!ctx.keys.write(key, container)) return ctx.reply.error(kWrongType);
  if (container == nullptr) return ctx.reply.integer(0);
  int64_t removed = 0;
  for (const Bytes element : ctx.args.subspan(2)) removed += container->remove(element) ? 1 : 0;
  if (removed > 0) {
    settle(ctx.keys, key, *container, static_cast<uint64_t>(removed));
    ctx.replicate_as_is();
  }
  ctx.reply.integer(removed);
}

// start and stop as LRANGE takes them, both inclusive and negative from the end.
struct IndexRange {
  size_t first;
  size_t count;
};
IndexRange index_range(int64_t start, int64_t stop, size_t size);

}  // namespace tandem
