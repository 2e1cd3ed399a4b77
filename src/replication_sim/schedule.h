// One seeded schedule: a few nodes, clients that write to the primary of the moment and let keys
// expire, and everything that goes wrong with machines, disks and networks; the invariants are
// checked after each step. Nodes save their data now and then, and go on from their file when they
// start again. In the end all is healed, and every node must come to the primary's place and data.
//
// Roles flip faster than links can follow, clients are paused, and somebody who is no replica of
// the world takes a full sync slowly (replication_sim/clients.h).
//
// Besides what replication/invariants.h says of the nodes at every moment:
//
//   1. A start finds the file of the last save that was done, or of a later one that a crash ended,
//   whole, with just the data of that save's cut (replication_sim/oracles.h).
//   2. A replica that starts from a file goes on by partial sync if whom it follows has the bytes
//   from its place on (replication_sim/oracles.h).
//   3. No command of a primary's stream fails at its replica.
//   4. In the middle of a batch that a replica applies, and at any other moment, whoever reads sees
//   what belongs to one place in a history (replication_sim/numbered_keys.h).
//   5. Who takes nothing of a full sync is let go after repl-timeout, however alive it says it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tandem {

struct ScheduleResult {
  // The figures, not the rest.
  void add(const ScheduleResult& other);

  std::optional<std::string> violation;
  uint64_t trace_hash = 0;  // the same for the same seed and program
  int steps = 0;
  int64_t full_syncs = 0;
  int64_t partial_syncs = 0;
  int promotions = 0;
  int crashes = 0;
  int role_flips = 0;
  int pauses = 0;
  int slow_takers = 0;
  int takers_let_go = 0;       // of those who took nothing at all
  int64_t shared_batches = 0;  // of streams, applied by several hands
  int64_t saves = 0;           // done; many more are ended by a crash
  int restarts_from_disk = 0;
  int resumed = 0;            // of these, replicas that went on by partial sync
  int resumed_primaries = 0;  // of these, primaries with which a former replica went on
  uint64_t expired_keys = 0;  // that a primary deleted
  // Looks at a replica that found expired keys which their primary had not deleted yet.
  int64_t expired_on_replicas = 0;
};

// `trace`, when given, gets a line for each thing that the schedule does.
ScheduleResult run_replication_schedule(uint64_t seed,
                                        const std::function<void(std::string_view)>& trace = {});

}  // namespace tandem
