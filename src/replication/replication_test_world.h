// For tests of this part: an engine whose only write is SET, so that replication is tested without
// the real families.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "resp/request_writer.h"

namespace tandem {

inline std::string request(std::initializer_list<Bytes> args) {
  std::string bytes;
  append_request(bytes, args);
  return bytes;
}

inline std::vector<CommandRow> rows_with_set() {
  std::vector<CommandRow> all = engine_rows();
  all.push_back({.name = "set",
                 .arity = 3,
                 .flags = kWrite,
                 .keys = {key_at(1, "OW UPDATE")},
                 .handler =
                     [](Context& c) {
                       c.keys.set_text(c.args[1], c.args[2], kNoExpiry);
                       c.replicate_as_is();
                       c.reply.ok();
                     },
                 .session_handler = {},
                 .group = "string",
                 .since = "1.0.0",
                 .complexity = "O(1)",
                 .summary = "",
                 .syntax = "key value"});
  return all;
}

// As a client would, without one.
inline void set(Engine& engine, Bytes key, Bytes text) {
  Executor executor(engine, 1);
  ClientState client(ClientKind::kNormal);
  std::string out;
  ReplyWriter reply(out);
  executor.execute(client, std::vector<Bytes>{"set", key, text}, {}, reply);
}

}  // namespace tandem
