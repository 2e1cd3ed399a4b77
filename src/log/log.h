// The replication log, and places in it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/result.h"
#include "log/shared_blocks.h"

namespace tandem {

// A place in a replication history: which history (the id) and how many bytes of it came before
// (the offset).
//
// Offsets count bytes from the start of the history: offset N means that N bytes precede it.
// Redis's wire names the *next* byte instead, starting at one, so `PSYNC <id> M` asks for the place
// M - 1; only the code that reads or writes that wire converts.

// Forty lower-case hexadecimal digits, a value. The default is forty zeros, which names no history
// (as in Redis's INFO for a missing second id).
class ReplicationId {
 public:
  static constexpr size_t kLength = 40;

  ReplicationId() { text_.fill('0'); }
  static ReplicationId generate(Random& random);
  // Forty hexadecimal digits of either case; anything else is nothing.
  static std::optional<ReplicationId> parse(Bytes text);

  // Valid as long as this object.
  Bytes text() const { return {text_.data(), kLength}; }
  bool is_none() const { return *this == ReplicationId(); }

  friend bool operator==(const ReplicationId&, const ReplicationId&) = default;

 private:
  std::array<char, kLength> text_;
};

struct Position {
  ReplicationId id;
  uint64_t offset = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

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
// Readers pull (log/shared_blocks.h). An append takes a lock of some 15 ns, copies, publishes the
// end with a release store, and returns: it never waits for a reader, and it never fails. A reader
// that waits for more is rung for.
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

struct LogOptions {
  uint32_t block_bytes = 64 * 1024;  // 1 to 1 GiB
  uint64_t backlog_bytes =
      1024 * 1024;  // how much the log keeps on its own account (repl-backlog-size)
  int64_t backlog_ms =
      0;  // drop what is older than this, even below backlog_bytes; 0: no limit by age
};

using LogWindow = SharedBlocks::Window;
using LogCursor = SharedBlocks::Cursor;
using LogCursorInfo = SharedBlocks::CursorInfo;

// The names under which this log's bytes are known. Up to `id2_valid_until` they are also the
// history `id2`, which this server followed before its promotion (PSYNC2's second id); `id2` is
// none where there was no such history.
struct LogHistory {
  ReplicationId id;
  ReplicationId id2;
  uint64_t id2_valid_until = 0;
};

class Log {
 public:
  using Bell = SharedBlocks::Bell;

  // None is selected where the bytes end: the next append selects its own.
  static constexpr uint32_t kNoDatabase = UINT32_MAX;

  // Inactive, empty, at offset 0 of the history `id`.
  Log(const LogOptions& options, const ReplicationId& id);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // False: nothing is appended, so nobody need build a record. A relaxed load; stable while any
  // stripe is held.
  bool active() const { return active_.load(std::memory_order_relaxed); }

  // Starts to keep bytes, in a new history: writes made while inactive were not counted, so no
  // earlier id names this data. Already active: does nothing.
  void activate(const AllStripes& all, const ReplicationId& fresh);
  // Drops every block and loses every cursor.
  void deactivate(const AllStripes& all);

  // Adds `record` at the end and returns the end after it. When `database` differs from that of the
  // append before, `select_command`, which selects it, goes first, with nothing in between.
  // Inactive: adds nothing and returns the end. Thread safe.
  uint64_t append(Bytes record, uint32_t database, Bytes select_command);
  // Adds bytes as they are: a PING, which belongs to no database, or a primary's stream, which has
  // `selected` one by itself.
  uint64_t append_verbatim(Bytes bytes, std::optional<uint32_t> selected = std::nullopt);
  // The next append selects its database again: after the cut of a full sync, and at promotion.
  void forget_database();
  // The bytes before the end have selected this database: a snapshot or a file tells so.
  void select_database(uint32_t database);
  uint32_t selected_database() const;

  // The committed end: every byte before it can be read.
  uint64_t end() const { return blocks_.end(); }
  LogWindow window() const;
  // Memory that it takes beyond the backlog, for who reads it.
  uint64_t bytes_beyond_backlog() const { return blocks_.bytes_beyond_retention(); }

  LogHistory history() const;
  Position position() const;  // the id and the end, taken together
  // The history goes on under a new id from here; what came before is also known as the old one
  // (promotion). A new id with the same bytes, told by a primary (+CONTINUE <id>), is the same
  // change.
  void adopt_id(const AllStripes& all, const ReplicationId& fresh);
  // A second id learnt otherwise (from a snapshot file at start).
  void set_second_id(const ReplicationId& id2, uint64_t valid_until);
  // A full sync ended: drops every block, loses every cursor, and goes on at `position`, active. No
  // second id, no selected database.
  void reset(const AllStripes& all, const Position& position);

  // A reader that starts at `offset`, which must lie within window(); kLimit says that it does not.
  // When the lag passes `lag_bytes_max` (0: no limit), checked once a block, the cursor is lost.
  // `bell`: see LogCursor::ring_behind().
  Result<std::unique_ptr<LogCursor>> open(std::string name, uint64_t offset, uint64_t lag_bytes_max,
                                          Bell bell = {});
  std::unique_ptr<LogCursor> open_at_end(std::string name, uint64_t lag_bytes_max, Bell bell = {});
  // Where a reader starts depends on what the log holds and how it is called: `choose` sees both as
  // they are together, and names an offset within the window, or nothing. Then no cursor is made.
  // `choose` is called once, under the log's lock: it calls nothing of the log.
  using Choose = std::function<std::optional<uint64_t>(const LogHistory&, const LogWindow&)>;
  std::unique_ptr<LogCursor> open_where(std::string name, uint64_t lag_bytes_max, Bell bell,
                                        const Choose& choose);
  std::vector<LogCursorInfo> cursors() const;
  // Whoever has appended a batch calls it at the end of it, without stripes: readers that wait are
  // rung for. (An append rings only for who has much to read by then.) One look when nobody waits.
  void ring_readers() { blocks_.ring_readers(); }

  // Changes LogOptions' two limits; what is too much is dropped at once.
  void set_retention(uint64_t backlog_bytes, int64_t backlog_ms);
  // Retention by age; call it from a timer. A block's age counts from the first call that found it
  // full.
  void trim(int64_t monotonic_ms);

 private:
  // Read without the lock.
  std::atomic<bool> active_{false};

  SharedBlocks blocks_;
  LogHistory history_ TANDEM_GUARDED_BY(blocks_.lock);
  uint32_t selected_ TANDEM_GUARDED_BY(blocks_.lock) = kNoDatabase;
};

}  // namespace tandem
