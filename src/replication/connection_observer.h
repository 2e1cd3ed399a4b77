// What a list of the server's clients learns of replication's connections, which are no clients'
// sessions. The server implements it; where nobody lists clients there is none.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/client_state.h"
#include "io/byte_stream.h"

namespace tandem {

class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;

  // The link, on the replication loop: it follows its primary from now on, over the connection with
  // this number (ReplicationControl::cut_link), until link_closed().
  virtual void link_opened(const ByteStream& stream, uint64_t number) = 0;
  // It executed what came, but for `unread_bytes` of a command or transaction without its end.
  virtual void link_executed(const ClientState& client, size_t unread_bytes) = 0;
  virtual void link_closed() = 0;

  // A replica said how far it is. On its connection's worker.
  virtual void replica_heard(uint64_t client_id) = 0;
};

}  // namespace tandem
