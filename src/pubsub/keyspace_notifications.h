// Events of keys as messages (keyspace/event_choice.h).
//
// Threads: any. Called under the key's stripe, so that every listener hears what happens to a key
// in its order.
#pragma once

#include "engine/engine.h"
#include "pubsub/subscription_registry.h"

namespace tandem {

class KeyspaceNotifications final : public KeyEventObserver {
 public:
  // Outlives this.
  explicit KeyspaceNotifications(SubscriptionRegistry& subscriptions)
      : subscriptions_(subscriptions) {}

  void key_event(EventChoice choice, const KeyEvent& event, int database, Bytes key) override;

 private:
  SubscriptionRegistry& subscriptions_;
};

}  // namespace tandem
