// What subscriptions count, as a table (base/metric.h).
#pragma once

#include "base/metric.h"
#include "pubsub/subscription_registry.h"

namespace tandem {

// Section: stats. They outlive the table.
MetricTable pubsub_metrics(const SubscriptionRegistry& subscriptions);

}  // namespace tandem
