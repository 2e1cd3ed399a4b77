// For tests of this part: an engine whose only write is SET, so that replication is tested without
// the real families.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/testing.h"
#include "resp/request_writer.h"

namespace tandem {

inline std::string request(std::initializer_list<Bytes> args) {
  std::string bytes;
  append_request(bytes, args);
  return bytes;
}

inline std::vector<CommandRow> rows_with_set() {
  std::vector<CommandRow> all = engine_rows();
  all.push_back(plain_set_row());
  return all;
}

// What an engine is made of, without data; two databases.
struct TestEngine {
  explicit TestEngine(const Clock& clock)
      : engine{.keyspace = keyspace,
               .log = log,
               .registry = registry,
               .clock = clock,
               .limits = limits,
               .gate = gate} {}

  EncodingLimits limits;
  Keyspace keyspace{{.databases = 2, .hash_seed = 1}};
  Log log{LogOptions{}, ReplicationId()};
  Gate gate;
  Registry registry{rows_with_set()};
  Engine engine;
};

// As a client would, without one.
inline void set(Engine& engine, Bytes key, Bytes text) {
  Executor executor(engine, 1);
  ClientState client(ClientKind::kNormal);
  std::string out;
  ReplyWriter reply(out);
  executor.execute(client, std::vector<Bytes>{"set", key, text}, {}, reply);
}

}  // namespace tandem
