// What other threads send a client: published messages, invalidations of what it caches, and the
// lines of MONITOR. Bytes count against the client's output limit from the moment they come, on the
// sender's side, together with what the client has not taken of its replies: a client that does not
// read, or whose worker is busy, is cut off when the limit is reached and not a turn later. A
// message is kept once, however many clients it waits for.
//
// Threads: any; take() is the owner's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/lock.h"
#include "config/options.h"
#include "pubsub/subscription_registry.h"

namespace tandem {

class Inbox final : public Subscriber {
 public:
  struct Message {
    std::shared_ptr<const std::string> bytes;
    bool of_monitor;
  };
  // Whom messages are for.
  struct Owner {
    const NetworkOptions* options;
    std::function<void()> wake;      // it looks into its inbox, soon
    std::function<void()> overflow;  // without locks: it goes, at once
  };

  // All belong to the card that holds the inbox. `bytes`: what waits in it, for all to see.
  Inbox(const std::atomic<int>& protocol, const std::atomic<int64_t>& unsent_bytes,
        std::atomic<int64_t>& bytes)
      : protocol_(protocol), unsent_bytes_(unsent_bytes), bytes_(bytes) {}

  // Before the first message. An inbox that nobody owns drops what comes.
  void open(Owner owner) { owner_ = std::move(owner); }

  bool deliver(const PublishedMessage& message) override;
  void cut_off() override { owner_.overflow(); }
  // Both: false: see Subscriber::deliver.
  bool deliver_push(std::shared_ptr<const std::string> push) {
    return put({std::move(push), false});
  }
  // Of MONITOR.
  bool deliver_line(std::shared_ptr<const std::string> line) {
    return put({std::move(line), true});
  }

  std::vector<Message> take();
  // Nothing is taken any more, and what waits is dropped.
  void close();

  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // It was cut off.
  bool overflowed() const { return overflowed_.load(std::memory_order_relaxed); }

 private:
  bool put(Message message);
  int64_t bytes_max() const;

  const std::atomic<int>& protocol_;
  const std::atomic<int64_t>& unsent_bytes_;
  std::atomic<int64_t>& bytes_;
  Owner owner_{};
  std::atomic<bool> overflowed_{false};
  Lock lock_;
  std::vector<Message> messages_ TANDEM_GUARDED_BY(lock_);
  bool closed_ TANDEM_GUARDED_BY(lock_) = false;
};

}  // namespace tandem
