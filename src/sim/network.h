// The network between simulated processes: the wire, and each machine's share of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "io/network.h"
#include "sim/loop.h"
#include "sim/stream.h"
#include "sim/world.h"

namespace tandem {

// SimWire: the network between simulated processes. Connections behave as TCP's do: bytes arrive in
// order and once, or the connection breaks; different connections overtake each other as the
// latency decides. On top of that whatever real networks do can be asked for: partitions, resets,
// connections that are half open, sluggish links.
//
// A partition holds bytes back (TCP sends them again) until it heals, or breaks the connection
// after a long time. A connection attempt across it waits for its own timeout.

class SimEnd;
class SimHost;

struct SimWireOptions {
  int64_t latency_us_min = 50;
  int64_t latency_us_max = 2'000;
  // What a sender may have under way before it has to wait.
  size_t window_bytes = 64 * 1024;
  // One in so many reads and writes does only a part, of random size; 0: none.
  uint64_t partial_one_in = 4;
  int64_t retransmit_ms = 200;
  // A connection breaks when its bytes have been held back for so long.
  int64_t give_up_ms = 900'000;
};

class SimWire {
 public:
  explicit SimWire(SimWorld& world) : world_(world) {}
  SimWire(const SimWire&) = delete;
  SimWire& operator=(const SimWire&) = delete;

  // May be changed at any time.
  SimWireOptions& options() noexcept { return options_; }

  // Hosts by address. Nothing passes between a and b, either way, until healed.
  void partition(const std::string& a, const std::string& b);
  void heal(const std::string& a, const std::string& b);
  // `a` against everybody else.
  void isolate(const std::string& a);
  void heal_all();
  bool blocked(const std::string& a, const std::string& b) const;

  // Connections that exist between a and b: reset on both sides; or left half open: both sides keep
  // them, nothing is ever delivered again.
  void reset_connections(const std::string& a, const std::string& b);
  void drop_silently(const std::string& a, const std::string& b);
  size_t connection_count(const std::string& a, const std::string& b);

  // For hosts and connections.
  SimWorld& world() noexcept { return world_; }
  void add_host(SimHost& host);
  void remove_host(SimHost& host);
  // By address or name; null when nobody has it.
  SimHost* find_host(const std::string& name) const;
  void add_end(const std::shared_ptr<SimEnd>& end);
  int64_t latency_us(const std::string& from, const std::string& to);
  // `size`, or sometimes less, never 0 of something.
  size_t perhaps_part(size_t size);
  int take_descriptor() noexcept { return next_descriptor_++; }

 private:
  std::vector<std::shared_ptr<SimEnd>> ends_between(const std::string& a, const std::string& b);

  SimWorld& world_;
  SimWireOptions options_;
  std::set<std::pair<std::string, std::string>> blocked_;  // the smaller address first
  std::set<std::string> isolated_;
  std::vector<SimHost*> hosts_;
  std::vector<std::weak_ptr<SimEnd>> ends_;
  int next_descriptor_ = 8;
};

// SimHost: a simulated machine's share of the network: its listeners, its connections, whether it
// is up. SimNetwork: the Network of the process on it.

class SimListener;

class SimHost final : private SocketCloser {
 public:
  SimHost(SimWire& wire, std::string address, std::string name);
  ~SimHost();
  SimHost(const SimHost&) = delete;
  SimHost& operator=(const SimHost&) = delete;

  const std::string& address() const noexcept { return address_; }
  const std::string& name() const noexcept { return name_; }
  SimWire& wire() noexcept { return wire_; }
  // Whether the machine is up; its process may be dead all the same.
  bool running() const noexcept { return running_; }
  void set_running(bool running) noexcept { running_ = running; }
  // All connections go; see SimEnd::crash.
  void crash(bool reset_connections);

  // Under "tcp:PORT" or "unix:PATH". False when it is taken.
  bool add_listener(const std::string& key, SimListener& listener);
  // Nothing when another listener has taken its place.
  void remove_listener(const std::string& key, const SimListener& listener);
  SimListener* find_listener(const std::string& key) const;
  uint16_t take_port();
  void add_end(const std::shared_ptr<SimEnd>& end);

  // Accepted and not adopted yet.
  AcceptedSocket park(std::shared_ptr<SimEnd> end);
  std::shared_ptr<SimEnd> unpark(int descriptor);

 private:
  void close_socket(int descriptor) const override;

  SimWire& wire_;
  std::string address_;
  std::string name_;
  bool running_ = false;
  uint16_t next_port_ = 40'000;
  std::map<std::string, SimListener*> listeners_;
  std::vector<std::weak_ptr<SimEnd>> ends_;
  mutable std::map<int, std::shared_ptr<SimEnd>> parked_;
};

class SimNetwork final : public Network {
 public:
  SimNetwork(SimHost& host, SimLoop& loop) : host_(host), loop_(loop) {}

  Result<std::unique_ptr<Listener>> listen(const std::string& address, uint16_t port,
                                           int backlog) override;
  Result<std::unique_ptr<Listener>> listen_unix(const std::string& path, unsigned permissions,
                                                int backlog) override;
  Result<std::unique_ptr<ByteStream>> adopt(AcceptedSocket socket) override;
  Task<Result<std::unique_ptr<ByteStream>>> connect(std::string host, uint16_t port,
                                                    ConnectOptions options,
                                                    StopToken stop) override;
  Task<Result<std::unique_ptr<ByteStream>>> connect_unix(std::string path, StopToken stop) override;

 private:
  SimHost& host_;
  SimLoop& loop_;
};

}  // namespace tandem
