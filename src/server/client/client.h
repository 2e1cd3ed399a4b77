// What a command may do with the connection of the client that sent it. Reached by client_of();
// scripts and the primary's stream have none. Confined to the client's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/context.h"
#include "io/byte_stream.h"
#include "io/loop.h"
#include "io/task.h"
#include "server/client/client_registry.h"

namespace tandem {

// CLIENT REPLY's. SKIP means the command that follows, and has no effect while replies are off.
enum class ReplyMode : uint8_t { kOn, kOff, kSkipThis, kSkipNext };

class ClientConnection {
 public:
  // What goes on with the connection when a command has made it something else than a client's: a
  // replica's stream. It gets what the peer had sent behind the command.
  using HandOver =
      std::move_only_function<Task<void>(ByteStream& stream, std::string unread, StopToken stop)>;

  // What all may know of the client.
  virtual const std::shared_ptr<ClientCard>& card() const = 0;
  // Brings the card up to date in the middle of a batch.
  virtual void show(const Command& command) = 0;
  virtual const Address& peer() const = 0;
  // On which its commands run.
  virtual Loop& loop() const = 0;

  // In force at once: what the same command still answers follows it.
  virtual void set_reply_mode(ReplyMode mode) = 0;
  // The next bytes are another party's than those that answer commands.
  virtual void hand_over(HandOver next) = 0;
  // Back to a fresh connection's state, but for the connection and its id.
  virtual void reset() = 0;
  virtual void close_after_reply() = 0;
  // At once, and without what was not sent yet.
  virtual void close() = 0;

 protected:
  ~ClientConnection() = default;
};

inline ClientConnection* connection_of(const ClientState& client) { return client.connection; }
inline ClientConnection* client_of(const SessionContext& context) {
  return connection_of(context.client);
}

// Ends a client: at once, or, if it is the one that asks, behind its answer. False: it is ended
// already.
inline bool end_client(SessionContext& context, ClientRegistry& clients, ClientCard& card) {
  ClientConnection* own = client_of(context);
  if (own == nullptr || own->card().get() != &card) return clients.kill(card);
  own->close_after_reply();
  return true;
}

}  // namespace tandem
