// What tests of many parts build their worlds from: an engine that they can look into, and GET and
// SET at their plainest, for those that do not see the real families.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/command.h"
#include "engine/context.h"
#include "engine/engine.h"

namespace tandem {

// An engine whose parts are at hand by their own names. `Time` is a clock, or a reference to one
// that outlives it.
template <class Time>
struct OpenEngine {
  explicit OpenEngine(const EngineOptions& options = {}, std::vector<CommandRow> rows = {})
    requires(!std::is_reference_v<Time>)
      : engine(options, clock, std::move(rows)) {}
  OpenEngine(const EngineOptions& options, std::vector<CommandRow> rows, Time its_clock)
      : clock(its_clock), engine(options, clock, std::move(rows)) {}

  // The log keeps bytes from here on; a reader of what it gets.
  std::unique_ptr<LogCursor> begin_log() {
    Random random{1};
    const ExclusiveGuard all(keyspace);
    log.activate(all, ReplicationId::generate(random));
    return log.open_at_end("test", 0);
  }

  Time clock;
  Engine engine;
  Keyspace& keyspace = engine.keyspace;
  Log& log = engine.log;
  Registry& registry = engine.registry;
  Gate& gate = engine.gate;
  EncodingLimits& limits = engine.limits;
};

// What the log got since the last call.
inline std::string read_on(LogCursor& cursor) {
  std::string all;
  for (Bytes bytes = *cursor.peek(); !bytes.empty(); bytes = *cursor.peek()) {
    all.append(bytes);
    cursor.advance(bytes.size());
  }
  return all;
}

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
          .flags = kWrite | kDenyOom | kBrief,
          .keys = {key_at(1, "OW update")},
          .handler = [](Context& c) {
            c.keys.set_text(event::kSet, c.args[1], c.args[2], kNoExpiry, as_is(c));
            c.reply.ok();
          }};
}

}  // namespace tandem
