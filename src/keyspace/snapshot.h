// The snapshot without fork: a walk over every key as it was at one moment, the cut, while writers
// go on.
//
//   begin     (all stripes held) the cut: the tables are noted, the epoch moves on, so every chain
//             counts as not captured
//   step      the walker takes a stripe for some dozens of microseconds and captures chains that
//             nobody has yet
//   (change)  writers about to change a chain that is not captured do it first (SnapshotHook)
//   end       (all stripes held) the sink is let go
//
// A walk that is given up leaves the rest of the chains as they are, for the epoch of the next walk
// is another one again. Only there are no more than 127 epochs: after many walks in a row that were
// given up, one has to go on to the end, so that no chain bears an epoch that is about to return.
//
// Each key that existed at the cut reaches the sink or the walker exactly once, as it was then;
// keys made later never do. One walk at a time. begin, step and end belong to one thread.
#pragma once

#include <vector>

#include "base/function_ref.h"
#include "keyspace/keyspace.h"

namespace tandem {

class SnapshotWalk {
 public:
  // REQUIRES: no other walk. Writers tell `sink`, which outlives the walk.
  SnapshotWalk(const AllStripes& all, Keyspace& keyspace, SnapshotSink& sink);
  // Databases that were flushed since the cut are freed with the walk, not here, where everybody
  // waits.
  void end(const AllStripes& all);

  // What one hold of a stripe takes at most, but for the last chain of it.
  struct Hold {
    int chains;
    size_t bytes;
  };
  // Captures a chain for the walker, as SnapshotSink::capture_chain does for writers, and says how
  // many bytes it copied.
  using Capture = FunctionRef<size_t(int database, const TableBucket& home)>;

  // Captures what comes next, under one hold of one stripe. False when all is captured.
  bool step(const Hold& hold, Capture capture);
  // Given up: nothing is captured any more. True: the chains that are left are to be marked all the
  // same; call mark() on until it says false.
  [[nodiscard]] bool abandon();
  bool mark();

  // Of a chain that is to be captured now, the parts that it lies in, so that they are waited for
  // together. REQUIRES: its stripe held.
  static void bring_near(const TableBucket& home);

  struct Size {
    int database;
    int64_t keys;
    int64_t expiring;
  };
  // Of the databases that had keys at the cut.
  const std::vector<Size>& sizes_at_cut() const { return sizes_at_cut_; }
  int64_t keys_at_cut() const;

 private:
  bool step_table(DatabaseTables& tables, int partition, Hold& left, Capture capture);
  template <class Fn>
  void for_each_ahead(int chains, Fn&& fn) const;
  void look_ahead(int chains) const;
  void bring_near_next(int chains) const;

  Keyspace& keyspace_;
  std::vector<TablesRef> tables_;  // non-empty databases at the cut
  std::vector<Size> sizes_at_cut_;
  bool complete_ = false;  // every chain bears the walk's epoch
  // The place of the walk: partition, then database, then bucket.
  int partition_ = 0;
  size_t table_ = 0;
  uint32_t bucket_ = 0;
};

}  // namespace tandem
