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
#pragma once

#include <cstddef>
#include <vector>

#include "base/lock.h"
#include "log/log.h"
#include "log/position.h"

namespace tandem {

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

}  // namespace tandem
