// What a client that caches is told: these keys are not what you have read, or nothing is.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tandem {

// One message, encoded once a form however many clients get it. Confined to the thread that sends
// it; what encoded() returns may go anywhere.
class Invalidation {
 public:
  // Of all keys.
  Invalidation() = default;
  explicit Invalidation(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  // RESP3: a push with the word "invalidate" and an array of keys, or null for all. RESP2, for a
  // client to which another's messages are directed: a message on the channel __redis__:invalidate
  // with the same content.
  std::shared_ptr<const std::string> encoded(int protocol) const;

 private:
  std::vector<std::string> keys_;  // empty: all
  mutable std::array<std::shared_ptr<const std::string>, 2> encoded_;
};

// Hands invalidations over to clients. Any thread, under stripes: it takes none.
class InvalidationReceiver {
 public:
  virtual ~InvalidationReceiver() = default;
  // The client may be gone, or track no more.
  virtual void invalidate(uint64_t client, const Invalidation& what) = 0;
};

}  // namespace tandem
