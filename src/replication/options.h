// What can be configured about replication. Defaults are Redis 7.2's; CONFIG GET names stand at the
// fields where they differ. Any thread may read; config writes.
#pragma once

#include <cstdint>
#include <string>

#include "base/option.h"

namespace tandem {

// A primary's address as `replicaof host port` gives it; an empty host means no primary.
struct PrimaryAddress {
  std::string host;
  int port = 0;
};

struct ReplicationOptions {
  // As a replica.
  // replicaof: what the configuration names at start; REPLICAOF changes it while running, so that
  // CONFIG GET and CONFIG REWRITE show the role of the moment.
  Option<PrimaryAddress> primary;
  TextOption primary_user;      // masteruser
  TextOption primary_password;  // masterauth
  TextOption source_address;    // bind-source-addr: the near end of the link; empty: any
  Option<bool> replica_serve_stale_data = true;
  Option<bool> replica_read_only = true;
  Option<int64_t> replica_priority = 100;
  Option<bool> replica_announced = true;
  // propagation-error-behavior: 0 ignore, 1 panic, 2 panic-on-replicas. Either of the last two ends
  // the server at a command of the primary's stream that fails, unless clients may write here
  // (replica-read-only no).
  Option<int> panic_on_stream_error = 0;
  // replica-apply-threads: how many apply the primary's stream, the link's own among them; 0: as
  // many as there are processors, but kApplyThreadsAtFirst at most.
  static constexpr int64_t kApplyThreadsAtFirst = 4;
  static constexpr int64_t kApplyThreadsMax = 16;
  Option<int64_t> apply_threads = 0;
  TextOption replica_announce_ip;
  Option<int64_t> replica_announce_port = 0;

  // As a primary.
  Option<int64_t> diskless_sync_delay_seconds = 5;  // repl-diskless-sync-delay
  Option<int64_t> diskless_sync_max_replicas =
      0;  // repl-diskless-sync-max-replicas; 0: do not wait for a number
  Option<int64_t> ping_replica_period_seconds = 10;  // repl-ping-replica-period
  Option<int64_t> min_replicas_to_write = 0;
  Option<int64_t> min_replicas_max_lag_seconds = 10;  // min-replicas-max-lag
  // For snapshots sent to replicas.
  Option<bool> rdb_compression = true;
  Option<bool> rdb_checksum = true;
  // repl-rdb-version: for replicas that do not say what they read.
  Option<int64_t> rdb_version = 10;

  // Both. What CONFIG SET makes a smaller backlog than the minimum becomes the minimum, as in
  // Redis.
  static constexpr int64_t kBacklogBytesMin = 16 * 1024;
  Option<int64_t> timeout_seconds = 60;         // repl-timeout
  Option<bool> disable_tcp_nodelay = false;     // repl-disable-tcp-nodelay
  Option<int64_t> backlog_bytes = 1024 * 1024;  // repl-backlog-size
  Option<int64_t> backlog_ttl_seconds = 3600;   // repl-backlog-ttl
  Option<int64_t> backlog_time_seconds = 0;     // repl-backlog-time; 0: by bytes only
};

}  // namespace tandem
