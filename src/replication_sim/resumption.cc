#include "replication_sim/resumption.h"

namespace tandem {

// The request is sent and answered while the link is in its handshake.
Resumption::Verdict Resumption::look(const LinkProgress& link, const Log* followed) {
  if (link.partial_syncs.load() > 0) return Verdict::kResumed;
  if (link.full_syncs.load() > 0) {
    return had_bytes_ ? Verdict::kFullThoughItHadTheBytes : Verdict::kFull;
  }
  if (link.phase.load() != LinkPhase::kHandshake) had_bytes_ = true;
  had_bytes_ = had_bytes_ && followed != nullptr && has_bytes(*followed);
  return Verdict::kPending;
}

// Said anew, not asked of replication/sync_decision.h, whose judge this is.
bool Resumption::has_bytes(const Log& followed) const {
  if (!followed.active()) return false;
  const LogHistory history = followed.history();
  const bool shared = place_.id == history.id ||
                      (place_.id == history.id2 && place_.offset <= history.id2_valid_until);
  const LogWindow window = followed.window();
  return shared && place_.offset >= window.first && place_.offset <= window.end;
}

}  // namespace tandem
