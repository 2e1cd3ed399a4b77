#include "pubsub/keyspace_notifications.h"

#include <fmt/format.h>

namespace tandem {

void KeyspaceNotifications::key_event(EventChoice choice, const KeyEvent& event, int database,
                                      Bytes key) {
  if (!subscriptions_.has_listeners()) return;
  if (choice.on_key_channels()) {
    subscriptions_.publish(fmt::format("__keyspace@{}__:{}", database, key), event.name);
  }
  if (choice.on_event_channels()) {
    subscriptions_.publish(fmt::format("__keyevent@{}__:{}", database, event.name), key);
  }
}

}  // namespace tandem
