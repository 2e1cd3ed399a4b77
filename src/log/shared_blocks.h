// Bytes that come at one end and go out to several readers, each at its own pace and from one copy:
// what the replication log and the stream of a snapshot have in common.
//
//   writer --write, publish--> [block][block][block] <--peek/advance-- Cursor "replica a"
//                               ^ first held      ^ end()           \- Cursor "replica b"
//
// Bytes are written once and never change; what is before end() is visible to every reader. Held
// are as many of the newest bytes as Retention says, in whole blocks, and whatever a cursor has not
// passed yet. A cursor that lags by more than its own limit is lost: it holds nothing back any
// more.
//
// A cursor that has read everything may have its bell rung when more is there. A publish never
// waits for a reader: with nobody to ring for it costs one look.
//
// Threads: end(), bytes_beyond_retention(), ring_readers() and the cursors' calls are free for any
// thread (a cursor's as it says); the rest REQUIRES `lock`, by which the owner may guard what
// belongs to the bytes.
// Lifetime: the blocks outlive their cursors.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/result.h"

namespace tandem {

class SharedBlocks {
 public:
  class Cursor;
  struct Block;

  struct Retention {
    uint64_t bytes = 0;
    int64_t age_ms = 0;  // what is older goes even below `bytes`; 0: no limit by age
  };
  // Offsets in [first, end] are held.
  struct Window {
    uint64_t first = 0;
    uint64_t end = 0;
    uint64_t bytes_held() const { return end - first; }
  };
  struct CursorInfo {
    std::string name;
    uint64_t offset = 0;
    uint64_t lag_bytes = 0;
    bool lost = false;
  };
  // Blocks that nobody wants any more: to be destroyed without the lock.
  using Freed = std::vector<std::shared_ptr<Block>>;
  // Called under `lock`, from any thread: it does little, and calls nothing of the blocks.
  using Bell = std::function<void()>;

  // Empty, at offset 0. A block has 1 byte to 1 GiB.
  SharedBlocks(uint32_t block_bytes, const Retention& retention);
  ~SharedBlocks();
  SharedBlocks(const SharedBlocks&) = delete;
  SharedBlocks& operator=(const SharedBlocks&) = delete;

  mutable Lock lock;

  // Every byte before it can be read.
  uint64_t end() const { return end_.load(std::memory_order_acquire); }
  // How much more memory the blocks take than Retention asks for, for the sake of cursors.
  uint64_t bytes_beyond_retention() const {
    const uint64_t bytes = block_count_.load(std::memory_order_relaxed) * block_bytes_;
    const uint64_t retained = retained_bytes_.load(std::memory_order_relaxed);
    return bytes > retained ? bytes - retained : 0;
  }
  // Rings for every cursor that waits: the writer has come to the end of a batch. One look when
  // none does. Bytes published before, by this thread, are seen by whoever is rung for.
  void ring_readers() {
    if (ring_at_.load(std::memory_order_relaxed) != kNobody) ring_all();
  }

  // ---- REQUIRE: `lock` held. ----
  // Adds bytes that no reader sees before publish().
  void write(Bytes bytes) TANDEM_REQUIRES(lock);
  Freed publish() TANDEM_REQUIRES(lock);
  // The end, with what is not published yet.
  uint64_t written() const TANDEM_REQUIRES(lock) { return written_; }
  Window window() const TANDEM_REQUIRES(lock) { return {.first = first_held(), .end = written_}; }
  // `offset` lies within window(). When the lag passes `lag_bytes_max` (0: no limit), checked once
  // a block, the cursor is lost.
  std::unique_ptr<Cursor> open(std::string name, uint64_t offset, uint64_t lag_bytes_max, Bell bell)
      TANDEM_REQUIRES(lock);
  std::vector<CursorInfo> cursors() const TANDEM_REQUIRES(lock);
  // Drops every block and loses every cursor.
  Freed drop_all() TANDEM_REQUIRES(lock);
  // The same, and goes on at `offset`.
  Freed restart(uint64_t offset) TANDEM_REQUIRES(lock);
  // What is too much is dropped at once.
  Freed set_retention(const Retention& retention) TANDEM_REQUIRES(lock);
  // Retention by age, from a timer. A block's age counts from the first call that found it full.
  Freed trim(int64_t monotonic_ms) TANDEM_REQUIRES(lock);

 private:
  static constexpr uint64_t kNobody = UINT64_MAX;

  void add_block() TANDEM_REQUIRES(lock);
  Freed collect() TANDEM_REQUIRES(lock);
  uint64_t first_held() const TANDEM_REQUIRES(lock);
  // For every cursor whose place in the bytes has come.
  void ring_due() TANDEM_REQUIRES(lock);
  void ring(Cursor& cursor) TANDEM_REQUIRES(lock);
  void ring_all();

  // Constant after construction.
  const uint32_t block_bytes_;

  // Read without the lock.
  std::atomic<uint64_t> end_{0};
  std::atomic<uint64_t> block_count_{0};
  std::atomic<uint64_t> retained_bytes_;
  // The least end at which a cursor wants to be rung for; changed under the lock.
  std::atomic<uint64_t> ring_at_{kNobody};

  Retention retention_ TANDEM_GUARDED_BY(lock);
  // Contiguous blocks of equal size; all but the last are full. written_ runs ahead of end_ only
  // while the lock is held.
  std::deque<std::shared_ptr<Block>> blocks_ TANDEM_GUARDED_BY(lock);
  uint64_t written_ TANDEM_GUARDED_BY(lock) = 0;
  bool block_added_ TANDEM_GUARDED_BY(lock) = false;  // since the last publish
  int64_t trimmed_at_ms_ TANDEM_GUARDED_BY(lock) = 0;
  std::vector<Cursor*> cursors_ TANDEM_GUARDED_BY(lock);
};

// One reader's place. Named for INFO.
//
// Threads: peek(), advance(), ring_behind() and the destructor belong to one thread at a time,
// which need not be a writer's; the rest may be called from any thread.
class SharedBlocks::Cursor {
 public:
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // The published bytes from this place to the end of their block, without a copy; empty when the
  // reader is at the end. They stay valid until the next peek() or the destructor, even when the
  // cursor is lost meanwhile. kLimit: the cursor is lost, and stays so.
  Result<Bytes> peek();
  // The reader is done with the first `count` of the bytes that peek() returned.
  void advance(size_t count);

  // Has the bell rung once: when `bytes` (at least 1) are there, at the next ring_readers(), or
  // when the cursor is lost, whichever comes first. False: there is something to read already, or
  // the cursor is lost, and nobody will ring.
  bool ring_behind(uint64_t bytes);

  // Gives up this place: later calls of peek() fail, and nothing is held back for it.
  void lose() { lost_.store(true, std::memory_order_release); }
  bool lost() const { return lost_.load(std::memory_order_acquire); }

  const std::string& name() const { return name_; }
  uint64_t offset() const { return offset_.load(std::memory_order_acquire); }
  uint64_t lag_bytes() const;
  uint64_t lag_bytes_max() const { return lag_bytes_max_.load(std::memory_order_relaxed); }
  // Another limit from here on; who lags by more than that now is lost at once.
  void set_lag_bytes_max(uint64_t bytes);

 private:
  friend class SharedBlocks;
  Cursor(SharedBlocks& blocks, std::string name, uint64_t offset, uint64_t lag_bytes_max,
         Bell bell);

  SharedBlocks& blocks_;
  const std::string name_;
  const Bell bell_;  // may be null
  std::atomic<uint64_t> lag_bytes_max_;
  std::atomic<uint64_t> offset_;
  std::atomic<bool> lost_{false};
  uint64_t ring_at_ = kNobody;  // guarded by the blocks' lock
  // Only the reader's thread: the block that offset_ lies in, kept alive by this reference; null
  // before the first byte.
  std::shared_ptr<Block> block_;
};

}  // namespace tandem
