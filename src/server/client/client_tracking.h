// CLIENT TRACKING between a connection and the engine: how it begins and ends, and where
// invalidations go (engine/tracking.h).
//
// A client of RESP3 gets its own as pushes; one of RESP2 gets none. It may direct them to another
// client, which gets them as pushes if it speaks RESP3, and else as messages of the channel
// __redis__:invalidate, provided that it is subscribed to something. Where the other one is gone,
// the redirection is broken: the client is marked so, and told if it speaks RESP3.
#pragma once

#include <span>
#include <string>

#include "engine/client_state.h"
#include "engine/invalidation.h"
#include "engine/tracking.h"
#include "server/client/client_registry.h"

namespace tandem {

// Both on the client's thread; it has a connection. The first also for who tracks already.
void begin_tracking(ClientState& client, Tracking& tracking, const TrackingChoice& choice,
                    std::span<const std::string> prefixes);
void end_tracking(ClientState& client, Tracking& tracking);

// Threads: any.
class ClientInvalidations final : public InvalidationReceiver {
 public:
  // Outlives this.
  explicit ClientInvalidations(const ClientRegistry& clients) : clients_(clients) {}

  void invalidate(uint64_t client, const Invalidation& what) override;

 private:
  const ClientRegistry& clients_;
};

}  // namespace tandem
