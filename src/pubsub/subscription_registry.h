// Who subscribes to what, and how published messages get there.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
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

// What can be subscribed to. The channels of shards are names of their own: what is sent to one
// reaches neither a channel of that name nor patterns.
enum class SubscriptionKind : uint8_t { kChannel, kPattern, kShardChannel };
inline constexpr std::array kSubscriptionKinds{
    SubscriptionKind::kChannel, SubscriptionKind::kPattern, SubscriptionKind::kShardChannel};

// A client that can receive published messages, and one message on its way to all who receive it.

// One message as seen through one subscription: a channel, a channel of a shard, or a pattern that
// the channel matches. Encoded once a protocol, however many receive it. Confined to the publishing
// thread; what encoded() returns may go anywhere.
class PublishedMessage {
 public:
  // `pattern`: of a subscription to one, and else null.
  PublishedMessage(SubscriptionKind kind, const std::string* pattern, Bytes channel, Bytes payload)
      : kind_(kind), pattern_(pattern), channel_(channel), payload_(payload) {}

  // The whole push (RESP3) or array (RESP2), ready to be sent.
  std::shared_ptr<const std::string> encoded(int protocol) const;

 private:
  SubscriptionKind kind_;
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
    std::array<NameSet, kSubscriptionKinds.size()> names TANDEM_GUARDED_BY(lock);
    bool over TANDEM_GUARDED_BY(lock) = false;  // for good: nothing is subscribed to any more
    std::array<std::atomic<int64_t>, kSubscriptionKinds.size()> counts{};
    std::atomic<int64_t> name_bytes{0};

    int64_t count_of(SubscriptionKind kind) const {
      return counts[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
    }
    int64_t count() const {
      return count_of(SubscriptionKind::kChannel) + count_of(SubscriptionKind::kPattern) +
             count_of(SubscriptionKind::kShardChannel);
    }
  };
  Subscriptions subscriptions;
};

// Who is subscribed to what, for all workers of a node.
//
// Threads: internally synchronized. Channels are spread over kParts locks by their hash, patterns
// have one; a message is delivered under the lock of its channel, so all subscribers of a channel
// see the same order. A subscriber's own lock is taken before any of these.
class SubscriptionRegistry {
 public:
  SubscriptionRegistry() = default;
  SubscriptionRegistry(const SubscriptionRegistry&) = delete;
  SubscriptionRegistry& operator=(const SubscriptionRegistry&) = delete;

  using Kind = SubscriptionKind;
  using Member = std::shared_ptr<Subscriber>;

  // Any thread, as all here. False: nothing changed.
  bool subscribe(Kind kind, const Member& subscriber, Bytes name);
  bool unsubscribe(Kind kind, Subscriber& subscriber, Bytes name);
  // Ends all subscriptions. When this returns, no deliver() runs or comes, unless it subscribes
  // again.
  void forget(Subscriber& subscriber);
  // The same for good: what it still asks for changes nothing.
  void end(Subscriber& subscriber);
  static std::vector<std::string> names_of(Kind kind, Subscriber& subscriber);

  // Both return how many subscriptions received the message.
  int64_t publish(Bytes channel, Bytes payload);
  int64_t publish_to_shard(Bytes channel, Bytes payload);

  // What has subscribers; without a pattern all of a kind.
  std::vector<std::string> names(Kind kind, std::optional<Bytes> pattern) const;
  int64_t subscriber_count(Kind kind, Bytes name) const;
  int64_t name_count(Kind kind) const {
    return name_counts_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }
  // Whether anybody may receive what is published.
  bool has_listeners() const {
    return name_count(Kind::kChannel) + name_count(Kind::kPattern) != 0;
  }

 private:
  static constexpr size_t kParts = 64;
  using Receivers = std::vector<Member>;
  struct alignas(64) Part {
    mutable Lock lock;
    std::map<std::string, Receivers, std::less<>> receivers TANDEM_GUARDED_BY(lock);
  };

  bool leave(Kind kind, Subscriber& subscriber, Bytes name)
      TANDEM_REQUIRES(subscriber.subscriptions.lock);
  void leave_all(Subscriber& subscriber) TANDEM_REQUIRES(subscriber.subscriptions.lock);

  // Names those who take no more.
  int64_t deliver(Kind kind, Bytes channel, Bytes payload, std::vector<Member>& overwhelmed);
  int64_t deliver_to_patterns(Bytes channel, Bytes payload, std::vector<Member>& overwhelmed);

  Part& part(Kind kind, Bytes name) {
    std::vector<Part>& all = parts_[static_cast<size_t>(kind)];
    return all[std::hash<Bytes>()(name) % all.size()];
  }
  const Part& part(Kind kind, Bytes name) const {
    const std::vector<Part>& all = parts_[static_cast<size_t>(kind)];
    return all[std::hash<Bytes>()(name) % all.size()];
  }

  // By kind. Patterns are in one part, for each message asks all of them.
  std::array<std::vector<Part>, kSubscriptionKinds.size()> parts_{
      std::vector<Part>(kParts), std::vector<Part>(1), std::vector<Part>(kParts)};
  std::array<std::atomic<int64_t>, kSubscriptionKinds.size()> name_counts_{};
};

// What subscriptions count, as a table (base/metric.h).

// Section: stats. They outlive the table.
MetricTable pubsub_metrics(const SubscriptionRegistry& subscriptions);

// SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE PUBLISH SPUBLISH PUBSUB.

// As whom a client subscribes; null: it cannot.
using SubscriberOf = std::function<std::shared_ptr<Subscriber>(ClientState& client)>;

// The rows refer to `registry`, which outlives them.
std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry, SubscriberOf subscriber_of);

}  // namespace tandem
