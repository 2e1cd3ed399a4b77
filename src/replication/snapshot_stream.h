// The RDB stream of one walk on its way to several replicas: one copy, in memory as far as all of
// them keep up, and in a file for those who do not.
//
//   walker --append--> memory [about kMemoryBytesMax] <-- readers that keep up
//                 \--> file, once there is one        <-- readers that fell behind, and those who
//                                                         must know the length beforehand
//
// In memory the stream waits for its slowest reader: who appends looks at lag_bytes() first, and
// pauses. Once there is a file nobody need be waited for: a reader that falls behind goes on from
// there. The file has no name, so nothing is left of it, however this ends.
//
// Threads: append(), begin_file() and finish() belong to the walk, one call at a time, off the
// loops; a reader to its session's loop, but for what it says of itself; the rest to any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/lock.h"
#include "base/result.h"
#include "io/files.h"
#include "io/loop.h"
#include "io/task.h"
#include "io/wait.h"
#include "log/shared_blocks.h"

namespace tandem {

class SnapshotStream {
 public:
  static constexpr uint64_t kMemoryBytesMax = 1024 * 1024;

  class Reader;

  // `files` may be null: then no file can be had.
  explicit SnapshotStream(Files* files);
  SnapshotStream(const SnapshotStream&) = delete;
  SnapshotStream& operator=(const SnapshotStream&) = delete;

  void append(Bytes piece);
  // From here on, and with what memory still holds, the stream goes to a file, too; readers that
  // lag by more than kMemoryBytesMax are served from there.
  Result<void> begin_file();
  // Nothing more comes.
  void finish() { complete_.store(true, std::memory_order_release); }

  bool complete() const { return complete_.load(std::memory_order_acquire); }
  uint64_t end() const { return end_.load(std::memory_order_acquire); }
  // There is one, and what was appended is in it. It ends with the first write that fails.
  bool has_file() const { return has_file_.load(std::memory_order_acquire); }

 private:
  friend class Reader;
  static constexpr uint64_t kNoFile = UINT64_MAX;

  Result<void> open_file() TANDEM_REQUIRES(file_lock_);
  Result<void> copy_memory() TANDEM_REQUIRES(file_lock_);
  void lose_file(const Error& why) TANDEM_REQUIRES(file_lock_);
  Result<std::string> read_file(uint64_t offset) const;

  Files* const files_;
  SharedBlocks memory_;
  std::atomic<uint64_t> end_{0};
  std::atomic<bool> complete_{false};
  std::atomic<bool> has_file_{false};
  std::atomic<uint64_t> file_begins_at_{kNoFile};  // kept when the file is lost

  // Appending and reading take turns.
  mutable Lock file_lock_;
  std::unique_ptr<File> file_ TANDEM_GUARDED_BY(file_lock_);
};

// One replica's place in the stream.
class SnapshotStream::Reader {
 public:
  // At the stream's beginning, before anything is appended. `whole`: it reads from the file alone,
  // and holds nothing in memory.
  Reader(std::shared_ptr<SnapshotStream> stream, std::string name, bool whole);

  // The bytes that come next, or none where there are none yet; valid until the next call. An
  // error: it fell behind, and there is no file that has its place.
  Task<Result<Bytes>> next(Loop& loop, StopToken stop);
  // The reader is done with the first `count` of them.
  void advance(size_t count);

  // ---- Any thread. ----
  // How much of what memory holds it has yet to take; 0 for one that reads from the file.
  uint64_t lag_in_memory() const;
  bool has_all() const { return offset_.load(std::memory_order_acquire) == feed_->end(); }
  // Memory holds nothing for it any more: from the file, or not at all.
  void fall_behind() {
    if (memory_) memory_->lose();
  }

 private:
  const std::shared_ptr<SnapshotStream> feed_;
  const std::unique_ptr<SharedBlocks::Cursor> memory_;  // null: it reads from the file alone
  std::atomic<uint64_t> offset_{0};
  // From the file: what was read, and how much of it was taken.
  std::string part_;
  size_t taken_ = 0;
};

}  // namespace tandem
