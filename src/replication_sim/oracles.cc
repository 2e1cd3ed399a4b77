#include "replication_sim/oracles.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

namespace tandem {
namespace {

// An order of keys has no say.
uint64_t sum_of(const std::vector<DataItem>& items, std::optional<int64_t> drops_before_ms) {
  uint64_t sum = 0;
  for (const DataItem& item : items) {
    if (!drops_before_ms || !item.expiry_ms || *item.expiry_ms >= *drops_before_ms) {
      sum += item.hash;
    }
  }
  return sum;
}

std::string describe(const std::optional<Position>& position) {
  if (!position) return "no place";
  return fmt::format("{}:{}", position->id.text().substr(0, 8), position->offset);
}

}  // namespace

void DiskOracle::begin_save(NodeData data) { possible_.push_back(std::move(data)); }

void DiskOracle::end_save(bool saved) {
  if (!saved) return possible_.pop_back();
  possible_.erase(possible_.begin(), possible_.end() - 1);
  has_file_ = true;
}

std::optional<std::string> DiskOracle::check_loaded(const NodeData* loaded,
                                                    std::optional<int64_t> drops_before_ms) const {
  if (loaded == nullptr) {
    if (!has_file_) return std::nullopt;
    return "found no file, though a save was done";
  }
  bool place_is_known = false;
  for (const NodeData& saved : possible_) {
    if (saved.position != loaded->position) continue;
    place_is_known = true;
    const auto drops = saved.position ? std::nullopt : drops_before_ms;
    if (sum_of(saved.items, drops) == sum_of(loaded->items, {})) return std::nullopt;
  }
  return fmt::format("loaded a file at {}, {}", describe(loaded->position),
                     place_is_known ? "with other data than were saved there"
                                    : "which no save since the last one done had");
}

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
