// SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE PUBLISH PUBSUB.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/client_state.h"
#include "engine/command.h"
#include "pubsub/subscription_registry.h"

namespace tandem {

// As whom a client subscribes; null: it cannot.
using SubscriberOf = std::function<std::shared_ptr<Subscriber>(ClientState& client)>;

// The rows refer to `registry`, which outlives them.
std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry, SubscriberOf subscriber_of);

}  // namespace tandem
