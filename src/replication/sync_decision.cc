#include "replication/sync_decision.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/number.h"

namespace tandem {

void FormerHistories::add(const Position& end) {
  const Guard guard(lock_);
  if (ends_.size() == kNamesMax) ends_.erase(ends_.begin());
  ends_.push_back(end);
}

void FormerHistories::clear() {
  const Guard guard(lock_);
  ends_.clear();
}

Position FormerHistories::resolve(const Position& place, const ReplicationId& present) const {
  const Guard guard(lock_);
  const bool ours = std::ranges::any_of(ends_, [&place](const Position& end) {
    return end.id == place.id && place.offset <= end.offset;
  });
  return ours ? Position{.id = present, .offset = place.offset} : place;
}

Result<SyncRequest> parse_sync_request(Bytes id, Bytes offset) {
  const auto next_byte = parse_int64(offset);
  if (!next_byte) return fail(ErrorCode::kInvalid, "value is not an integer or out of range");
  if (id == "?") return SyncRequest{};
  const auto known = ReplicationId::parse(id);
  if (!known || *next_byte < 1) {
    // A history that cannot be ours: an id of its own that no server has.
    return SyncRequest{Position{.id = ReplicationId(), .offset = 0}};
  }
  return SyncRequest{Position{.id = *known, .offset = static_cast<uint64_t>(*next_byte) - 1}};
}

SyncDecision decide_sync(const SyncRequest& request, const LogHistory& history,
                         const LogWindow& window) {
  if (!request.position) return FullSync{.reason = FullSyncReason::kFirstSync};
  const Position& at = *request.position;
  if (at.id.is_none()) return FullSync{.reason = FullSyncReason::kUnknownHistory};
  if (at.id != history.id) {
    if (at.id != history.id2) return FullSync{.reason = FullSyncReason::kUnknownHistory};
    if (at.offset > history.id2_valid_until) {
      return FullSync{.reason = FullSyncReason::kDivergedHistory};
    }
  }
  if (at.offset > window.end) return FullSync{.reason = FullSyncReason::kAheadOfPrimary};
  if (at.offset < window.first) {
    return FullSync{.reason = FullSyncReason::kBacklogExceeded,
                    .backlog_bytes_needed = window.end - at.offset};
  }
  return PartialSync{.offset = at.offset};
}

std::string describe(const FullSync& sync) {
  switch (sync.reason) {
    case FullSyncReason::kFirstSync:
      return "the replica asked for a full sync";
    case FullSyncReason::kUnknownHistory:
      return "the replica's replication id is not ours";
    case FullSyncReason::kDivergedHistory:
      return "the replica followed our former primary further than we did";
    case FullSyncReason::kBacklogExceeded:
      return fmt::format("the replica's place has left the backlog; {} bytes would have held it",
                         sync.backlog_bytes_needed);
    case FullSyncReason::kAheadOfPrimary:
      return "the replica is ahead of us";
  }
  return "";
}

}  // namespace tandem
