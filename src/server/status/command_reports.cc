#include "server/status/command_reports.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/config_value.h"
#include "server/client/client.h"

namespace tandem {

void LatencyMonitor::add(Bytes name, int64_t unix_s, int64_t milliseconds) {
  const Guard guard(lock_);
  LatencyEvent& event = events_[std::string(name)];
  event.name = name;
  event.worst_ms = std::max(event.worst_ms, milliseconds);
  if (!event.samples.empty() && event.samples.back().unix_s == unix_s) {
    int64_t& kept_ms = event.samples.back().milliseconds;
    kept_ms = std::max(kept_ms, milliseconds);
    return;
  }
  event.samples.push_back({unix_s, milliseconds});
  if (event.samples.size() > kSamplesMax) event.samples.pop_front();
}

std::vector<LatencyEvent> LatencyMonitor::events() const {
  const Guard guard(lock_);
  std::vector<LatencyEvent> all;
  for (const auto& [name, event] : events_) all.push_back(event);
  return all;
}

bool LatencyMonitor::reset(Bytes event) {
  const Guard guard(lock_);
  return std::erase_if(
             events_, [&](const auto& entry) { return equal_ignore_case(entry.first, event); }) > 0;
}

namespace {

constexpr int64_t kUsPerSecond = 1000000;
constexpr int64_t kUsPerMs = 1000;
constexpr int64_t kThresholdMsMax = int64_t{1} << 40;
constexpr size_t kSlowArgumentsMax = 32;
constexpr size_t kSlowArgumentBytesMax = 128;

// MONITOR names the socket's file where others show it as an address.
std::string shown_address(const ClientState& client) {
  if (connection_of(client) == nullptr) return client.address();
  const ClientCard& card = *connection_of(client)->card();
  return card.is(kClientUnix) ? "unix:" + card.local_address : card.address;
}

bool is_hidden(const Command& command, std::span<const Bytes> args, size_t at) {
  return command.row.hides != nullptr && command.row.hides(args, at);
}

}  // namespace

void CommandReports::add_monitor(std::shared_ptr<ClientCard> card) {
  const Guard guard(lock_);
  if (card->killed.load()) return;  // whoever ends it has been here
  card->set_flag(kClientMonitor, true);
  monitors_.push_back(std::move(card));
  parts_.gate.set(Gate::kMonitored, true);
}

void CommandReports::remove_monitor(uint64_t id) {
  const Guard guard(lock_);
  std::erase_if(monitors_, [id](const auto& card) {
    if (card->id != id) return false;
    card->set_flag(kClientMonitor, false);
    return true;
  });
  parts_.gate.set(Gate::kMonitored, !monitors_.empty());
}

void CommandReports::command_shown(const ClientState& client, const Command& command,
                                   std::span<const Bytes> args, int64_t unix_us) {
  if (command.has(kAdmin)) return;
  std::string line = fmt::format("+{}.{:06} [{} {}]", unix_us / kUsPerSecond,
                                 unix_us % kUsPerSecond, client.database, shown_address(client));
  for (size_t at = 0; at < args.size(); ++at) {
    line += ' ';
    line += is_hidden(command, args, at) ? "\"(redacted)\"" : quote_word(args[at]);
  }
  line += "\r\n";
  const auto shared = std::make_shared<const std::string>(std::move(line));
  // Cut off behind the lock, for whoever goes leaves this list.
  std::vector<std::shared_ptr<ClientCard>> overwhelmed;
  {
    const Guard guard(lock_);
    for (const auto& card : monitors_) {
      if (!card->inbox.deliver_line(shared)) overwhelmed.push_back(card);
    }
  }
  for (const auto& card : overwhelmed) card->inbox.cut_off();
}

int64_t CommandReports::watched_from_us() const {
  const int64_t logged_us = parts_.options.slow_log_slower_than_us.get();
  if (!monitors_latency()) return logged_us;
  const int64_t spike_ms = std::min(parts_.options.latency_monitor_ms.get(), kThresholdMsMax);
  return logged_us < 0 ? spike_ms * kUsPerMs : std::min(logged_us, spike_ms * kUsPerMs);
}

void CommandReports::slow_command(const ClientState& client, const Command& command,
                                  std::span<const Bytes> args, int64_t unix_us,
                                  int64_t duration_us) {
  slow_step(command.has(kFast) ? "fast-command" : "command", unix_us, duration_us);
  const int64_t logged_us = parts_.options.slow_log_slower_than_us.get();
  if (logged_us >= 0 && duration_us >= logged_us && !command.has(kSkipSlowlog)) {
    log_slow(client, command, args, unix_us, duration_us);
  }
}

void CommandReports::slow_step(Bytes event, int64_t unix_us, int64_t duration_us) {
  const int64_t duration_ms = duration_us / kUsPerMs;
  if (!monitors_latency() || duration_ms < parts_.options.latency_monitor_ms.get()) return;
  latency_.add(event, unix_us / kUsPerSecond, duration_ms);
}

void CommandReports::log_slow(const ClientState& client, const Command& command,
                              std::span<const Bytes> args, int64_t unix_us, int64_t duration_us) {
  SlowCommand entry{.id = 0,
                    .unix_s = unix_us / kUsPerSecond,
                    .duration_us = duration_us,
                    .args = {},
                    .address = client.address(),
                    .name = client.name()};
  const size_t shown = std::min(args.size(), kSlowArgumentsMax);
  for (size_t at = 0; at < shown; ++at) {
    if (args.size() > kSlowArgumentsMax && at + 1 == kSlowArgumentsMax) {
      entry.args.push_back(
          fmt::format("... ({} more arguments)", args.size() - kSlowArgumentsMax + 1));
    } else if (is_hidden(command, args, at)) {
      entry.args.emplace_back("(redacted)");
    } else if (args[at].size() > kSlowArgumentBytesMax) {
      entry.args.push_back(fmt::format("{}... ({} more bytes)",
                                       args[at].substr(0, kSlowArgumentBytesMax),
                                       args[at].size() - kSlowArgumentBytesMax));
    } else {
      entry.args.emplace_back(args[at]);
    }
  }
  const auto entries_max = static_cast<size_t>(parts_.options.slow_log_entries_max.get());
  const Guard guard(lock_);
  entry.id = next_slow_id_++;
  slow_.push_front(std::move(entry));
  while (slow_.size() > entries_max) slow_.pop_back();
}

void CommandReports::command_denied(const ClientState& client, const Command& command,
                                    std::span<const Bytes> args, const Denial& denial,
                                    DenialContext context, int64_t unix_us) {
  const bool of_command = denial.reason == DenialReason::kCommand;
  log_denied(client, {.kind = static_cast<AclEventKind>(denial.reason),
                      .context = context,
                      .object = of_command ? command.full_name : std::string(args[denial.at]),
                      .user = client.account->name,
                      .unix_ms = unix_us / kUsPerMs});
}

void CommandReports::login_denied(const ClientState& client, Bytes word, Bytes user,
                                  DenialContext context, int64_t unix_us) {
  log_denied(client, {.kind = AclEventKind::kAuthentication,
                      .context = context,
                      .object = std::string(word),
                      .user = std::string(user),
                      .unix_ms = unix_us / kUsPerMs});
}

// One that waits on another thread is known by its card alone, which tells what it waits with.
void CommandReports::log_denied(const ClientState& client, AclEvent event) {
  std::shared_ptr<ClientCard> card;
  if (ClientConnection* connection = connection_of(client)) {
    connection->show(*client.last_command);
    card = connection->card();
  } else if (const auto found = parts_.clients.list(std::array{client.id}); !found.empty()) {
    card = found.front();
  }
  if (card != nullptr) event.client_info = describe_client(*card, card->last_active_ms.load());
  parts_.acl_log.add(std::move(event),
                     static_cast<size_t>(parts_.options.acl_log_entries_max.get()));
}

std::vector<SlowCommand> CommandReports::slow_commands(size_t count) const {
  const Guard guard(lock_);
  const auto shown = static_cast<ptrdiff_t>(std::min(count, slow_.size()));
  return {slow_.begin(), slow_.begin() + shown};
}

size_t CommandReports::slow_count() const {
  const Guard guard(lock_);
  return slow_.size();
}

void CommandReports::reset_slow() {
  const Guard guard(lock_);
  slow_.clear();
}

}  // namespace tandem
