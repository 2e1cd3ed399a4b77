#include "server/client/inbox.h"

#include <limits>
#include <utility>

namespace tandem {

bool Inbox::deliver(const PublishedMessage& message) {
  const int protocol = protocol_.load(std::memory_order_relaxed);
  return put({message.encoded(protocol), false});
}

int64_t Inbox::bytes_max() const {
  const auto which = subscriptions.count() > 0 ? ClientClass::kPubsub : ClientClass::kNormal;
  const OutputBufferLimit& limit = owner_.options->output_buffer_limits[static_cast<size_t>(which)];
  const int64_t hard = limit.hard_bytes.get();
  return hard == 0 ? std::numeric_limits<int64_t>::max() : hard;
}

// Takes its own lock and no other: a publisher holds the registry's.
bool Inbox::put(Message message) {
  if (owner_.options == nullptr) return true;
  const auto size = static_cast<int64_t>(message.bytes->size());
  std::vector<Message> dropped;
  bool first;
  {
    const Guard guard(lock_);
    if (closed_) return true;
    const int64_t waiting = bytes() + size;
    if (waiting + unsent_bytes_.load(std::memory_order_relaxed) >= bytes_max()) {
      closed_ = true;
      overflowed_.store(true, std::memory_order_relaxed);
      bytes_.store(0, std::memory_order_relaxed);
      dropped.swap(messages_);
      return false;
    }
    bytes_.store(waiting, std::memory_order_relaxed);
    first = messages_.empty();
    messages_.push_back(std::move(message));
  }
  if (first) owner_.wake();
  return true;
}

std::vector<Inbox::Message> Inbox::take() {
  std::vector<Message> messages;
  const Guard guard(lock_);
  messages.swap(messages_);
  bytes_.store(0, std::memory_order_relaxed);
  return messages;
}

void Inbox::close() {
  std::vector<Message> dropped;
  const Guard guard(lock_);
  closed_ = true;
  bytes_.store(0, std::memory_order_relaxed);
  dropped.swap(messages_);
}

}  // namespace tandem
