// What must hold of a set of nodes that replicate from each other, checked from outside after each
// step of a simulation. One file, so that no property is asserted in one test only.
//
//   1. A node's offset never goes back within one history, and grows only by bytes that are in its
//      log.
//   2. A history is one sequence of bytes: whatever any node holds at an offset of a history, every
//      node holds there. Only the primary that owns the history extends it; a replica's log is a
//      prefix of its primary's.
//   3. Nodes at the same place of the same history hold the same data.
//   4. A history that was forked by a promotion shares its beginning, up to the fork, with the
//      history it came from.
//   5. No replica acknowledged more than its primary's log holds.
//   6. Only a replica follows a history that it did not begin.
//
// Of one node alone, cheap enough to be checked each second by the server itself in debug builds:
//
//   7. Its offset does not go back within one history, and its second history ends before its end.
//   8. Every reader of its log that is not lost stands within what the log holds.
//   9. No replica acknowledged more than there is.
//  10. Only a replica refuses writes for being one.
//
// Confined to one thread. ReplicationInvariants' memory grows with the bytes of all histories: for
// simulations.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "log/log.h"

namespace tandem {

// One node as it is at one moment.
struct NodeObservation {
  std::string node;
  uint64_t incarnation = 0;  // another number after each restart and each full sync
  bool replica = false;
  LogHistory history;
  uint64_t end = 0;
  std::string
      bytes;  // of the log, from where the last observation of this incarnation and history ended
  uint64_t digest = 0;                 // of all data
  std::vector<uint64_t> acknowledged;  // by this node's own replicas
};

// One node as it sees itself. All of it of one moment, but for the cursors, which may be later than
// the window.
struct NodeState {
  bool replica = false;
  bool read_only = false;    // refuses the writes of its clients as a replica
  uint64_t incarnation = 0;  // another number after each full sync
  LogHistory history;
  LogWindow window;
  std::vector<LogCursorInfo> cursors;
  std::vector<uint64_t> acknowledged;  // by its own replicas
};

class NodeInvariants {
 public:
  // The violation, for people, or nothing.
  std::optional<std::string> observe(const NodeState& now);

 private:
  uint64_t incarnation_ = 0;
  ReplicationId id_;
  uint64_t end_ = 0;
};

class ReplicationInvariants {
 public:
  // The violation, for people, or nothing. After a violation the state is undefined.
  std::optional<std::string> observe(const NodeObservation& now);

 private:
  struct History {
    std::string owner;  // the node whose primary role began it
    uint64_t start = 0;
    std::string bytes;                     // from start on
    std::map<uint64_t, uint64_t> digests;  // by offset
    uint64_t end() const { return start + bytes.size(); }
  };
  struct Seen {
    uint64_t incarnation = 0;
    ReplicationId id;
    uint64_t end = 0;
  };

  History* find(const ReplicationId& id);
  // A history that no node had shown before: begun afresh, or forked from the second id's.
  std::optional<std::string> begin(const NodeObservation& now);
  std::optional<std::string> check_bytes(const NodeObservation& now, History& history,
                                         uint64_t from);

  std::map<std::string, History> histories_;  // by id
  std::map<std::string, Seen> seen_;          // by node
};

}  // namespace tandem
