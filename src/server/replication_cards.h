// Replication's connections among the server's clients: the link to the primary has a card like any
// client (CLIENT LIST's flag M) while it follows, and a replica's card shows when it was last
// heard.
//
// Threads: as ConnectionObserver says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "engine/command.h"
#include "replication/connection_observer.h"
#include "server/client_registry.h"

namespace tandem {

class ReplicationCards final : public ConnectionObserver {
 public:
  struct Parts {
    ClientRegistry& clients;
    const Registry& commands;
    const Clock& clock;
    std::function<void(uint64_t connection)> cut_link;  // any thread, also when it is gone
  };

  explicit ReplicationCards(Parts parts);

  void link_opened(const ByteStream& stream, uint64_t number) override;
  void link_executed(const ClientState& client, size_t unread_bytes) override;
  void link_closed() override;
  void replica_heard(uint64_t client_id) override;

 private:
  const Parts parts_;
  const Command* const acknowledgement_;
  ClientRegistry::Card link_;  // the replication loop's; null while there is none
};

}  // namespace tandem
