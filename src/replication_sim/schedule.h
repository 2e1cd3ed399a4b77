// One seeded schedule: a few nodes, clients that write to the primary of the moment, and everything
// that goes wrong with machines and networks; the invariants are checked after each step. In the
// end all is healed, and every node must come to the primary's place and data.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tandem {

struct ScheduleResult {
  std::optional<std::string> violation;
  uint64_t trace_hash = 0;  // the same for the same seed and program
  int steps = 0;
  int64_t full_syncs = 0;
  int64_t partial_syncs = 0;
  int promotions = 0;
  int crashes = 0;
};

// `trace`, when given, gets a line for each thing that the schedule does.
ScheduleResult run_replication_schedule(uint64_t seed,
                                        const std::function<void(std::string_view)>& trace = {});

}  // namespace tandem
