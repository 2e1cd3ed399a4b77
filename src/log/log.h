// The replication log: every write of this server as bytes in one order, held in memory for whoever
// reads them.
//
// A byte's place in the log is its replication offset. Bytes are written once and never change;
// what is before `end()` is committed and visible to every reader. Nothing here survives the
// process: the log's segments on disk, where there are any, are written by one more reader.
//
//   writers --append--> [block][block][block] <--peek/advance-- LogCursor "replica 10.0.0.2:6379"
//                        ^ first held       ^ end()          \- LogCursor "disk"
//
// Readers pull. An append takes a lock of some 15 ns, copies, publishes the end with a release
// store, and returns: it never waits for, calls or knows a reader, and it never fails.
//
// What is held: the backlog (as many of the newest bytes as LogOptions says, in whole blocks) and
// whatever an open cursor has not yet passed. A cursor that lags more than its own limit is lost:
// it holds nothing back any more.
//
// Activity: a log that nobody reads is inactive, appends nothing, and its offset stands still.
// Becoming active and inactive, reset() and adopt_id() happen while the caller holds every stripe
// of the keyspace, so that each write is wholly on one side of the change. append() is called while
// the stripes of the keys written are held: that makes the order in the log the order of execution.
//
// Threads: internally synchronized. Lifetime: the log outlives its cursors.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/result.h"
#include "log/position.h"

namespace tandem {

struct LogOptions {
  uint32_t block_bytes = 64 * 1024;  // 1 to 1 GiB
  uint64_t backlog_bytes =
      1024 * 1024;  // how much the log keeps on its own account (repl-backlog-size)
  int64_t backlog_ms =
      0;  // drop what is older than this, even below backlog_bytes; 0: no limit by age
};

// What is held: offsets in [first, end].
struct LogWindow {
  uint64_t first = 0;
  uint64_t end = 0;
  uint64_t bytes_held() const { return end - first; }
};

// The names under which this log's bytes are known. Up to `id2_valid_until` they are also the
// history `id2`, which this server followed before its promotion (PSYNC2's second id); `id2` is
// none where there was no such history.
struct LogHistory {
  ReplicationId id;
  ReplicationId id2;
  uint64_t id2_valid_until = 0;
};

struct LogCursorInfo {
  std::string name;
  uint64_t offset = 0;
  uint64_t lag_bytes = 0;
  bool lost = false;
};

class Log {
 public:
  class Cursor;

  // The context of a record that no append has used yet; the next append puts its prefix first.
  static constexpr uint32_t kNoContext = UINT32_MAX;

  // Inactive, empty, at offset 0 of the history `id`.
  Log(const LogOptions& options, const ReplicationId& id);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // False: nothing is appended, so nobody need build a record. A relaxed load; stable while any
  // stripe is held.
  bool active() const { return active_.load(std::memory_order_relaxed); }

  // Starts to keep bytes, in a new history: writes made while inactive were not counted, so no
  // earlier id names this data. Requires all stripes. Already active: does nothing.
  void activate(const ReplicationId& fresh);
  // Drops every block and loses every cursor. Requires all stripes.
  void deactivate();

  // Adds `record` at the end and returns the end after it. When `context` differs from that of the
  // append before, `context_prefix` goes first, with nothing in between (in practice the database
  // and its SELECT; the log does not know). Inactive: adds nothing and returns the end. Thread
  // safe.
  uint64_t append(Bytes record, uint32_t context, Bytes context_prefix);
  // Adds bytes that need no prefix and change no context: PING, or a primary's stream at its
  // replica.
  uint64_t append_verbatim(Bytes bytes);
  // The next append repeats its prefix: after the cut of a full sync, and at promotion.
  void forget_context();
  // The bytes of a replica's stream that were applied last selected this context; a snapshot tells
  // it on.
  void set_context(uint32_t context);
  uint32_t context() const;

  // The committed end: every byte before it can be read.
  uint64_t end() const { return end_.load(std::memory_order_acquire); }
  LogWindow window() const;

  LogHistory history() const;
  Position position() const;  // the id and the end, taken together
  // The history goes on under a new id from here; what came before is also known as the old one
  // (promotion). A new id with the same bytes, told by a primary (+CONTINUE <id>), is the same
  // change. Requires all stripes.
  void adopt_id(const ReplicationId& fresh);
  // A second id learnt otherwise (from a snapshot file at start).
  void set_second_id(const ReplicationId& id2, uint64_t valid_until);
  // A full sync ended: drops every block, loses every cursor, and goes on at `position`, active. No
  // second id, no context. Requires all stripes.
  void reset(const Position& position);

  // A reader that starts at `offset`, which must lie within window(); kLimit says that it does not.
  // When the lag passes `lag_bytes_max` (0: no limit), checked once a block, the cursor is lost.
  Result<std::unique_ptr<Cursor>> open(std::string name, uint64_t offset, uint64_t lag_bytes_max);
  std::unique_ptr<Cursor> open_at_end(std::string name, uint64_t lag_bytes_max);
  std::vector<LogCursorInfo> cursors() const;

  // Changes LogOptions' two limits; what is too much is dropped at once.
  void set_retention(uint64_t backlog_bytes, int64_t backlog_ms);
  // Retention by age; call it from a timer. A block's age counts from the first call that found it
  // full.
  void trim(int64_t monotonic_ms);

 private:
  struct Block;
  struct Key {};  // only the log makes cursors
  using BlockList = std::vector<std::shared_ptr<Block>>;

  void write(Bytes bytes) TANDEM_REQUIRES(lock_);
  void add_block() TANDEM_REQUIRES(lock_);
  uint64_t publish() TANDEM_REQUIRES(lock_);
  BlockList collect() TANDEM_REQUIRES(lock_);
  BlockList drop_all() TANDEM_REQUIRES(lock_);
  std::unique_ptr<Cursor> register_cursor(std::string name, uint64_t offset, uint64_t lag_bytes_max)
      TANDEM_REQUIRES(lock_);
  uint64_t first_held() const TANDEM_REQUIRES(lock_);

  // Constant after construction.
  const uint32_t block_bytes_;

  // Read without the lock.
  std::atomic<bool> active_{false};
  std::atomic<uint64_t> end_{0};

  mutable Lock lock_;
  uint64_t backlog_bytes_ TANDEM_GUARDED_BY(lock_);
  int64_t backlog_ms_ TANDEM_GUARDED_BY(lock_);
  LogHistory history_ TANDEM_GUARDED_BY(lock_);
  uint32_t context_ TANDEM_GUARDED_BY(lock_) = kNoContext;
  // Contiguous blocks of equal size; all but the last are full. The end of what is written is
  // written_; it runs ahead of end_ only while the lock is held.
  std::deque<std::shared_ptr<Block>> blocks_ TANDEM_GUARDED_BY(lock_);
  uint64_t written_ TANDEM_GUARDED_BY(lock_) = 0;
  int64_t trimmed_at_ms_ TANDEM_GUARDED_BY(lock_) = 0;
  std::vector<Cursor*> cursors_ TANDEM_GUARDED_BY(lock_);
};

// One reader's place. Named for INFO.
//
// Threads: peek(), advance() and the destructor belong to one thread at a time, which need not be a
// writer's; the rest may be called from any thread.
class Log::Cursor {
 public:
  Cursor(Key key, Log& log, std::string name, uint64_t offset, uint64_t lag_bytes_max);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // The committed bytes from this place to the end of their block, without a copy; empty when the
  // reader is at the end. They stay valid until the next peek() or the destructor, even when the
  // cursor is lost meanwhile. kLimit: the cursor is lost, and stays so.
  Result<Bytes> peek();
  // The reader is done with the first `count` of the bytes that peek() returned.
  void advance(size_t count);

  // Gives up this place: later calls of peek() fail, and the log holds nothing back for it.
  void lose() { lost_.store(true, std::memory_order_release); }
  bool lost() const { return lost_.load(std::memory_order_acquire); }

  const std::string& name() const { return name_; }
  uint64_t offset() const { return offset_.load(std::memory_order_acquire); }
  uint64_t lag_bytes() const;
  uint64_t lag_bytes_max() const { return lag_bytes_max_.load(std::memory_order_relaxed); }
  // Another limit from here on; who lags by more than that now is lost at once.
  void set_lag_bytes_max(uint64_t bytes);

 private:
  Log& log_;
  const std::string name_;
  std::atomic<uint64_t> lag_bytes_max_;
  std::atomic<uint64_t> offset_;
  std::atomic<bool> lost_{false};
  // Only the reader's thread: the block that offset_ lies in, kept alive by this reference; null
  // before the first byte.
  std::shared_ptr<Block> block_;
};

using LogCursor = Log::Cursor;

}  // namespace tandem
