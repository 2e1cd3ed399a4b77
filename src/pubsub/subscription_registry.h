// Who is subscribed to what, for all workers of a node.
//
// Threads: internally synchronized. Channels are spread over kShards locks by their hash, patterns
// have one of their own; a message is delivered under the lock of its channel, so all subscribers
// of a channel see the same order. A subscriber's own lock is taken before any of these.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
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

  using Member = std::shared_ptr<Subscriber>;

  // Any thread, as all here. False: nothing changed.
  bool subscribe(const Member& subscriber, Bytes channel);
  bool unsubscribe(Subscriber& subscriber, Bytes channel);
  bool subscribe_pattern(const Member& subscriber, Bytes pattern);
  bool unsubscribe_pattern(Subscriber& subscriber, Bytes pattern);
  // Ends all subscriptions. When this returns, no deliver() runs or comes, unless it subscribes
  // again.
  void forget(Subscriber& subscriber);
  // The same for good: what it still asks for changes nothing.
  void end(Subscriber& subscriber);
  static std::vector<std::string> channels_of(Subscriber& subscriber);
  static std::vector<std::string> patterns_of(Subscriber& subscriber);

  // Returns how many subscriptions received the message.
  int64_t publish(Bytes channel, Bytes payload);

  // Channels with subscribers; without a pattern all of them.
  std::vector<std::string> channels(std::optional<Bytes> pattern) const;
  int64_t subscriber_count(Bytes channel) const;
  int64_t channel_count() const { return channel_count_.load(std::memory_order_relaxed); }
  int64_t pattern_count() const { return pattern_count_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kShards = 64;
  using Receivers = std::vector<Member>;
  struct alignas(64) Shard {
    mutable Lock lock;
    std::map<std::string, Receivers, std::less<>> channels TANDEM_GUARDED_BY(lock);
  };

  bool leave_channel(Subscriber& subscriber, Bytes channel)
      TANDEM_REQUIRES(subscriber.subscriptions.lock);
  bool leave_pattern(Subscriber& subscriber, Bytes pattern)
      TANDEM_REQUIRES(subscriber.subscriptions.lock);
  void leave_all(Subscriber& subscriber) TANDEM_REQUIRES(subscriber.subscriptions.lock);

  // Names those who take no more.
  int64_t deliver(Bytes channel, Bytes payload, std::vector<Member>& overwhelmed);

  Shard& shard(Bytes channel);
  const Shard& shard(Bytes channel) const;

  std::array<Shard, kShards> shards_;
  Lock patterns_lock_;
  std::map<std::string, Receivers, std::less<>> patterns_ TANDEM_GUARDED_BY(patterns_lock_);
  std::atomic<int64_t> channel_count_{0};
  std::atomic<int64_t> pattern_count_{0};
};

}  // namespace tandem
