// Where a connection's end is, and how Redis writes it: "127.0.0.1:6379", "[::1]:6379",
// "/run/tandem.sock:0".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>

#include "base/result.h"

namespace tandem {

struct Address {
  std::string host;  // numeric IPv4 or IPv6, or the path of a Unix socket
  uint16_t port = 0;
  bool is_unix = false;

  std::string text() const;
  // A Unix socket or the loopback network: what protected mode lets in.
  bool is_local() const;
};

// The kernel's socket addresses, from and to ours.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  Address address() const;
};

// All addresses of a name or a numeric address. Blocks when it has to ask a name server. `passive`:
// to listen on, where "*" means all of IPv4 and "::*" all of IPv6.
Result<std::vector<SocketAddress>> resolve(const std::string& host, uint16_t port, bool passive);
// Whether `host` is numeric, so that resolving it asks nobody.
bool is_numeric(const std::string& host);
Result<SocketAddress> unix_address(const std::string& path);

Address local_address(int descriptor);
// A Unix peer has no name of its own; it goes by the path of the listener.
Address peer_address(int descriptor);

}  // namespace tandem
