// A client that can receive published messages, and one message on its way to all who receive it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/bytes.h"

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

// The session of a client derives from this besides ClientState; that is how SUBSCRIBE finds it.
class Subscriber {
 public:
  virtual ~Subscriber() = default;

  // Called on the publisher's thread, which may be the subscriber's own, under the registry's lock:
  // take the bytes, wake the owner, return; do not call into the registry. What a subscriber has
  // taken before it unsubscribed may be sent after the confirmation.
  virtual void deliver(const PublishedMessage& message) = 0;

  // What it is subscribed to; its own thread only.
  using NameSet = std::set<std::string, std::less<>>;
  struct Subscriptions {
    NameSet channels;
    NameSet patterns;
    size_t count() const { return channels.size() + patterns.size(); }
  };
  Subscriptions subscriptions;
};

}  // namespace tandem
