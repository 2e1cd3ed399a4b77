#include "io/address.h"

#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/result.h"

namespace tandem {

std::string Address::text() const {
  const bool is_ipv6 = !is_unix && host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

bool Address::is_local() const {
  return is_unix || host.starts_with("127.") || host == "::1" || host.starts_with("::ffff:127.");
}

Address SocketAddress::address() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return {text, ntohs(v4.sin_port), false};
  }
  if (family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return {text, ntohs(v6.sin6_port), false};
  }
  if (family() == AF_UNIX) {
    const auto& local = reinterpret_cast<const sockaddr_un&>(storage);
    const size_t room =
        length > offsetof(sockaddr_un, sun_path) ? length - offsetof(sockaddr_un, sun_path) : 0;
    return {std::string(local.sun_path, strnlen(local.sun_path, room)), 0, true};
  }
  return {"?", 0, false};
}

Result<std::vector<SocketAddress>> resolve(const std::string& host, uint16_t port, bool passive) {
  std::string name = host;
  if (passive && host == "*") name = "0.0.0.0";
  if (passive && host == "::*") name = "::";
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE : 0;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) {
    return fail(ErrorCode::kIo, code == EAI_SYSTEM ? system_text(errno) : gai_strerror(code));
  }
  std::vector<SocketAddress> all;
  for (const addrinfo* info = found; info; info = info->ai_next) {
    SocketAddress& address = all.emplace_back();
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.length = info->ai_addrlen;
  }
  freeaddrinfo(found);
  if (all.empty()) return fail(ErrorCode::kIo, "the name has no address");
  return all;
}

bool is_numeric(const std::string& host) {
  in6_addr space;
  return inet_pton(AF_INET, host.c_str(), &space) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &space) == 1;
}

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress address;
  auto& local = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof local.sun_path) {
    return fail(ErrorCode::kInvalid,
                fmt::format("a socket's path has 1 to {} bytes", sizeof local.sun_path - 1));
  }
  local.sun_family = AF_UNIX;
  std::memcpy(local.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Address local_address(int descriptor) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getsockname(descriptor, address.raw(), &address.length) != 0) return {"?", 0, false};
  return address.address();
}

Address peer_address(int descriptor) {
  SocketAddress address;
  address.length = sizeof address.storage;
  if (getpeername(descriptor, address.raw(), &address.length) != 0) return {"?", 0, false};
  Address peer = address.address();
  if (peer.is_unix && peer.host.empty()) return local_address(descriptor);
  return peer;
}

}  // namespace tandem
