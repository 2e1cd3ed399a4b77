#include "io/address.h"

#include <fmt/format.h>

namespace tandem {

std::string Address::text() const {
  const bool is_ipv6 = !is_unix && host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool Address::is_local() const {
  return is_unix || host.starts_with("127.") || host == "::1" || host.starts_with("::ffff:127.");
}

}  // namespace tandem
