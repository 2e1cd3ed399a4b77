// For tests of this part: an engine whose only write is SET, so that replication is tested without
// the real families; and a replica made of one.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/testing.h"
#include "io/scope.h"
#include "replication/link.h"
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

// Follows a primary at 10.0.0.1:6379 once begin() is called, and holds one key, "old", before.
struct LinkedReplica : TestEngine {
  static constexpr uint16_t kPrimaryPort = 6379;

  LinkedReplica(Loop& loop, Network& network, const Clock& clock, int64_t timeout_seconds,
                size_t pending_bytes_max = StreamApply::kPendingBytesMax)
      : TestEngine(clock),
        executor(engine, 1),
        link({.loop = loop,
              .network = network,
              .executor = executor,
              .options = options,
              .replicas = replicas,
              .progress = progress,
              .listening_port = 7000,
              .pending_bytes_max = pending_bytes_max},
             {.primary_host = "10.0.0.1", .primary_port = kPrimaryPort}, 1) {
    set(engine, "old", "1");
    options.timeout_seconds.set(timeout_seconds);
    options.primary_password.set("secret");
  }

  void begin() {
    gate.set(Gate::kReplica, true);
    scope.spawn(link.run(scope.token()));
  }

  ReplicationOptions options;
  Executor executor;
  ReplicaRegistry replicas;
  LinkProgress progress;
  Link link;
  Scope scope;
};

}  // namespace tandem
