// What a node may find on its disk when it starts: the file of its last save that was reported
// done, or of a later one that a crash ended somewhere, and no other; with just the data that the
// node had at that save's cut.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "log/position.h"

namespace tandem {

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

}  // namespace tandem
