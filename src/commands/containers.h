// HDEL, SREM, ZREM: takes the named elements out and answers how many were there.
#pragma once

#include "commands/arguments.h"

namespace tandem {

template <class T>
void remove_elements(Context& ctx, const KeyEvent& event) {
  Edit<T> container(ctx.keys, ctx.args[1]);
  if (container.is_other_type()) return ctx.reply.error(kWrongType);
  if (!container) return ctx.reply.integer(0);
  T& elements = container.change();
  uint64_t removed = 0;
  for (const Bytes element : ctx.args.subspan(2)) removed += elements.remove(element) ? 1 : 0;
  ctx.reply.integer(static_cast<int64_t>(removed));
  removed > 0 ? container.done(event, removed, as_is(ctx)) : container.unchanged();
}

}  // namespace tandem
