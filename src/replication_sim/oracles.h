// What must hold when a node starts: what it may find on its disk, and how it goes on from there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"
#include "replication/link_progress.h"

namespace tandem {

// What a node may find on its disk when it starts: the file of its last save that was reported
// done, or of a later one that a crash ended somewhere, and no other; with just the data that the
// node had at that save's cut.

// One key with its value and expiry, as a number.
struct DataItem {
  uint64_t hash = 0;
  std::optional<int64_t> expiry_ms = std::nullopt;
};

// All data of a node at one moment, and its place in a history; none when its log was not active.
struct NodeData {
  std::optional<Position> position;
  std::vector<DataItem> items;
};

class DiskOracle {
 public:
  // A save took its cut; it has ended, unless a crash comes before.
  void begin_save(NodeData data);
  void end_save(bool saved);

  // What a start made of the file; null: it found none. `drops_before_ms`: the keys whose time was
  // over then are left out of a file without a position. The violation, for people, or nothing.
  std::optional<std::string> check_loaded(const NodeData* loaded,
                                          std::optional<int64_t> drops_before_ms) const;

 private:
  std::vector<NodeData> possible_;  // the oldest first
  bool has_file_ = false;           // a save was done: the oldest one or a later one is there
};

// A replica that started from a file must go on from there by partial sync if whom it follows has
// the bytes from its place on, in a history that both share. Looked at after each event of the
// world, from the start until the first sync.
class Resumption {
 public:
  // At `place` it will ask to go on.
  explicit Resumption(const Position& place) : place_(place) {}

  enum class Verdict { kPending, kResumed, kFull, kFullThoughItHadTheBytes };

  // `followed`: the log of the node it follows; null while that is down.
  Verdict look(const LinkProgress& link, const Log* followed);
  // It follows another one from here on.
  void redirected() { had_bytes_ = false; }

 private:
  bool has_bytes(const Log& followed) const;

  const Position place_;
  bool had_bytes_ = false;  // at each moment since the link's current try began
};

}  // namespace tandem
