#include "engine/accounts.h"

namespace tandem {

void Accounts::executed(const Command& command, const ClientState& client,
                        std::span<const Bytes> args, bool failed, int64_t duration_us,
                        int64_t now_unix_us) {
  count(command, failed, duration_us);
  if (is_slow(duration_us)) [[unlikely]]
    engine_.observer->slow_command(client, command, args, now_unix_us, duration_us);
}

void Accounts::step(Bytes event, int64_t duration_us, int64_t now_unix_us) {
  if (is_slow(duration_us)) engine_.observer->slow_step(event, now_unix_us, duration_us);
}

void Accounts::count(const Command& command, bool failed, int64_t duration_us) {
  CommandCounters& mine = of(command);
  mine.calls.add(1);
  mine.microseconds.add(static_cast<uint64_t>(duration_us));
  counters.commands.add(1);
  if (engine_.track_latency.load(std::memory_order_relaxed)) mine.latency.record(duration_us);
  if (failed) mine.failed.add(1);
}

void Accounts::error(Bytes reply) {
  if (engine_.observer != nullptr) engine_.observer->error_reply(reply);
}

void Accounts::denied(const ClientState& client, const Command& command,
                      std::span<const Bytes> args, const Denial& denial, DenialContext context,
                      int64_t now_unix_us) {
  if (engine_.observer == nullptr) return;
  engine_.observer->command_denied(client, command, args, denial, context, now_unix_us);
}

void Accounts::keys(const KeyAccess::Counters& seen) {
  if (seen.hits != 0) counters.keyspace_hits.add(seen.hits);
  if (seen.misses != 0) counters.keyspace_misses.add(seen.misses);
  if (seen.expired != 0) counters.expired_keys.add(seen.expired);
  if (seen.changes != 0) counters.changes.add(seen.changes);
}

void Accounts::show(const Command& command, const ClientState& client, std::span<const Bytes> args,
                    int64_t now_unix_us) {
  if (engine_.gate.is(Gate::kMonitored) && engine_.observer != nullptr) [[unlikely]] {
    engine_.observer->command_shown(client, command, args, now_unix_us);
  }
}

}  // namespace tandem
