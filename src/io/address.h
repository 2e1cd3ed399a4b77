// Where a connection's end is, and how Redis writes it: "127.0.0.1:6379", "[::1]:6379",
// "/run/tandem.sock:0".
#pragma once

#include <cstdint>
#include <string>

namespace tandem {

struct Address {
  std::string host;  // numeric IPv4 or IPv6, or the path of a Unix socket
  uint16_t port = 0;
  bool is_unix = false;

  std::string text() const;
  // A Unix socket or the loopback network: what protected mode lets in.
  bool is_local() const;
};

}  // namespace tandem
