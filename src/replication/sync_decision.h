// What a primary answers to PSYNC, and the histories it knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/result.h"
#include "log/log.h"

namespace tandem {

// Names under which a part of this server's history is known, besides the log's own two: those
// before its second id. Each promotion and each restart of a primary gives the history a new name;
// a replica that slept through several of them still asks by an old one, and what it holds is a
// beginning of ours all the same.
//
//   A ----------|              the log's second id is B, up to b; its own is C
//               B ------|      kept here: A, up to a
//                       C ---->
//
// Changed under all stripes, at the same time as the log's names. Threads: any.
class FormerHistories {
 public:
  // So many restarts in a row may a replica sleep through, and two more.
  static constexpr size_t kNamesMax = 8;

  // The history was known as `end.id` up to `end.offset`. The oldest name makes room.
  void add(const Position& end);
  // The second id of a log that is about to get another one, if it has one.
  void add_second_of(const LogHistory& history) {
    if (!history.id2.is_none()) add({.id = history.id2, .offset = history.id2_valid_until});
  }
  // Another history took the place of ours.
  void clear();

  // The same place by the history's present name, where an old name of it is given; otherwise as it
  // is.
  Position resolve(const Position& place, const ReplicationId& present) const;

 private:
  mutable Lock lock_;
  std::vector<Position> ends_ TANDEM_GUARDED_BY(lock_);  // oldest first
};

// Full or partial: what a primary answers to PSYNC, as one pure function of ids, offsets and what
// the log holds.
//
//   PSYNC ? -1        a replica without a history: full
//   PSYNC <id> <n>    the replica holds history <id> up to byte n - 1 and wants the bytes from n on
//                     (counted from 1)
//
// Partial needs two things: that the replica's history is ours up to its place (our id; or our
// second id, up to the place where we left that history), and that the log still holds the bytes
// from there on.

// What a replica asks for. Without a position: PSYNC ? -1, or SYNC, which gets the snapshot without
// a line before it and acknowledges nothing.
struct SyncRequest {
  std::optional<Position> position = std::nullopt;
  bool plain = false;  // SYNC
};

// The arguments of PSYNC as they came. An id of another form names no history that we could have;
// only an offset that is no number is an error.
Result<SyncRequest> parse_sync_request(Bytes id, Bytes offset);

enum class FullSyncReason {
  kFirstSync,        // the replica asked for it
  kUnknownHistory,   // its id is neither of ours
  kDivergedHistory,  // our second id, but the replica went on with that history after we had left
                     // it
  kBacklogExceeded,  // its place has left the log
  kAheadOfPrimary,   // its place is beyond our end
};

struct FullSync {
  FullSyncReason reason;
  // kBacklogExceeded: how large the backlog would have had to be.
  uint64_t backlog_bytes_needed = 0;
};
struct PartialSync {
  uint64_t offset;  // the place to continue at
};
using SyncDecision = std::variant<PartialSync, FullSync>;

SyncDecision decide_sync(const SyncRequest& request, const LogHistory& history,
                         const LogWindow& window);

// For people.
std::string describe(const FullSync& sync);

}  // namespace tandem
