// Full syncs of this server's replicas: one snapshot walk serves all of them that ask within
// repl-diskless-sync-delay.
//
//   sessions --join--> [waiting] --delay--> one cut: each gets its place in the log and in the
//                                           snapshot's stream
//   walker --append--> SnapshotStream <--next/advance-- each session, at its own pace
//
// The walk pauses for who takes its bytes slowly, as long as that hurts nobody: at most for half of
// repl-timeout in all while somebody else waits (another replica of this walk that has taken
// everything, one that came later, a save), and not at all once writers have handed in
// kHandedInBytesMax. Then the stream goes on in a file for the slow ones; where no file can be had
// they are let go. Writers wait for nobody.
//
// Threads: run() belongs to the replication loop; join() and leave() to any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/lock.h"
#include "base/random.h"
#include "engine/engine.h"
#include "engine/rdb_snapshot.h"
#include "io/event.h"
#include "io/files.h"
#include "io/loop.h"
#include "io/task.h"
#include "log/log.h"
#include "replication/options.h"
#include "replication/replica_registry.h"
#include "replication/snapshot_stream.h"

namespace tandem {

// The version that a replica gets which says that it reads `said`; 0: it does not say.
int rdb_version_for(int said, const ReplicationOptions& options);

// One replica's part in a full sync. Its session holds it, and reads what ready() guards.
class FullSyncTicket {
 public:
  FullSyncTicket(std::string ticket_name, const ReplicaHello& hello, uint64_t lag_max,
                 Doorbell& wake)
      : name(std::move(ticket_name)),
        understands_mark(hello.understands_mark),
        rdb_version(hello.rdb_version),
        lag_bytes_max(lag_max),
        bell(&wake) {}

  bool ready() const { return ready_.load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  // Constant.
  const std::string name;
  const bool understands_mark;
  const int rdb_version;         // that it reads; 0: it did not say
  const uint64_t lag_bytes_max;  // of its place in the log; 0: no limit

  // Once ready(), for the session's thread.
  Position cut;
  std::string mark;  // forty digits that end the transfer
  std::shared_ptr<SnapshotStream> stream;
  std::unique_ptr<SnapshotStream::Reader> snapshot;  // in the stream, from its start
  std::unique_ptr<LogCursor> log;                    // from the cut on

  // For FullSyncs, under its lock.
  Doorbell* bell;  // null once the session left

  void set_ready() { ready_.store(true, std::memory_order_release); }
  void set_failed() { failed_.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> ready_{false};
  std::atomic<bool> failed_{false};
};

class FullSyncs {
 public:
  // Of what writers hand in while the walk pauses.
  static constexpr size_t kHandedInBytesMax = 64 * 1024 * 1024;

  using Ticket = std::shared_ptr<FullSyncTicket>;

  // `files`: where a stream goes that somebody takes slowly; null: nowhere. It outlives this.
  FullSyncs(Loop& loop, Engine& engine, const ReplicationOptions& options, uint64_t random_seed,
            Files* files = nullptr);

  // Serves who waits, until stopped.
  Task<void> run(StopToken stop);

  // `wake` is rung when the ticket becomes ready, when bytes are there, and when it failed; it
  // lives until leave().
  Ticket join(std::string name, const ReplicaHello& hello, uint64_t lag_bytes_max, Doorbell& wake);
  void leave(FullSyncTicket& ticket);
  // The session took bytes from its stream.
  void taken() { taken_bell_.ring(); }

  // For INFO and for people.
  bool running() const { return running_.load(); }
  uint64_t completed() const { return completed_.load(); }

 private:
  using Tickets = std::vector<Ticket>;

  int64_t delay_left_ms() const;
  Task<void> serve_waiting(StopToken stop);
  // False: nobody is left to be served.
  Task<bool> prepare_file(std::shared_ptr<SnapshotStream> stream);
  Task<bool> send(std::shared_ptr<RdbSnapshot> snapshot, std::shared_ptr<SnapshotStream> stream,
                  Tickets tickets, StopToken stop);
  Task<void> let_slow_ones_go(std::shared_ptr<SnapshotStream> stream, Tickets tickets);
  Tickets admit(const std::shared_ptr<SnapshotStream>& stream, int version);
  int version_for(const FullSyncTicket& ticket) const {
    return rdb_version_for(ticket.rdb_version, options_);
  }
  bool is_held_up(const SnapshotStream& stream, const Tickets& tickets) const;
  bool somebody_waits(const Tickets& tickets) const;
  bool anybody_left(const Tickets& tickets) const;
  void ring(const Tickets& tickets);
  RdbSnapshot::Options snapshot_options() const;

  Loop& loop_;
  Engine& engine_;
  const ReplicationOptions& options_;
  Files* const files_;
  Random random_;
  Event changed_{loop_};  // somebody joined or left
  Event taken_{loop_};
  Doorbell changed_bell_{loop_, [this] { changed_.notify(); }};
  Doorbell taken_bell_{loop_, [this] { taken_.notify(); }};
  std::atomic<bool> running_{false};
  std::atomic<uint64_t> completed_{0};

  mutable Lock lock_;
  Tickets waiting_ TANDEM_GUARDED_BY(lock_);
  int64_t first_joined_ms_ TANDEM_GUARDED_BY(lock_) = 0;
};

}  // namespace tandem
