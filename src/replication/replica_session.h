// One replica, as its primary serves it: a connection on which PSYNC was said becomes a reader of
// the log.
//
// Three states, in this order (ReplicaState): it waits for a snapshot's cut; it gets the snapshot,
// while the log holds its place from the cut on; it streams the log. A partial sync starts with the
// third, `rdb-only 1` ends with the second, and `rdb-filter-only` leaves the keys out of it.
// The writing side looks at what there is to do, does it, and sleeps until something changed;
// acknowledgements are read beside it.
//
// What a replica owes, and has repl-timeout for (replication/duty_clock.h): to take bytes that wait
// for it, while it gets its snapshot; and once it was sent all of that, a sign of life, be it an
// acknowledgement or an empty line. Who said SYNC gives no signs, and owes the taking throughout.
//
// Confined to the loop of the connection's worker. The parts outlive the session.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "io/byte_stream.h"
#include "io/event.h"
#include "io/loop.h"
#include "io/task.h"
#include "io/timer.h"
#include "log/log.h"
#include "replication/duty_clock.h"
#include "replication/full_sync.h"
#include "replication/options.h"
#include "replication/replica_registry.h"
#include "replication/sync_decision.h"
#include "resp/request.h"

namespace tandem {

// client-output-buffer-limit replica: how far a replica may lag behind. 0: no limit. A hard limit
// below repl-backlog-size counts as that: what the backlog holds anyway costs nothing, and a
// replica may just have been let in with so much to catch up.
struct ReplicaLagLimit {
  uint64_t hard_bytes = 0;
  uint64_t soft_bytes = 0;
  int64_t soft_seconds = 0;
};

struct ReplicaSessionParts {
  Engine& engine;
  const ReplicationOptions& options;
  ReplicaRegistry& replicas;
  FullSyncs& full_syncs;
  std::function<ReplicaLagLimit()> lag_limit;
  ConnectionObserver* observer = nullptr;
};

class ReplicaSession {
 public:
  // `unread`: what the replica sent behind its PSYNC.
  ReplicaSession(const ReplicaSessionParts& parts, ByteStream& stream, std::string unread,
                 const ReplicaHello& hello, const SyncRequest& request, uint64_t client_id,
                 StopToken stop);
  ~ReplicaSession();

  // Until the connection is over; says why. The caller closes it.
  Task<Error> run();

 private:
  Task<Result<void>> converse();
  Task<Result<void>> send_snapshot();
  Task<Result<void>> send_without_keys();
  Task<Result<void>> wait_for_cut();
  Task<Result<void>> send_snapshot_bytes();
  Task<Result<void>> stream_log();
  Task<Result<void>> write(std::string bytes);
  // A part of the bytes, at least one: how much it took.
  Task<Result<size_t>> write_some(Bytes bytes);
  Task<Result<void>> show_life();
  // Waits until something changed: the log, the snapshot, an acknowledgement, or a second passed.
  Task<Result<void>> wait_for_change();

  Task<void> read_acknowledgements();
  bool take_requests();
  void check_limits();
  // What it has yet to get of the log, from the cut on; null before there is a cut.
  LogCursor* place_in_log() const;
  ReplicaLagLimit lag_limit() const;
  // What it owes and did not do in time.
  std::optional<Bytes> overdue();
  void expect_signs();
  void give_up(Error reason);
  int64_t now_ms() const { return stream_.loop().clock().monotonic_ms(); }

  const ReplicaSessionParts& parts_;
  ByteStream& stream_;
  const SyncRequest request_;
  const ReplicaHello hello_;
  const std::shared_ptr<ReplicaRecord> record_;
  Stop stop_;
  Error reason_{ErrorCode::kCancelled, "the connection was closed"};
  bool given_up_ = false;

  Event changed_;
  Doorbell bell_;
  Timer every_second_;
  RequestParser parser_;
  std::string received_;
  bool acknowledged_ = false;  // at least once
  int64_t last_write_ms_;
  DutyClock taking_;  // bytes that wait for it
  DutyClock signs_;   // of life
  int64_t soft_limit_since_ms_ = 0;

  FullSyncs::Ticket ticket_;
  std::unique_ptr<LogCursor> log_;
  // Last: its task ends before what it uses.
  Scope reading_;
};

}  // namespace tandem
