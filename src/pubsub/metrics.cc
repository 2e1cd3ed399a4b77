#include "pubsub/metrics.h"

namespace tandem {
namespace {

constexpr MetricRow<SubscriptionRegistry> kMetrics[] = {
    {{.name = "pubsub_channels", .help = "Channels that somebody is subscribed to."},
     metric_read<&SubscriptionRegistry::channel_count>},
    {{.name = "pubsub_patterns", .help = "Patterns that somebody is subscribed to."},
     metric_read<&SubscriptionRegistry::pattern_count>},
};

}  // namespace

MetricTable pubsub_metrics(const SubscriptionRegistry& subscriptions) {
  return MetricTable("stats", kMetrics, subscriptions);
}

}  // namespace tandem
