// Who is subscribed to what, for all workers of a node.
//
// Threads: internally synchronized. Channels are spread over kShards locks by their hash, patterns
// have one of their own; a message is delivered under the lock of its channel, so all subscribers
// of a channel see the same order.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "pubsub/subscriber.h"

namespace tandem {

class SubscriptionRegistry {
 public:
  SubscriptionRegistry() = default;
  SubscriptionRegistry(const SubscriptionRegistry&) = delete;
  SubscriptionRegistry& operator=(const SubscriptionRegistry&) = delete;

  // All four on the subscriber's own thread; they keep subscriber.subscriptions, too. False:
  // nothing changed.
  bool subscribe(Subscriber& subscriber, Bytes channel);
  bool unsubscribe(Subscriber& subscriber, Bytes channel);
  bool subscribe_pattern(Subscriber& subscriber, Bytes pattern);
  bool unsubscribe_pattern(Subscriber& subscriber, Bytes pattern);
  // Ends all subscriptions. Call before the subscriber is destroyed; when this returns, no
  // deliver() runs or comes.
  void forget(Subscriber& subscriber);

  // Returns how many subscriptions received the message.
  int64_t publish(Bytes channel, Bytes payload);

  // Channels with subscribers; without a pattern all of them.
  std::vector<std::string> channels(std::optional<Bytes> pattern) const;
  int64_t subscriber_count(Bytes channel) const;
  int64_t channel_count() const { return channel_count_.load(std::memory_order_relaxed); }
  int64_t pattern_count() const { return pattern_count_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kShards = 64;
  using Receivers = std::vector<Subscriber*>;
  struct alignas(64) Shard {
    mutable Lock lock;
    std::map<std::string, Receivers, std::less<>> channels TANDEM_GUARDED_BY(lock);
  };

  Shard& shard(Bytes channel);
  const Shard& shard(Bytes channel) const;

  std::array<Shard, kShards> shards_;
  Lock patterns_lock_;
  std::map<std::string, Receivers, std::less<>> patterns_ TANDEM_GUARDED_BY(patterns_lock_);
  std::atomic<int64_t> channel_count_{0};
  std::atomic<int64_t> pattern_count_{0};
};

}  // namespace tandem
