#include "engine/tracking_table.h"

#include <algorithm>
#include <utility>

namespace tandem {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

}  // namespace

bool TrackingTable::add(const KeyPlace& place, Bytes key, uint64_t client) {
  Piece& home = piece_of(place);
  const Guard guard(home.lock);
  auto found = home.entries.find(key);
  if (found == home.entries.end()) {
    found = home.entries.emplace(std::string(key), Entry()).first;
    key_count_.fetch_add(1, kRelaxed);
  }
  Entry& entry = found->second;
  if (!entry.readers.insert(client).second) return false;
  item_count_.fetch_add(1, kRelaxed);
  return entry.readers.size() >= entry.asked_at;
}

std::optional<TrackingTable::Taken> TrackingTable::take(const KeyPlace& place, Bytes key) {
  if (key_count() == 0) return std::nullopt;
  Piece& home = piece_of(place);
  const Guard guard(home.lock);
  const auto found = home.entries.find(key);
  if (found == home.entries.end()) return std::nullopt;
  return take_out(home, found);
}

void TrackingTable::put_back(const KeyPlace& place, Taken taken) {
  const size_t count = taken.readers.size();
  if (count == 0) return;
  Piece& home = piece_of(place);
  const Guard guard(home.lock);
  Entry entry{std::move(taken.readers), std::max(kReadersUnasked, 2 * count)};
  home.entries.emplace(std::move(taken.key), std::move(entry));
  key_count_.fetch_add(1, kRelaxed);
  item_count_.fetch_add(static_cast<int64_t>(count), kRelaxed);
}

std::optional<TrackingTable::Taken> TrackingTable::take_beside(const KeyPlace& place, Bytes key) {
  Piece& home = piece_of(place);
  const Guard guard(home.lock);
  auto found = home.entries.begin();
  if (found == home.entries.end()) return std::nullopt;
  if (found->first == key && home.entries.size() > 1) ++found;
  return take_out(home, found);
}

// From each piece in turn: keys are spread over them evenly.
std::optional<TrackingTable::Taken> TrackingTable::take_any() {
  for (int tries = 0; tries < kStripes; ++tries) {
    Piece& next = pieces_[next_piece_.fetch_add(1, kRelaxed) % kStripes];
    const Guard guard(next.lock);
    if (!next.entries.empty()) return take_out(next, next.entries.begin());
  }
  return std::nullopt;
}

TrackingTable::Taken TrackingTable::take_out(Piece& piece, Entries::iterator at) {
  Taken taken{at->first, std::move(at->second.readers)};
  piece.entries.erase(at);
  key_count_.fetch_sub(1, kRelaxed);
  item_count_.fetch_sub(static_cast<int64_t>(taken.readers.size()), kRelaxed);
  return taken;
}

void TrackingTable::clear() {
  for (Piece& piece : pieces_) {
    Entries dropped;
    const Guard guard(piece.lock);
    dropped.swap(piece.entries);
    key_count_.fetch_sub(static_cast<int64_t>(dropped.size()), kRelaxed);
    for (const auto& [key, entry] : dropped) {
      item_count_.fetch_sub(static_cast<int64_t>(entry.readers.size()), kRelaxed);
    }
  }
}

}  // namespace tandem
