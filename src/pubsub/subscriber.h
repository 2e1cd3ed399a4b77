// A client that can receive published messages, and one message on its way to all who receive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/lock.h"

namespace tandem {

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

}  // namespace tandem
