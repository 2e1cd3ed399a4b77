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
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "log/log.h"
#include "log/position.h"

namespace tandem {

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
