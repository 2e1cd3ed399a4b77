// For tests of this part: an engine whose only write is SET, so that replication is tested without
// the real families; and a replica made of one.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/testing.h"
#include "io/task.h"
#include "replication/link.h"
#include "resp/request.h"

namespace tandem {

inline std::string request(std::initializer_list<Bytes> args) {
  std::string bytes;
  append_request(bytes, args);
  return bytes;
}

inline std::vector<CommandRow> rows_with_set() {
  std::vector<CommandRow> all = engine_rows();
  all.push_back(plain_set_row());
  all.push_back(
      {.name = "replconf", .arity = -1, .flags = kBetweenServers, .handler = [](Context& c) {
         c.reply.ok();
       }});
  return all;
}

// An engine without data, of two databases.
struct TestEngine : OpenEngine<const Clock&> {
  explicit TestEngine(const Clock& its_clock)
      : OpenEngine({.keyspace = {.databases = 2, .hash_seed = 1}}, rows_with_set(), its_clock) {}
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
// What is in the stream's room already, or was read before; there is no more to read.
inline Result<void> apply_what_came(StreamApply& apply, size_t count) {
  return apply.apply(count, [](std::span<char>) { return size_t{0}; });
}
// As if the bytes had come, to the end of the last turn that they take.
inline Result<void> feed(StreamApply& apply, Bytes bytes) {
  do {
    const std::span<char> place = apply.room();
    const size_t count = std::min(bytes.size(), place.size());
    std::ranges::copy(bytes.substr(0, count), place.begin());
    bytes.remove_prefix(count);
    auto applied = apply_what_came(apply, count);
    if (!applied) return applied;
  } while (!bytes.empty() || apply.turn_is_over());
  return {};
}

struct LinkedReplica : TestEngine {
  static constexpr uint16_t kPrimaryPort = 6379;

  LinkedReplica(Loop& loop, Network& network, const Clock& clock, int64_t timeout_seconds,
                size_t pending_bytes_max = StreamApply::kPendingBytesMax, int64_t pause_ms_min = 0)
      : TestEngine(clock),
        executor(engine, 1),
        link({.loop = loop,
              .network = network,
              .executor = executor,
              .options = options,
              .replicas = replicas,
              .progress = progress,
              .state = state,
              .former = former,
              .listening_port = 7000,
              .role_generation = become(role),
              .pending_bytes_max = pending_bytes_max,
              .pause_ms_min = pause_ms_min},
             role, 1) {
    options.timeout_seconds.set(timeout_seconds);
    options.primary_password.set("secret");
  }

  void begin() { scope.spawn(link.run(scope.token())); }
  std::string failure() const { return state.view().failure; }
  bool following() const { return state.view().following(); }

  ReplicationOptions options;
  Executor executor;
  ReplicaRegistry replicas;
  LinkProgress progress;
  RoleState state{{.engine = engine, .options = options, .progress = progress}};
  FormerHistories former;
  const ReplicaRole role{.primary_host = "10.0.0.1", .primary_port = kPrimaryPort};
  Link link;
  Scope scope;

 private:
  uint64_t become(const ReplicaRole& next) {
    set(engine, "old", "1");
    const ExclusiveGuard all(keyspace);
    state.change(all, next);
    return state.view().generation;
  }
};

}  // namespace tandem
