// How long a link waits before its next try.
//
//   it followed, and was cut     not at all, once: the primary is most likely still there
//   it never came up, or again
//   not for long                 100 ms, doubled each time up to 5 s, by chance between a half and
//                                the whole: replicas that lost a primary together do not come back
//                                together
//   the snapshot holds what is
//   not supported here           a minute, doubled each time up to an hour: it will be the same for
//                                long, and each try costs the primary a fork
//
// A link that has followed for a while begins anew: "for a while" is as long as it took to come up,
// and kFollowedMsMin at least. So a primary that sends its snapshot and closes is asked for another
// one ever more seldom, and at least as much time is spent following as syncing.
//
// Confined to its link's loop.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "engine/dataset_load.h"
#include "engine/engine.h"
#include "engine/executor.h"
#include "io/event.h"
#include "io/loop.h"
#include "io/network.h"
#include "io/task.h"
#include "io/wait.h"
#include "log/log.h"
#include "rdb/rdb_reader.h"
#include "replication/link_progress.h"
#include "replication/link_wire.h"
#include "replication/options.h"
#include "replication/replica_registry.h"
#include "replication/role.h"
#include "replication/stream_apply.h"
#include "replication/sync_decision.h"

namespace tandem {

// How an attempt ended.
struct LinkEnding {
  int64_t rising_ms = 0;              // from the connection to the stream
  int64_t following_ms = -1;          // in the stream; negative: it never was
  bool needs_snapshot = false;        // the stream cannot be applied from where it is
  bool unsupported_snapshot = false;  // it holds what this server does not know
};

class LinkBackoff {
 public:
  static constexpr int64_t kFirstMs = 100;
  static constexpr int64_t kMaxMs = 5000;
  static constexpr int64_t kUnsupportedFirstMs = 60'000;
  static constexpr int64_t kUnsupportedMaxMs = 3'600'000;
  // A second: by then the link has acknowledged by its own clock, and its primary counts it.
  static constexpr int64_t kFollowedMsMin = 1000;

  explicit LinkBackoff(uint64_t random_seed) : random_(random_seed) {}

  // 0: at once.
  int64_t next_ms(const LinkEnding& ending);

 private:
  int64_t doubled_ms(int64_t first_ms, int times, int64_t max_ms);

  Random random_;
  bool may_try_at_once_ = true;
  int pauses_in_a_row_ = 0;
  int unsupported_in_a_row_ = 0;
};

// The link: how a replica follows its primary. One coroutine that reads like the wire: connect,
// greet, ask for the stream, load the snapshot if there is one, follow. When any of it fails it
// says why, waits a little and starts again.
//
// Confined to the replication loop. All it is given outlives it.
class Link {
 public:
  struct Parts {
    Loop& loop;
    Network& network;
    Executor& executor;  // the stream's alone
    const ReplicationOptions& options;
    ReplicaRegistry& replicas;  // of this server: they follow the same stream
    LinkProgress& progress;
    RoleState& state;
    FormerHistories& former;
    ConnectionObserver* observer = nullptr;
    int listening_port = 0;
    uint64_t role_generation = 0;  // of `role`: this link acts and reports for that one only
    Crew* apply_crew = nullptr;    // helps to apply; outlives the link
    size_t pending_bytes_max = StreamApply::kPendingBytesMax;
    int64_t pause_ms_min = 0;  // between two tries; for who looks at what one leaves behind
  };

  Link(const Parts& parts, ReplicaRole role, uint64_t random_seed);

  // Follows until stopped, or until the server has another role.
  Task<void> run(StopToken stop);
  // Ends the wait for the next try.
  void try_now();
  // Ends the connection with this number (LinkProgress::connections) if it is the current one; the
  // link tries again.
  void cut(uint64_t connection);

 private:
  Task<Result<void>> follow_once(StopToken stop);
  Task<Result<std::unique_ptr<ByteStream>>> connect(StopToken stop);
  Task<Result<void>> load_snapshot(LinkWire& wire, Position cut, StopToken stop);
  Task<Result<void>> follow(const ByteStream& stream, LinkWire& wire, StopToken stop);
  Task<Result<void>> apply_stream(const ByteStream& stream, LinkWire& wire, Event& acknowledge);
  Task<Result<size_t>> read_stream(LinkWire& wire);
  Task<void> acknowledge_when_asked(LinkWire& wire, Event& acknowledge, StopToken stop);

  Result<bool> install(DatasetLoad& load, const Position& cut);
  void place_log(const AllStripes& all, const DatasetLoad& load, const Position& cut);
  Result<void> continue_history(const Continue& answer);
  // The role is still the one that this link was made for. Stable while any stripe is held.
  bool is_wanted() const { return engine_.is_replica_since(parts_.role_generation); }
  std::optional<Position> held_position() const;
  LinkIdentity identity() const;
  void enter(LinkPhase phase) { parts_.state.enter(parts_.role_generation, phase); }
  // Tells why the attempt ended; how long to wait before the next one.
  int64_t end_attempt(const std::string& reason);

  const Parts parts_;
  Engine& engine_;
  const ReplicaRole role_;
  LinkBackoff backoff_;
  StreamApply apply_;
  std::optional<Stop> connection_;      // of the current or last attempt
  std::optional<Stop> pause_;           // the current or last wait for the next one
  LinkEnding attempt_;                  // what is known of it so far
  bool only_a_snapshot_helps_ = false;  // the stream cannot be applied from where it is
};

}  // namespace tandem
