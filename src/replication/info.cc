#include "replication/info.h"

#include <algorithm>
#include <iterator>

#include <fmt/core.h>

#include "base/number.h"

namespace tandem {
namespace {

const char* state_word(ReplicaState state) {
  switch (state) {
    case ReplicaState::kWaitingForSnapshot:
      return "wait_bgsave";
    case ReplicaState::kSnapshot:
      return "send_bulk";
    case ReplicaState::kStreaming:
      return "online";
  }
  return "";
}

const char* phase_word(LinkPhase phase) {
  switch (phase) {
    case LinkPhase::kIdle:
      return "idle";
    case LinkPhase::kStopped:
      return "stopped";
    case LinkPhase::kWaitingToRetry:
      return "waiting_to_retry";
    case LinkPhase::kConnecting:
      return "connecting";
    case LinkPhase::kHandshake:
      return "handshake";
    case LinkPhase::kWaitingForSnapshot:
      return "waiting_for_snapshot";
    case LinkPhase::kReceivingSnapshot:
      return "receiving_snapshot";
    case LinkPhase::kFollowing:
      return "following";
  }
  return "";
}

bool is_syncing(LinkPhase phase) {
  return phase == LinkPhase::kWaitingForSnapshot || phase == LinkPhase::kReceivingSnapshot;
}

int64_t seconds_since(int64_t then_ms, int64_t now_ms) {
  return then_ms == 0 ? -1 : std::max<int64_t>(0, (now_ms - then_ms) / 1000);
}

void add_sync(std::string& out, const LinkProgress& link, int64_t now_ms) {
  const int64_t total = std::max<int64_t>(0, link.snapshot_bytes_total.load());
  const int64_t read = link.snapshot_bytes_read.load();
  const int64_t elapsed_ms = std::max<int64_t>(1, now_ms - link.snapshot_started_ms.load());
  fmt::format_to(std::back_inserter(out),
                 "master_sync_total_bytes:{}\r\nmaster_sync_read_bytes:{}\r\n"
                 "master_sync_left_bytes:{}\r\nmaster_sync_perc:{:.2f}\r\n"
                 "master_sync_last_io_seconds_ago:{}\r\n"
                 "master_sync_read_keys:{}\r\nmaster_sync_bytes_per_second:{}\r\n",
                 total, read, total > 0 ? total - read : -read,
                 total > 0 ? 100.0 * static_cast<double>(read) / static_cast<double>(total) : 0.0,
                 seconds_since(link.last_io_ms.load(), now_ms), link.snapshot_keys_read.load(),
                 read * 1000 / elapsed_ms);
}

// -1: no try is waited for.
int64_t seconds_to_next_try(const RoleState::View& view, int64_t now_ms) {
  const bool waits = view.phase == LinkPhase::kStopped || view.phase == LinkPhase::kWaitingToRetry;
  if (!waits || view.next_try_ms == 0) return -1;
  return std::max<int64_t>(0, (view.next_try_ms - now_ms) / 1000);
}

void add_link(std::string& out, const ReplicationControl& control, const RoleState::View& view,
              const ReplicaRole& role, int64_t now_ms) {
  const LinkProgress& link = control.link();
  const ReplicationOptions& options = control.options();
  const LinkPhase phase = view.phase;
  const bool following = view.following();
  const uint64_t applied = control.engine().log.end();
  const auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "master_host:{}\r\nmaster_port:{}\r\nmaster_link_status:{}\r\n"
                 "master_last_io_seconds_ago:{}\r\nmaster_sync_in_progress:{}\r\n"
                 "slave_read_repl_offset:{}\r\nslave_repl_offset:{}\r\n",
                 role.primary_host, role.primary_port, following ? "up" : "down",
                 following ? seconds_since(link.last_io_ms.load(), now_ms) : -1,
                 is_syncing(phase) ? 1 : 0,
                 following ? std::max(link.read_offset.load(), applied) : applied, applied);
  if (is_syncing(phase)) add_sync(out, link, now_ms);
  if (!following) {
    const bool never_up = view.down_since_ms == RoleState::kNeverUp;
    fmt::format_to(to, "master_link_down_since_seconds:{}\r\n",
                   never_up ? -1 : seconds_since(view.down_since_ms, now_ms));
  }
  fmt::format_to(to, "slave_priority:{}\r\nslave_read_only:{}\r\nreplica_announced:{}\r\n",
                 options.replica_priority.get(), options.replica_read_only.get() ? 1 : 0,
                 options.replica_announced.get() ? 1 : 0);
  fmt::format_to(to,
                 "master_link_phase:{}\r\nmaster_link_connections:{}\r\n"
                 "master_link_full_syncs:{}\r\nmaster_link_partial_syncs:{}\r\n"
                 "master_link_next_try_seconds:{}\r\nmaster_link_last_failure:{}\r\n",
                 phase_word(phase), link.connections.load(), link.full_syncs.load(),
                 link.partial_syncs.load(), seconds_to_next_try(view, now_ms), view.failure);
}

void add_replicas(std::string& out, const ReplicationControl& control, int64_t now_ms) {
  const auto to = std::back_inserter(out);
  const auto replicas = control.replicas().list();
  fmt::format_to(to, "connected_slaves:{}\r\n", replicas.size());
  const ReplicationOptions& options = control.options();
  const int64_t lag_s_max = options.min_replicas_max_lag_seconds.get();
  if (options.min_replicas_to_write.get() > 0 && lag_s_max > 0) {
    fmt::format_to(to, "min_slaves_good_slaves:{}\r\n",
                   control.replicas().good_count(now_ms, lag_s_max * 1000 + 999));
  }
  for (size_t i = 0; i < replicas.size(); ++i) {
    const ReplicaRecord& replica = *replicas[i];
    const ReplicaState state = replica.state.load();
    fmt::format_to(to, "slave{}:ip={},port={},state={},offset={},lag={}\r\n", i, replica.ip,
                   replica.port, state_word(state), replica.acknowledged.load(),
                   state == ReplicaState::kStreaming
                       ? seconds_since(replica.acknowledged_at_ms.load(), now_ms)
                       : 0);
  }
}

void add_log(std::string& out, const ReplicationControl& control) {
  const Log& log = control.engine().log;
  const LogHistory history = log.history();
  const LogWindow window = log.window();
  const bool active = log.active();
  fmt::format_to(std::back_inserter(out),
                 "master_failover_state:no-failover\r\nmaster_replid:{}\r\nmaster_replid2:{}\r\n"
                 "master_repl_offset:{}\r\nsecond_repl_offset:{}\r\nrepl_backlog_active:{}\r\n"
                 "repl_backlog_size:{}\r\nrepl_backlog_first_byte_offset:{}\r\n"
                 "repl_backlog_histlen:{}\r\n",
                 history.id.text(), history.id2.text(), window.end,
                 history.id2.is_none() ? -1 : static_cast<int64_t>(history.id2_valid_until) + 1,
                 active ? 1 : 0, control.options().backlog_bytes.get(),
                 active ? window.first + 1 : 0, window.bytes_held());
}

}  // namespace

std::string replication_info(const ReplicationControl& control) {
  const int64_t now_ms = control.engine().clock.monotonic_ms();
  const RoleState::View view = control.view();
  const auto* replica = std::get_if<ReplicaRole>(&view.role);
  std::string out = fmt::format("role:{}\r\n", replica ? "slave" : "master");
  if (replica) add_link(out, control, view, *replica, now_ms);
  add_replicas(out, control, now_ms);
  add_log(out, control);
  return out;
}

void write_role(const ReplicationControl& control, ReplyWriter& reply) {
  const RoleState::View view = control.view();
  const auto offset = static_cast<int64_t>(control.engine().log.end());
  if (const auto* replica = std::get_if<ReplicaRole>(&view.role)) {
    reply.array(5);
    reply.bulk("slave");
    reply.bulk(replica->primary_host);
    reply.integer(replica->primary_port);
    reply.bulk(role_word(view.phase));
    reply.integer(view.following() ? offset : -1);
    return;
  }
  reply.array(3);
  reply.bulk("master");
  reply.integer(offset);
  const auto replicas = control.replicas().list();
  const auto online = [](const auto& r) { return r->state.load() == ReplicaState::kStreaming; };
  reply.array(std::count_if(replicas.begin(), replicas.end(), online));
  for (const auto& record : replicas) {
    if (!online(record)) continue;
    reply.array(3);
    reply.bulk(record->ip);
    reply.bulk(int64_text(record->port));
    reply.bulk(int64_text(static_cast<int64_t>(record->acknowledged.load())));
  }
}

namespace {

constexpr auto kCounter = MetricKind::kCounter;
using SyncCounts = ReplicaRegistry::SyncCounts;

constexpr MetricRow<SyncCounts> kSyncs[] = {
    {{.name = "sync_full", .kind = kCounter, .help = "Replicas that were sent a whole snapshot."},
     metric_read<&SyncCounts::full>,
     metric_reset<&SyncCounts::full>},
    {{.name = "sync_partial_ok",
      .kind = kCounter,
      .help = "Replicas that went on where they were."},
     metric_read<&SyncCounts::partial>,
     metric_reset<&SyncCounts::partial>},
    {{.name = "sync_partial_err",
      .kind = kCounter,
      .help = "Replicas that asked to go on and were sent a snapshot."},
     metric_read<&SyncCounts::partial_refused>,
     metric_reset<&SyncCounts::partial_refused>},
    {{.name = "total_net_repl_output_bytes",
      .kind = kCounter,
      .unit = MetricUnit::kBytes,
      .help = "Bytes sent to replicas."},
     metric_read<&SyncCounts::bytes_sent>,
     metric_reset<&SyncCounts::bytes_sent>},
};

constexpr MetricRow<LinkProgress> kLink[] = {
    {{.name = "total_net_repl_input_bytes",
      .kind = kCounter,
      .unit = MetricUnit::kBytes,
      .help = "Bytes received from the primary."},
     metric_read<&LinkProgress::bytes_received>,
     metric_reset<&LinkProgress::bytes_received>},
    {{.name = "unexpected_error_replies",
      .kind = kCounter,
      .help = "Commands of the primary that failed here."},
     metric_read<&LinkProgress::unexpected_errors>,
     metric_reset<&LinkProgress::unexpected_errors>},
    {{.name = "stream_batches",
      .kind = kCounter,
      .help = "Batches of the primary's commands that were applied."},
     metric_read<&LinkProgress::batches>,
     metric_reset<&LinkProgress::batches>},
    {{.name = "stream_batches_shared",
      .kind = kCounter,
      .help = "Of these, the ones that several threads applied."},
     metric_read<&LinkProgress::shared_batches>,
     metric_reset<&LinkProgress::shared_batches>},
};

// The section's lines are text already: a name, a colon and what it says.
void each_line(std::string_view text, MetricTable::Visit visit) {
  constexpr std::string_view kEnd = "\r\n";
  while (!text.empty()) {
    const size_t end = std::min(text.find(kEnd), text.size());
    const std::string_view line = text.substr(0, end);
    const size_t colon = std::min(line.find(':'), line.size() - 1);
    visit({.name = line.substr(0, colon), .kind = MetricKind::kText},
          std::string(line.substr(colon + 1)), {});
    text.remove_prefix(std::min(end + kEnd.size(), text.size()));
  }
}

}  // namespace

MetricTables replication_metrics(ReplicationControl& control) {
  return {
      MetricTable("stats", kSyncs, control.replicas().syncs()),
      MetricTable("stats", kLink, control.link()),
      MetricTable(
          "replication",
          [&control](MetricTable::Visit visit) { each_line(replication_info(control), visit); }),
  };
}

}  // namespace tandem
