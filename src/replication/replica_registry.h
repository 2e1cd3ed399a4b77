// The replicas of this server, and who else is told of replication's connections.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/lock.h"
#include "engine/client_state.h"
#include "io/byte_stream.h"
#include "io/loop.h"
#include "log/acknowledgements.h"

namespace tandem {

// What a list of the server's clients learns of replication's connections, which are no clients'
// sessions. The server implements it; where nobody lists clients there is none.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;

  // The link, on the replication loop: it follows its primary from now on, over the connection with
  // this number (ReplicationControl::cut_link), until link_closed().
  virtual void link_opened(const ByteStream& stream, uint64_t number) = 0;
  // It executed what came, but for `unread_bytes` of a command or transaction without its end.
  virtual void link_executed(const ClientState& client, size_t unread_bytes) = 0;
  virtual void link_closed() = 0;

  // A replica said how far it is. On its connection's worker.
  virtual void replica_heard(uint64_t client_id) = 0;
};

// The replicas that this server serves: who they are, how far they are, and how to wake or drop
// them.
//
// Threads: any. Each replica's session (replication/replica_session.h), on its worker's loop,
// writes its own record.

// What a replica told of itself before PSYNC.
struct ReplicaHello {
  int listening_port = 0;
  std::string announced_ip;
  bool understands_mark = false;    // capa eof: a snapshot may end in a mark
  bool understands_new_id = false;  // capa psync2: +CONTINUE may name an id
  bool snapshot_only = false;       // rdb-only 1: it is done when it has the snapshot
  bool without_keys = false;        // rdb-filter-only: of the snapshot it wants no keys,
  bool with_functions = false;      // and perhaps the libraries of functions
  int rdb_version = 0;              // version: that it reads; 0: it did not say
};

// How this server sees a replica; Redis's words are wait_bgsave, send_bulk and online.
enum class ReplicaState { kWaitingForSnapshot, kSnapshot, kStreaming };

// One replica, alive as long as its session. The session writes, anybody reads.
struct ReplicaRecord {
  ReplicaRecord(uint64_t replica_key, std::string replica_ip, int replica_port, bool marks)
      : key(replica_key), ip(std::move(replica_ip)), port(replica_port), understands_mark(marks) {}

  const uint64_t key;  // the connection's client id
  const std::string ip;
  const int port;
  const bool understands_mark;
  std::atomic<ReplicaState> state{ReplicaState::kWaitingForSnapshot};
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<int64_t> acknowledged_at_ms{0};  // monotonic clock
  std::atomic<bool> dropped{false};            // its session is asked to end,
  std::atomic<bool> killed{false};             // for its client was killed
};

class ReplicaRegistry {
 public:
  // `bell` wakes the replica's session and lives until remove().
  void add(std::shared_ptr<ReplicaRecord> record, Doorbell& bell);
  void remove(const ReplicaRecord& record);

  // The log has moved: streaming sessions look again. Cheap when there are none.
  void wake_all();
  // Ends every session: their history is no longer ours, and they are to ask again.
  void drop_all();
  // Its client was killed: it is listed and counts no more when this returns, and its session ends
  // soon. False: there is no such replica.
  bool drop_killed(uint64_t key);

  // In the order of arrival.
  std::vector<std::shared_ptr<const ReplicaRecord>> list() const;
  size_t count() const { return count_.load(std::memory_order_relaxed); }
  // Streaming replicas, not dropped, that acknowledged within the last `lag_ms_max`
  // (min-replicas-max-lag).
  size_t good_count(int64_t now_ms, int64_t lag_ms_max) const;

  // It has all that it needs to follow the log: it counts from here on.
  void set_streaming(ReplicaRecord& record, int64_t now_ms);
  // An offset below an earlier one says only that the replica lives.
  void acknowledge(ReplicaRecord& record, uint64_t offset, int64_t now_ms);
  Acknowledgements& acknowledged() { return acknowledged_; }

  // How the syncs of this server's replicas were decided, for INFO.
  struct SyncCounts {
    std::atomic<uint64_t> full{0};
    std::atomic<uint64_t> partial{0};
    std::atomic<uint64_t> partial_refused{0};  // full syncs that were to be partial
    std::atomic<uint64_t> bytes_sent{0};       // snapshots and streams
  };
  SyncCounts& syncs() { return syncs_; }

 private:
  struct Member {
    std::shared_ptr<ReplicaRecord> record;
    Doorbell* bell;
  };

  std::atomic<size_t> count_{0};
  mutable Lock lock_;
  std::vector<Member> members_ TANDEM_GUARDED_BY(lock_);
  Acknowledgements acknowledged_;
  SyncCounts syncs_;
};

}  // namespace tandem
