// SimHost: a simulated machine's share of the network: its listeners, its connections, whether it
// is up. SimNetwork: the Network of the process on it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/network.h"
#include "sim/end.h"
#include "sim/loop.h"
#include "sim/wire.h"

namespace tandem {

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
