// The RDB file: how it is loaded at start, and how it is written.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/options.h"
#include "engine/dataset_load.h"
#include "engine/engine.h"
#include "engine/rdb_snapshot.h"
#include "io/background.h"
#include "io/files.h"
#include "log/log.h"

namespace tandem {

// The RDB file at start: read off the loops while clients are answered already, with -LOADING for
// the most part. The dataset takes its place as a whole at the end; a file that is cut short or
// corrupt leaves nothing behind.
//
// Threads: start(), give_up() and the destructor belong to one thread, figures() to any.

// The file that is read at start, or was.
struct LoadFigures {
  bool running = false;
  int64_t started_unix_s = 0;
  int64_t running_seconds = 0;
  int64_t bytes_total = 0;
  int64_t bytes_read = 0;
  int64_t memory_bytes_at_save = 0;  // as the file tells
  int64_t keys_loaded = 0;
  int64_t keys_expired = 0;
};

class FileLoad {
 public:
  struct Parts {
    Engine& engine;
    const PersistenceOptions& options;
    Files& files;
    // Where the data are in a history, if the file says it. Called in the moment when
    // the data take their place. Null: the log stays.
    std::function<void(const AllStripes&, const DatasetPlace&)> place_log{};
  };
  struct Loaded {
    std::optional<Position> position;  // of the log at the file's cut, if the file says it
  };
  // Nothing: there is no file. The error says what is wrong and where; kCancelled: given up.
  using Outcome = Result<std::optional<Loaded>>;

  // `background` is for this alone.
  FileLoad(const Parts& parts, std::unique_ptr<Background> background)
      : parts_(parts), background_(std::move(background)) {}
  ~FileLoad() { end(); }

  // A primary leaves out keys whose time is over (engine/dataset_load.h). `done` is called in the
  // background. Once.
  void start(bool primary, std::function<void(Outcome)> done);
  void give_up() { given_up_.store(true); }
  // Gives up and waits.
  void end() {
    give_up();
    background_.reset();
  }

  // The same on the caller's thread.
  Outcome load(bool primary);
  // DEBUG RELOAD: reads the file once more, on the caller's thread; the log stays where it is.
  // Nobody may write meanwhile. An error: nothing has changed.
  Result<void> reload(bool primary, Former former);

  LoadFigures figures() const;

 private:
  // Null: there is no file.
  Result<std::unique_ptr<DatasetLoad>> read(bool primary);
  Result<void> read(const File& file, DatasetLoad& load);
  void tell(const DatasetLoad& load) const;

  const Parts parts_;
  std::atomic<bool> given_up_{false};
  std::atomic<int64_t> started_unix_s_{0};
  std::atomic<int64_t> started_ms_{0};
  std::atomic<int64_t> bytes_total_{0};
  std::atomic<int64_t> bytes_read_{0};
  std::atomic<int64_t> memory_at_save_{0};
  std::atomic<int64_t> keys_loaded_{0};
  std::atomic<int64_t> keys_expired_{0};
  bool started_ = false;
  // Last: its step uses all the rest.
  std::unique_ptr<Background> background_;
};

// One writing of the RDB file, a step at a time: a snapshot goes to a temporary file beside the old
// one, which is synced and takes the old one's name, and the folder is synced. At whatever step it
// ends, by a crash or because it is given up, the file is the old one or the new one as a whole.
//
// Confined to one thread at a time, the walker's of the snapshot. Files outlive it.
class SnapshotFile {
 public:
  // `bytes_max`: about how much goes to the disk with one call.
  SnapshotFile(Files& files, std::string path, std::unique_ptr<RdbSnapshot> snapshot,
               size_t bytes_max);
  // Without the last step nothing is left of it, unless it is in place.
  ~SnapshotFile();
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;

  // True: there is more to do. An error is final, and so is false: the file is durable.
  Result<bool> step();

  // It has the file's name: it cannot be given up any more.
  bool in_place() const { return next_ == Next::kSyncFolder || next_ == Next::kNothing; }
  const RdbSnapshot& snapshot() const { return *snapshot_; }

 private:
  enum class Next { kOpen, kWrite, kSync, kRename, kSyncFolder, kNothing };

  Result<bool> then(Next next, const Result<void>& done);
  Result<void> open();
  // Part of the snapshot; true: that was the last of it.
  Result<bool> write();

  Files& files_;
  const std::string path_;
  const std::string temporary_;
  const size_t bytes_max_;
  const std::unique_ptr<RdbSnapshot> snapshot_;
  std::unique_ptr<File> file_;
  std::string piece_;
  std::string pending_;
  Next next_ = Next::kOpen;
};

// Removes from `folder` the temporary files of saves whose process is gone, and those with this
// process's own number, for in a container all have the same. To be called before the first save.
void remove_abandoned_files(Files& files, const std::string& folder);

}  // namespace tandem
