#include "engine/tracking_table.h"

#include <utility>

namespace tandem {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

}  // namespace

void TrackingTable::add(const KeyPlace& place, Bytes key, uint64_t client) {
  Piece& piece = pieces_[static_cast<size_t>(place.stripe())];
  const Guard guard(piece.lock);
  auto found = piece.readers.find(key);
  if (found == piece.readers.end()) {
    found = piece.readers.emplace(std::string(key), Readers()).first;
    key_count_.fetch_add(1, kRelaxed);
  }
  if (found->second.insert(client).second) item_count_.fetch_add(1, kRelaxed);
}

std::optional<TrackingTable::Taken> TrackingTable::take(const KeyPlace& place, Bytes key) {
  if (key_count() == 0) return std::nullopt;
  Piece& piece = pieces_[static_cast<size_t>(place.stripe())];
  const Guard guard(piece.lock);
  const auto found = piece.readers.find(key);
  if (found == piece.readers.end()) return std::nullopt;
  return take_out(piece, found);
}

// From each piece in turn: keys are spread over them evenly.
std::optional<TrackingTable::Taken> TrackingTable::take_any() {
  for (int tries = 0; tries < kStripes; ++tries) {
    Piece& piece = pieces_[next_piece_.fetch_add(1, kRelaxed) % kStripes];
    const Guard guard(piece.lock);
    if (!piece.readers.empty()) return take_out(piece, piece.readers.begin());
  }
  return std::nullopt;
}

TrackingTable::Taken TrackingTable::take_out(Piece& piece, Entries::iterator at) {
  Taken taken{at->first, std::move(at->second)};
  piece.readers.erase(at);
  key_count_.fetch_sub(1, kRelaxed);
  item_count_.fetch_sub(static_cast<int64_t>(taken.readers.size()), kRelaxed);
  return taken;
}

void TrackingTable::clear() {
  for (Piece& piece : pieces_) {
    Entries dropped;
    const Guard guard(piece.lock);
    dropped.swap(piece.readers);
    key_count_.fetch_sub(static_cast<int64_t>(dropped.size()), kRelaxed);
    for (const auto& [key, readers] : dropped) {
      item_count_.fetch_sub(static_cast<int64_t>(readers.size()), kRelaxed);
    }
  }
}

}  // namespace tandem
