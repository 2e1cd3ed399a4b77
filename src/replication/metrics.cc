#include "replication/metrics.h"

#include <algorithm>

#include "replication/info.h"

namespace tandem {
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
