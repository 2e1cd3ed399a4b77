// The real network: TCP and Unix sockets on one UvLoop, names by getaddrinfo off the loop.
#pragma once

#include <memory>
#include <string>

#include "io/network.h"

namespace tandem {

class UvLoop;

class UvNetwork final : public Network {
 public:
  // The loop outlives the network and all its streams and listeners.
  explicit UvNetwork(UvLoop& loop) : loop_(loop) {}

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
  UvLoop& loop_;
};

}  // namespace tandem
