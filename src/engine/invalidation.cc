#include "engine/invalidation.h"

#include "resp/reply_writer.h"

namespace tandem {

std::shared_ptr<const std::string> Invalidation::encoded(int protocol) const {
  std::shared_ptr<const std::string>& cached = encoded_[protocol == 2 ? 0 : 1];
  if (cached != nullptr) return cached;
  auto text = std::make_shared<std::string>();
  ReplyWriter reply(*text, protocol);
  if (protocol == 2) {
    reply.push(3);
    reply.bulk("message");
    reply.bulk("__redis__:invalidate");
  } else {
    reply.push(2);
    reply.bulk("invalidate");
  }
  if (keys_.empty()) {
    reply.null();
  } else {
    reply.array(static_cast<int64_t>(keys_.size()));
    for (const std::string& key : keys_) reply.bulk(key);
  }
  cached = std::move(text);
  return cached;
}

}  // namespace tandem
