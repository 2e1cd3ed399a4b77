// The only writer of the replication log: what was executed here, what came from the primary, and
// what holds a stream together all get their place in it through this class.
//
//   primary:  effects of a command  --append-->         [SELECT n] record
//   replica:  the primary's bytes   --append_stream-->  the very same bytes
//   primary:  PING, GETACK          --append_control--> as they are
//
// Every append happens while the stripes of what it speaks of are held (of one stripe, where it
// speaks of no key): so the order in the log is the order of execution, and who holds all stripes
// sees a log that stands still.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "engine/key_locks.h"
#include "keyspace/effects.h"
#include "log/log.h"

namespace tandem {

class Journal {
 public:
  Journal(Log& log, int databases);

  // Somebody reads the log: effects are worth stating. Stable while any stripe is held.
  bool wanted() const { return log_.active() && !closed(); }

  // What a command did, as one record. Gives the end of the log after it.
  uint64_t append(const KeyLocks& locks, Effects& effects);
  // A primary's bytes at its replica, after which `database` is selected there.
  void append_stream(const KeyLocks& locks, Bytes raw, int database);
  // The same, for bytes that select nothing.
  void append_stream(const KeyLocks& locks, Bytes raw);
  // A command about the stream itself.
  void append_control(const KeyLocks& locks, Bytes command);

  // Nothing is appended any more: the file that the server leaves behind names the place where the
  // log ends, and replicas go on from there. reopen() undoes it.
  void close(const AllStripes& /*all*/) { closed_.store(true); }
  void reopen() { closed_.store(false); }
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

 private:
  Log& log_;
  std::vector<std::string> selects_;  // "SELECT n" as the log carries it, by database
  std::atomic<bool> closed_{false};
};

}  // namespace tandem
