// SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE PUBLISH PUBSUB.
#pragma once

#include <vector>

#include "engine/command.h"
#include "pubsub/subscription_registry.h"

namespace tandem {

// The rows refer to `registry`, which outlives them. A client that subscribes must be a Subscriber,
// too.
std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry);

// RESET: unsubscribes without a word.
void end_subscriptions(SubscriptionRegistry& registry, Subscriber& subscriber);

}  // namespace tandem
