// What the engine knows of a client. The server's session, a replica's link to its primary and the
// simulation's clients derive from it. Confined to the thread that executes the client's commands.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "engine/gate.h"
#include "engine/rights.h"

namespace tandem {

class ClientConnection;
struct Command;
class Waiter;

// Shared between a watching client and the keys' registrations: any thread that changes a watched
// key sets it.
struct WatchMark {
  std::atomic<bool> dirty{false};
};

struct WatchedKey {
  int database;
  std::string key;
  bool expired_already;  // at the time of WATCH: its deletion is then no change
};

struct QueuedCommand {
  const Command* command;
  std::vector<std::string> args;
};

enum class ClientKind : uint8_t {
  kNormal,
  kLink,  // the stream of this server's primary: allowed whatever the node's conditions, though a
          // pause holds it back; never answered, its bytes go to the log verbatim
  kScript,
};

// How a client tracks (engine/tracking.h).
struct TrackingMode {
  bool broadcast = false;   // BCAST: it is told of all changes below its prefixes
  bool spares_own = false;  // NOLOOP: it is not told of its own
};

// CLIENT TRACKING and CLIENT CACHING, as the client has them.
struct TrackingChoice {
  bool on = false;
  TrackingMode mode = {};
  bool opt_in = false;    // OPTIN: reads are remembered only where CACHING YES goes before
  bool opt_out = false;   // OPTOUT: all but those where CACHING NO does
  bool caching = false;   // CACHING was said, for the next command or transaction
  uint64_t redirect = 0;  // to whom messages go; 0: to itself

  bool remembers_reads() const {
    return on && !mode.broadcast && (opt_in ? caching : !(opt_out && caching));
  }
};

struct ClientState {
  explicit ClientState(ClientKind client_kind)
      : ClientState(client_kind, client_kind == ClientKind::kLink) {}
  ClientState(ClientKind client_kind, bool obeys) : kind(client_kind), obeys_primary(obeys) {}
  virtual ~ClientState() = default;
  ClientState(const ClientState&) = delete;
  ClientState& operator=(const ClientState&) = delete;

  const ClientKind kind;
  // What it executes comes from the primary, be it by way of a script: what was possible there is
  // done here, whatever this server's own limits and clock say.
  const bool obeys_primary;
  // What a command may do with the connection (server/client/client.h); null for who has none: a
  // script, a stream.
  ClientConnection* connection = nullptr;
  uint64_t id = 0;
  int database = 0;
  int protocol = 2;

  // Which user it is; null for what nobody limits: a stream.
  std::shared_ptr<const Account> account;
  // The account's rights, of the version in `standing`; null if it has none, or is null itself.
  std::shared_ptr<const Rights> rights;
  // As the gate's word is made: its conditions (ClientCondition), and above them the version of its
  // rights.
  uint64_t standing = 0;
  bool is(ClientCondition condition) const { return (standing & condition) != 0; }
  void set(ClientCondition condition, bool on) {
    standing = on ? standing | condition : standing & ~uint64_t{condition};
  }
  // Another user, whose rights it learns with its next command.
  void become(std::shared_ptr<const Account> who) {
    account = std::move(who);
    standing = static_cast<uint32_t>(standing);
  }

  // CLIENT NO-TOUCH: that it looks a key up is no use of the key (keyspace/use.h).
  bool leaves_no_trace = false;

  // What it executed or queued last, for people; null before the first.
  const Command* last_command = nullptr;

  // MULTI.
  bool in_transaction = false;
  bool transaction_failed = false;  // a command was refused while queueing: EXEC aborts
  std::vector<QueuedCommand> queue;
  size_t queue_bytes = 0;
  uint32_t queued_any = 0;             // flags that some of what is queued has
  uint32_t queued_all = ~uint32_t{0};  // flags that all of it has

  // WATCH; null while nothing is watched.
  std::shared_ptr<WatchMark> watch_mark;
  std::vector<WatchedKey> watched;

  TrackingChoice tracking;

  // A link's: Engine::role_generation when it was made.
  uint64_t role_generation = 0;

  // Set while the client is blocked by a command (Outcome::kBlocked); whoever owns the client
  // resets it.
  std::shared_ptr<Waiter> waiter;
  // Who this is, for people (MONITOR, SLOWLOG); empty if unknown.
  virtual std::string address() const { return {}; }
  virtual std::string name() const { return {}; }

  // How the reply reaches this client when it is unblocked: called once, by any thread, perhaps
  // after the client is gone. Null: the client cannot block.
  virtual std::function<void(std::string reply)> unblocker() { return nullptr; }
  // Somebody has ended it: it executes nothing more.
  virtual bool is_killed() const { return false; }
  // Whether its peer has closed the connection; to be called by any thread while a waiter of this
  // client is claimed. Null: unknown.
  virtual std::function<bool()> is_gone() { return nullptr; }

  // A command inside its transaction failed; `reply` begins with the error's minus. Keys are held.
  virtual void inner_error(const Command&, Bytes /*reply*/) {}

  // The end offset of the client's last write, for WAIT.
  uint64_t last_write_offset = 0;
};

}  // namespace tandem
