// What other threads may know of a client: its session writes, CLIENT LIST, CLIENT KILL and INFO
// read. Numbers are relaxed atomics, stored once a batch of requests; texts are under a lock.
// Shared: a card may outlive its session.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/option.h"
#include "engine/command.h"
#include "io/byte_stream.h"

namespace tandem {

class Session;

enum ClientFlag : uint32_t {
  kClientReplica = 1u << 0,
  kClientPubsub = 1u << 1,
  kClientTransaction = 1u << 2,
  kClientBlocked = 1u << 3,
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
  // Any thread: runs the call with the client's session, soon and on its own thread, if it still
  // exists. The link to the primary has none.
  std::function<void(std::function<void(Session&)>)> act;
  // Any thread: ends the connection, soon.
  std::function<void()> close;

  std::atomic<uint32_t> flags{0};
  std::atomic<int> database{0};
  std::atomic<int> protocol{2};
  std::atomic<int64_t> last_active_ms{0};
  std::atomic<const Command*> command{nullptr};
  std::atomic<int> transaction_length{-1};
  std::atomic<int64_t> transaction_bytes{0};
  std::atomic<int> channels{0};
  std::atomic<int> patterns{0};
  std::atomic<int> shard_channels{0};
  std::atomic<int64_t> query_bytes{0};
  std::atomic<int64_t> query_free_bytes{0};
  std::atomic<int64_t> argument_bytes{0};  // kept while it is blocked
  std::atomic<int64_t> reply_room_bytes{0};
  std::atomic<int64_t> output_bytes{0};  // waiting to be sent

  TextOption name;
  TextOption user{"default"};
  TextOption library_name;
  TextOption library_version;

  bool is(ClientFlag flag) const { return (flags.load(std::memory_order_relaxed) & flag) != 0; }
  void set_flag(ClientFlag flag, bool on) {
    on ? flags.fetch_or(flag, std::memory_order_relaxed)
       : flags.fetch_and(~uint32_t{flag}, std::memory_order_relaxed);
  }
};

// With all that the connection tells of itself, but for `act` and `close`.
std::shared_ptr<ClientCard> make_client_card(const ByteStream& stream, uint64_t id,
                                             int64_t now_monotonic_ms);

// The line of CLIENT LIST and CLIENT INFO, without its end.
std::string describe_client(const ClientCard& card, int64_t now_monotonic_ms);

// CLIENT LIST TYPE's word: "normal", "replica", "pubsub" or "master".
Bytes client_type(const ClientCard& card);

}  // namespace tandem
