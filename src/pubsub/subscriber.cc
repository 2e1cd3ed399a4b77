#include "pubsub/subscriber.h"

#include "resp/reply_writer.h"

namespace tandem {

std::shared_ptr<const std::string> PublishedMessage::encoded(int protocol) const {
  std::shared_ptr<const std::string>& cached = encoded_[protocol == 2 ? 0 : 1];
  if (cached == nullptr) {
    auto text = std::make_shared<std::string>();
    ReplyWriter reply(*text, protocol);
    reply.push(pattern_ == nullptr ? 3 : 4);
    reply.bulk(pattern_ == nullptr ? "message" : "pmessage");
    if (pattern_ != nullptr) reply.bulk(*pattern_);
    reply.bulk(channel_);
    reply.bulk(payload_);
    cached = std::move(text);
  }
  return cached;
}

}  // namespace tandem
