// One writing of the RDB file, a step at a time: a snapshot goes to a temporary file beside the old
// one, which is synced and takes the old one's name, and the folder is synced. At whatever step it
// ends, by a crash or because it is given up, the file is the old one or the new one as a whole.
//
// Confined to one thread at a time, the walker's of the snapshot. Files outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/rdb_snapshot.h"
#include "io/files.h"

namespace tandem {

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
