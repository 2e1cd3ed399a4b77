// The RDB file, as it is written: by SAVE, BGSAVE, the save points and a graceful shutdown. (It is
// read at start, server/file_load.h.) One writing at a time; it goes to a temporary file that is
// synced and renamed, so that the file is the old one or the new one, also after a crash.
//
// Threads: begin_background(), save_now() and the figures from any thread; check() from one.
// Background saves run on a thread of their own, which sleeps when there is nothing to do.
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

  // kRefused: one runs already.
  Result<void> begin_background();
  // BGSAVE SCHEDULE, or when something else holds the snapshot: as soon as possible.
  void schedule() { scheduled_.store(true); }
  // Writes the file on this thread.
  Result<void> save_now();
  // Makes a running background save give up, and waits until it has.
  void abort_background();

  // About every 100 ms: the save points, and what was scheduled.
  void check();

  bool background_running() const { return running_.load(); }
  int64_t last_save_unix_s() const { return last_save_unix_s_.load(); }
  int64_t changes_since_save() const { return parts_.total_changes() - changes_at_save_.load(); }
  bool has_save_points() const { return !parts_.options.save_points.get().empty(); }
  PersistenceFigures figures() const;

 private:
  void run_background();
  Result<void> write_file();
  Result<void> write_snapshot(RdbSnapshot& snapshot, const std::string& path);
  Result<void> pump(RdbSnapshot& snapshot, File& file);
  void finish(const Result<void>& outcome, int64_t started_ms);
  std::string path() const;

  const Parts parts_;

  std::atomic<bool> running_{false};
  std::atomic<bool> scheduled_{false};
  std::atomic<bool> aborting_{false};
  std::atomic<bool> last_ok_{true};
  std::atomic<int64_t> last_save_unix_s_;
  std::atomic<int64_t> last_try_ms_{0};
  std::atomic<int64_t> last_seconds_{-1};
  std::atomic<int64_t> started_ms_{0};
  std::atomic<int64_t> changes_at_save_{0};
  std::atomic<int64_t> saves_{0};
  std::atomic<int64_t> keys_total_{0};
  std::atomic<int64_t> keys_written_{0};

  std::mutex lock_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tandem
