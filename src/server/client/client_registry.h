// Every client of the server, as others see it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <absl/container/btree_map.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/function_ref.h"
#include "base/lock.h"
#include "base/option.h"
#include "base/result.h"
#include "engine/command.h"
#include "engine/rights.h"
#include "io/byte_stream.h"
#include "replication/replica_registry.h"
#include "server/client/inbox.h"

namespace tandem {

// What other threads may know of a client, and what they may do to it.
//
// Its session writes what is known, CLIENT LIST and INFO read it: numbers are relaxed atomics,
// stored once a batch of requests; texts are under a lock. What others do to it takes effect here,
// at once, and not when its session comes to hear of it: messages are in its inbox, a wait is over
// when somebody has ended it, and a client that was killed executes nothing more and is served
// nothing (ClientRegistry::kill).
//
// Shared: a card may outlive its session.

class Waiter;

enum ClientFlag : uint32_t {
  kClientReplica = 1u << 0,
  kClientPubsub = 1u << 1,
  kClientTransaction = 1u << 2,
  kClientDirty = 1u << 4,    // EXEC will fail
  kClientClosing = 1u << 5,  // after the reply
  kClientMonitor = 1u << 6,
  kClientUnix = 1u << 7,
  kClientNoEvict = 1u << 8,
  kClientNoTouch = 1u << 9,
  kClientPrimary = 1u << 10,
  kClientHeldBack = 1u << 11,  // by CLIENT PAUSE
  kClientTracking = 1u << 12,
  kClientBroadcast = 1u << 13,       // tracks by prefixes
  kClientRedirectBroken = 1u << 14,  // whom it directs its invalidations to is gone
};

struct ClientCard {
  // Constant once the client is listed.
  uint64_t id = 0;
  std::string address;
  std::string local_address;
  int descriptor = -1;
  int64_t connected_ms = 0;  // of the monotonic clock, like last_active_ms
  // Any thread: its owner looks at what others did to it, soon. Null: nobody owns it.
  std::function<void()> wake;

  std::atomic<uint32_t> flags{0};
  std::atomic<int> database{0};
  std::atomic<int> protocol{2};
  std::atomic<int64_t> last_active_ms{0};
  std::atomic<const Command*> command{nullptr};
  std::atomic<int> transaction_length{-1};
  std::atomic<int64_t> transaction_bytes{0};
  // To whom it directs invalidations: a client's id, or itself.
  static constexpr int64_t kNoTracking = -1;
  std::atomic<int64_t> redirect{kNoTracking};
  std::atomic<int64_t> query_bytes{0};
  std::atomic<int64_t> query_free_bytes{0};
  std::atomic<int64_t> argument_bytes{0};    // kept while it is blocked
  std::atomic<int64_t> reply_room_bytes{0};  // what holds replies, full or not
  std::atomic<int64_t> output_bytes{0};      // of them, waiting to be sent

  // Its part in the sums of ClientMemory.
  std::atomic<int64_t> counted_bytes{0};
  std::atomic<bool> counted_evictable{false};

  // Both are looked at before each request, and so lie side by side. Nothing that it asks for is
  // executed any more; what waits in its inbox.
  std::atomic<bool> killed{false};
  std::atomic<int64_t> inbox_bytes{0};
  Inbox inbox{protocol, output_bytes, inbox_bytes};

  TextOption name;
  // Who it is; null for whom nobody limits.
  Option<std::shared_ptr<const Account>> account;
  TextOption library_name;
  TextOption library_version;

  // What it waits for while a command blocks it. Whoever ends the wait, its client is blocked no
  // more at that moment, though its session may not have heard. Any thread.
  void set_waiter(std::shared_ptr<Waiter> waiter);
  std::shared_ptr<Waiter> waiter() const;
  bool is_blocked() const;

  // The user's name, for people.
  std::string user() const;

  // Whether nobody is there to take what it waits for: it was killed, or its peer has closed the
  // connection, of which its session may not have heard. Any thread.
  bool is_gone() const;
  // The session's stream as long as there is one, else null.
  void set_stream(const ByteStream* stream);

  // Not sent yet: replies and messages.
  int64_t unsent_bytes() const {
    return output_bytes.load(std::memory_order_relaxed) + inbox.bytes();
  }
  // All that the server holds for the sake of this client.
  int64_t memory_bytes() const;

  bool is(ClientFlag flag) const { return (flags.load(std::memory_order_relaxed) & flag) != 0; }
  void set_flag(ClientFlag flag, bool on) {
    on ? flags.fetch_or(flag, std::memory_order_relaxed)
       : flags.fetch_and(~uint32_t{flag}, std::memory_order_relaxed);
  }

 private:
  mutable Lock lock_;
  std::shared_ptr<Waiter> waiter_ TANDEM_GUARDED_BY(lock_);
  const ByteStream* stream_ TANDEM_GUARDED_BY(lock_) = nullptr;
};

// With all that the connection tells of itself, but for `wake`, and with its inbox not open.
std::shared_ptr<ClientCard> make_client_card(const ByteStream& stream, uint64_t id,
                                             int64_t now_monotonic_ms);

// The line of CLIENT LIST and CLIENT INFO, without its end.
std::string describe_client(const ClientCard& card, int64_t now_monotonic_ms);

// CLIENT LIST TYPE's word: "normal", "replica", "pubsub" or "master".
Bytes client_type(const ClientCard& card);

// Every client of the server, across workers, and how one of them is ended by another.
//
// Threads: any; a connection costs one lock when it opens and one when it closes.
class ClientRegistry {
 public:
  using Card = std::shared_ptr<ClientCard>;
  // What others know a client by (subscriptions and the like) lets go of it. Any thread, and
  // perhaps twice for one client.
  using Leaving = std::function<void(ClientCard&)>;

  explicit ClientRegistry(Leaving leaving = nullptr) : leaving_(std::move(leaving)) {}

  // Ids grow and are never used twice.
  uint64_t next_id() { return last_id_.fetch_add(1, std::memory_order_relaxed) + 1; }

  void add(Card card);
  // Its connection is over.
  void remove(ClientCard& card);
  // Ends a client: when this returns it is listed no more, receives nothing, and whatever it sends
  // is not executed. Its connection closes soon after. False: it is ended already.
  bool kill(ClientCard& card);

  // Null: there is none.
  Card find(uint64_t id) const;
  // In the order of ids.
  std::vector<Card> list() const;
  // In the order given and as often; ids that are not there are left out.
  std::vector<Card> list(std::span<const uint64_t> ids) const;
  size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  const Leaving leaving_;
  std::atomic<uint64_t> last_id_{0};
  std::atomic<size_t> count_{0};
  mutable Lock lock_;
  absl::btree_map<uint64_t, Card> cards_ TANDEM_GUARDED_BY(lock_);
};

// Replication's connections among the server's clients: the link to the primary has a card like any
// client (CLIENT LIST's flag M) while it follows, and a replica's card shows when it was last
// heard.
//
// Threads: as ConnectionObserver says.
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

// Which clients CLIENT LIST and CLIENT KILL mean.
struct ClientFilter {
  std::optional<std::string> type;  // as client_type() says it
  std::optional<std::string> address;
  std::optional<std::string> local_address;
  std::optional<std::string> user;
  std::optional<uint64_t> id;
  // CLIENT LIST's, in the order given and as often; empty: all. matches() leaves them alone.
  std::vector<uint64_t> listed_ids;
  bool skip_self = true;  // CLIENT KILL's default

  bool matches(const ClientCard& card) const;
};

// The arguments behind CLIENT KILL, in the form with filters. The error is the reply.
Result<ClientFilter> parse_kill_filter(std::span<const Bytes> args,
                                       FunctionRef<bool(Bytes)> is_user);
// The arguments behind CLIENT LIST.
Result<ClientFilter> parse_list_filter(std::span<const Bytes> args);

}  // namespace tandem
