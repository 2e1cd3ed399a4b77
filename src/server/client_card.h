// What other threads may know of a client, and what they may do to it.
//
// Its session writes what is known, CLIENT LIST and INFO read it: numbers are relaxed atomics,
// stored once a batch of requests; texts are under a lock. What others do to it takes effect here,
// at once, and not when its session comes to hear of it: messages are in its inbox, a wait is over
// when somebody has ended it, and a client that was killed executes nothing more and is served
// nothing (ClientRegistry::kill).
//
// Shared: a card may outlive its session.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/lock.h"
#include "base/option.h"
#include "engine/command.h"
#include "io/byte_stream.h"
#include "server/inbox.h"

namespace tandem {

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
  std::atomic<int> shard_channels{0};
  std::atomic<int64_t> query_bytes{0};
  std::atomic<int64_t> query_free_bytes{0};
  std::atomic<int64_t> argument_bytes{0};    // kept while it is blocked
  std::atomic<int64_t> reply_room_bytes{0};  // what holds replies, full or not
  std::atomic<int64_t> output_bytes{0};      // of them, waiting to be sent

  // Nothing that it asks for is executed any more.
  std::atomic<bool> killed{false};
  Inbox inbox{protocol, output_bytes};

  TextOption name;
  TextOption user{"default"};
  TextOption library_name;
  TextOption library_version;

  // What it waits for while a command blocks it. Whoever ends the wait, its client is blocked no
  // more at that moment, though its session may not have heard. Any thread.
  void set_waiter(std::shared_ptr<Waiter> waiter);
  std::shared_ptr<Waiter> waiter() const;
  bool is_blocked() const;

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

}  // namespace tandem
