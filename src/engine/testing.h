// GET and SET at their plainest, for tests of parts that do not see the real families.
#pragma once

#include "engine/command.h"
#include "engine/context.h"

namespace tandem {

inline CommandRow plain_get_row() {
  return {.name = "get",
          .arity = 2,
          .flags = kReadOnly,
          .keys = {key_at(1, "RO access")},
          .handler = [](Context& c) {
            StringText text;
            if (!c.keys.read_text(c.args[1], text)) return c.reply.error(kWrongType);
            text ? c.reply.bulk(*text) : c.reply.null();
          }};
}

inline CommandRow plain_set_row() {
  return {.name = "set",
          .arity = 3,
          .flags = kWrite | kDenyOom,
          .keys = {key_at(1, "OW update")},
          .handler = [](Context& c) {
            c.keys.set_text(event::kSet, c.args[1], c.args[2], kNoExpiry, as_is(c));
            c.reply.ok();
          }};
}

}  // namespace tandem
