// Who subscribes to which channels and patterns, and how published messages get there.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/metric.h"
#include "engine/client_state.h"
#include "engine/command.h"

namespace tandem {

// A client that can receive published messages, and one message on its way to all who receive it.

// One message as seen through one subscription: a channel, or a pattern that the channel matches.
// Encoded once a protocol, however many receive it. Confined to the publishing thread; what
// encoded() returns may go anywhere.
class PublishedMessage {
 public:
  // An empty `pattern` pointer: the subscription is to the channel itself.
  PublishedMessage(const std::string* pattern, Bytes channel, Bytes payload)
      : pattern_(pattern), channel_(channel), payload_(payload) {}

  // The whole push (RESP3) or array (RESP2), ready to be sent.
  std::shared_ptr<const std::string> encoded(int protocol) const;

 private:
  const std::string* pattern_;
  Bytes channel_;
  Bytes payload_;
  mutable std::shared_ptr<const std::string> encoded_[2];
};

// One client as the registry knows it, shared by all who may have to do with it: its owner, its
// publishers, and whoever ends it.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  // Called on the publisher's thread, which may be the subscriber's own, under the registry's lock:
  // take the bytes, wake the owner, return; do not call into the registry. What a subscriber has
  // taken before it unsubscribed may be sent after the confirmation. False: more waits for it than
  // may; cut_off() follows.
  virtual bool deliver(const PublishedMessage& message) = 0;
  // On the publisher's thread, without locks: it is to be gone when this returns, as far as anybody
  // can tell.
  virtual void cut_off() {}

  using NameSet = std::set<std::string, std::less<>>;
  // What it is subscribed to. The registry changes it; counts may be read by anybody.
  struct Subscriptions {
    Lock lock;
    NameSet channels TANDEM_GUARDED_BY(lock);
    NameSet patterns TANDEM_GUARDED_BY(lock);
    bool over TANDEM_GUARDED_BY(lock) = false;  // for good: nothing is subscribed to any more
    std::atomic<int64_t> channel_count{0};
    std::atomic<int64_t> pattern_count{0};
    std::atomic<int64_t> name_bytes{0};

    int64_t count() const {
      return channel_count.load(std::memory_order_relaxed) +
             pattern_count.load(std::memory_order_relaxed);
    }
  };
  Subscriptions subscriptions;
};

// Who is subscribed to what, for all workers of a node.
//
// Threads: internally synchronized. Channels are spread over kShards locks by their hash, patterns
// have one of their own; a message is delivered under the lock of its channel, so all subscribers
// of a channel see the same order. A subscriber's own lock is taken before any of these.
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

// What subscriptions count, as a table (base/metric.h).

// Section: stats. They outlive the table.
MetricTable pubsub_metrics(const SubscriptionRegistry& subscriptions);

// SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE PUBLISH PUBSUB.

// As whom a client subscribes; null: it cannot.
using SubscriberOf = std::function<std::shared_ptr<Subscriber>(ClientState& client)>;

// The rows refer to `registry`, which outlives them.
std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry, SubscriberOf subscriber_of);

}  // namespace tandem
