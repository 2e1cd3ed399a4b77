// Runs seeded schedules of the replication simulation:
//   sim-replication                   1,000 schedules
//   sim-replication --schedules 50    as many
//   sim-replication --seed 17         one, with each of its steps; run it again and it is the same
//   sim-replication --seed 17 --schedules 50    those of the seeds 17 to 66
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/logging.h"
#include "replication_sim/schedule.h"

namespace {

using namespace tandem;

constexpr uint64_t kSchedules = 1000;
constexpr int kMisunderstood = 2;

int run_one(uint64_t seed) {
  const ScheduleResult result =
      run_replication_schedule(seed, [](std::string_view line) { fmt::print("{}\n", line); });
  fmt::print("seed {}: trace {:016x}, {}\n", seed, result.trace_hash,
             result.violation.value_or("good"));
  return result.violation ? 1 : 0;
}

int run_many(uint64_t first, uint64_t count) {
  ScheduleResult sum;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const ScheduleResult result = run_replication_schedule(seed);
    if (result.violation) {
      fmt::print("seed {}: {}\nreplay it with: sim-replication --seed {}\n", seed,
                 *result.violation, seed);
      return 1;
    }
    sum.add(result);
  }
  fmt::print(
      "{} schedules good: {} steps, {} crashes, {} promotions, {} full and {} partial syncs\n"
      "{} role flips, {} pauses of clients, {} slow takers, {} let go at last\n"
      "{} batches of a stream applied by several hands\n"
      "{} saves, {} restarts from disk, {} replicas and {} primaries resumed from there\n"
      "{} keys expired, {} times there were expired keys on a replica\n",
      count, sum.steps, sum.crashes, sum.promotions, sum.full_syncs, sum.partial_syncs,
      sum.role_flips, sum.pauses, sum.slow_takers, sum.takers_let_go, sum.shared_batches, sum.saves,
      sum.restarts_from_disk, sum.resumed, sum.resumed_primaries, sum.expired_keys,
      sum.expired_on_replicas);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<uint64_t> schedules;
  std::optional<uint64_t> seed;
  CLI::App app("Seeded schedules of the replication simulation", "sim-replication");
  app.add_option("--seed", seed, "the first schedule's; alone: one schedule, with its steps");
  app.add_option("--schedules", schedules, fmt::format("how many ({})", kSchedules));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisunderstood;
  }
  // What goes wrong in a schedule is meant to: no line a lost connection.
  set_log_level(LogLevel::kWarning);
  (void)open_log("/dev/null", LogLevel::kWarning);
  if (seed && !schedules) return run_one(*seed);
  return run_many(seed.value_or(1), schedules.value_or(kSchedules));
}
