// What people may know about the link to the primary, in figures: for INFO and log lines. Output
// only: the link writes it and never reads it back to decide anything. (Whether it is up is a part
// of the role's state, replication/role.h.)
//
// Threads: the link writes, anybody reads. Times are milliseconds of the monotonic clock.
#pragma once

#include <atomic>
#include <cstdint>

namespace tandem {

enum class LinkPhase {
  kIdle,     // this server is a primary
  kStopped,  // a replica without a link: no try of it would help for long
  kWaitingToRetry,
  kConnecting,
  kHandshake,
  kWaitingForSnapshot,
  kReceivingSnapshot,
  kFollowing,
};

struct LinkProgress {
  std::atomic<LinkPhase> phase{LinkPhase::kIdle};  // RoleState writes it
  std::atomic<int64_t> last_io_ms{0};
  // Of the snapshot being received. The total is -1 where the primary does not say it.
  std::atomic<int64_t> snapshot_bytes_total{-1};
  std::atomic<int64_t> snapshot_bytes_read{0};
  std::atomic<int64_t> snapshot_keys_read{0};
  std::atomic<int64_t> snapshot_started_ms{0};
  // Since the server started.
  std::atomic<uint64_t> connections{0};          // the last one's number
  std::atomic<int64_t> full_syncs{0};            // begun
  std::atomic<uint64_t> snapshots_installed{0};  // changes under all stripes
  std::atomic<int64_t> partial_syncs{0};
  std::atomic<int64_t> bytes_received{0};
  // Commands of the stream that failed here: INFO's unexpected_error_replies. CONFIG RESETSTAT
  // clears it.
  std::atomic<int64_t> unexpected_errors{0};
  // Of the stream; the shared ones were applied by several threads. INFO's stream_batches and
  // stream_batches_shared.
  std::atomic<int64_t> batches{0};
  std::atomic<int64_t> shared_batches{0};
  // The stream's place that was read, which may be ahead of what was applied.
  std::atomic<uint64_t> read_offset{0};

  bool following() const { return phase.load() == LinkPhase::kFollowing; }
};

// ROLE's word for the phase: "none", "connect", "connecting", "handshake", "sync", "connected".
const char* role_word(LinkPhase phase);

}  // namespace tandem
