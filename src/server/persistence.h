// The RDB file, as it is written: by SAVE, BGSAVE, the save points and a graceful shutdown. (It is
// read at start, server/file_load.h.) It goes to a temporary file that is synced and renamed, so
// that the file is the old one or the new one, also after a crash. Each writing has the engine's
// one turn for a snapshot; a full sync of replicas may have it, too.
//
// FLUSHALL leaves nothing worth saving: a background save under way is given up, and with save
// points the empty dataset goes to disk at the next check().
//
// Threads: save(), begin_background() and the figures from any thread; check() from one. Background
// saves run on a thread of their own, which sleeps when there is nothing to do.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "config/server_options.h"
#include "engine/engine.h"
#include "engine/rdb_snapshot.h"
#include "io/files.h"
#include "stats/info.h"

namespace tandem {

class Persistence {
 public:
  struct Parts {
    Engine& engine;
    const PersistenceOptions& options;
    Files& files;
    std::function<int64_t()> total_changes;  // any thread
  };

  explicit Persistence(Parts parts);
  ~Persistence();

  // A snapshot, for the file or for replicas.
  bool is_under_way() const { return parts_.engine.snapshot_turn.taken(); }
  // kRefused: one is under way.
  Result<void> begin_background();
  // With the next check().
  void schedule() { scheduled_.store(true); }
  // Writes the file on this thread. kRefused: a snapshot is under way.
  Result<void> save();
  Result<void> save(SnapshotTurn::Held turn);

  // About every 100 ms: the save points, what was scheduled, and FLUSHALL.
  void check();
  // Whether writes are refused follows the last save and the options; to be called when they
  // change.
  void settle_gate();

  int64_t last_save_unix_s() const { return last_save_unix_s_.load(); }
  int64_t changes_since_save() const { return parts_.total_changes() - changes_at_save_.load(); }
  // CONFIG RESETSTAT.
  void reset_saves() { saves_.store(0); }
  bool has_save_points() const { return !parts_.options.save_points.get().empty(); }
  PersistenceFigures figures() const;

 private:
  enum class Kind { kForeground, kBackground };

  void run_background();
  Result<void> write_file(SnapshotTurn::Held turn, Kind kind);
  Result<void> write_snapshot(RdbSnapshot& snapshot, Kind kind);
  Result<void> pump(RdbSnapshot& snapshot, File& file, Kind kind);
  bool is_given_up(const RdbSnapshot& snapshot, Kind kind) const;
  void finish(const Result<void>& outcome, Kind kind);
  bool is_due(const SavePoint& point) const;
  std::string path() const;

  const Parts parts_;

  std::atomic<bool> writing_{false};
  std::atomic<bool> scheduled_{false};
  std::atomic<bool> last_ok_{true};
  std::atomic<int64_t> last_save_unix_s_;
  std::atomic<int64_t> last_try_ms_{0};
  std::atomic<int64_t> last_seconds_{-1};
  std::atomic<int64_t> started_ms_{0};
  std::atomic<int64_t> changes_at_save_{0};
  std::atomic<uint64_t> flushes_at_save_{0};
  std::atomic<uint64_t> flushes_at_cut_{0};  // of the save under way
  std::atomic<int64_t> saves_{0};
  std::atomic<int64_t> keys_total_{0};
  std::atomic<int64_t> keys_written_{0};

  std::mutex foreground_;  // one SAVE waits for the other
  std::mutex lock_;
  std::condition_variable changed_;
  SnapshotTurn::Held wanted_;  // of a background save that is to begin
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace tandem
