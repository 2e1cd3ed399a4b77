// A large entry encoded in steps, so that no hold of its stripe is long: what rdb_encode_entry()
// does at once, spread over time, and with the entry as it was when it was begun.
//
//   set, hash, sorted set   walked in their place (data/element_walk.h); changes between the steps
//                           hand in what they are about to change
//   list, stream            their nodes are shared (base/copy_on_write.h): changes copy a node
//                           first
//   string                  its bytes are shared likewise
//
// Threads: begin, the destructor and, for values walked in place, step() REQUIRE the value's
// stripe held. Others step on any one thread without it.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "keyspace/entry.h"
#include "rdb/rdb_writer.h"

namespace tandem {

class RdbLargeEntry {
 public:
  virtual ~RdbLargeEntry() = default;

  // Null: the entry is small enough to encode at once. `held` counts the bytes that entries which
  // were begun hold on to, for themselves or because changes handed them in; it outlives them.
  static std::unique_ptr<RdbLargeEntry> begin(const Entry& entry, const RdbWriteOptions& options,
                                              std::atomic<size_t>& held);

  // Appends the next part, of about `bytes`. False: it was the last.
  virtual bool step(std::string& out, size_t bytes) = 0;
  // Steps look at the value in its place.
  virtual bool in_place() const { return false; }
};

}  // namespace tandem
