// When the RDB file is written: by SAVE, BGSAVE, the save points and a graceful shutdown; how it is
// written, and read at start, tells server/persistence/rdb_file.h. It goes to a temporary file that
// is synced and renamed, so that the file is the old one or the new one, also after a crash. Each
// writing has the engine's one turn for a snapshot; a full sync of replicas may have it, too.
//
// FLUSHALL leaves nothing worth saving: a background save under way is given up, and with save
// points the empty dataset goes to disk at the next check().
//
// Threads: begin_background(), save_for() and the figures from any thread; check() from one. Their
// saves are done off the loops, in steps (io/background.h): first the cut, then a part of the file
// each (server/persistence/rdb_file.h). A worker never writes a save itself: the cut waits for all
// stripes, perhaps behind a script that does not end, and who may kill it must be served.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "engine/engine.h"
#include "engine/rdb_snapshot.h"
#include "io/background.h"
#include "io/files.h"
#include "server/persistence/rdb_file.h"

namespace tandem {

struct PersistenceFigures {
  int64_t changes_since_save = 0;
  bool save_in_progress = false;
  int64_t last_save_unix_s = 0;
  bool last_save_ok = true;
  int64_t last_save_seconds = -1;
  int64_t current_save_seconds = -1;
  int64_t saves = 0;
  int64_t keys_processed = 0;
  int64_t keys_total = 0;
};

class Persistence {
 public:
  // About how much goes to the disk at once.
  static constexpr size_t kWriteBytes = size_t{256} * 1024;

  struct Parts {
    Engine& engine;
    const PersistenceOptions& options;
    Files& files;
    std::function<int64_t()> total_changes;  // any thread
    size_t write_bytes = kWriteBytes;
  };

  // `background` is for this alone.
  Persistence(Parts parts, std::unique_ptr<Background> background);
  // What runs in the background is given up, and nothing of `parts` is used any more. Nobody may
  // begin a save from here on.
  void end() { background_.reset(); }

  // A snapshot, for the file or for replicas.
  bool is_under_way() const { return parts_.engine.snapshot_turn.taken(); }
  // Somebody was refused for that: a full sync that takes its time is to know.
  void want_turn() { parts_.engine.snapshot_turn.want(); }
  // kRefused: one is under way.
  Result<void> begin_background();
  // With the next check().
  void schedule() { scheduled_.store(true); }
  // SAVE for a client that waits: written in the background, and `ended` is told there how it went.
  // Who asks while such a save is under way gets the next one, so that it holds what was written
  // before. kRefused: another snapshot is under way.
  using Ended = std::function<void(const Result<void>&)>;
  void save_for(Ended ended);
  // Something else that may take long, behind the saves that were begun before.
  void in_background(std::function<void()> work);
  // Writes the file on this thread, for who cannot wait otherwise. kRefused: a snapshot is under
  // way.
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

  // One save, from its turn on.
  struct Save {
    SnapshotTurn::Held turn;
    Kind kind;
    int64_t changes = 0;                           // at the cut
    std::unique_ptr<SnapshotFile> file = nullptr;  // from the cut on
  };

  // One save for all clients that asked before it began.
  struct AwaitedSave {
    std::optional<Save> save;
    std::vector<Ended> clients;
  };

  // Whether there is more to do.
  bool advance_awaited(AwaitedSave& awaited);
  bool begin_next(AwaitedSave& awaited);
  Result<void> run(Save save);
  // Nothing: there is more to do.
  std::optional<Result<void>> advance(Save& save);
  Result<bool> step(Save& save);
  void take_cut(Save& save);
  bool is_given_up(const Save& save) const;
  void finish(const Result<void>& outcome, Kind kind);
  bool is_a_point_due() const;
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

  std::mutex awaited_lock_;
  bool awaited_ = false;             // a save that clients wait for is under way
  std::vector<Ended> next_awaited_;  // who gets the one after it
  // Last: its steps use all the rest.
  std::unique_ptr<Background> background_;
};

}  // namespace tandem
