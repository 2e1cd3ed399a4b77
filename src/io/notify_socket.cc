#include "io/notify_socket.h"

#include <cstddef>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/system_error.h"

namespace tandem {

Result<void> send_notice(const std::string& address, std::string_view text) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.size() < 2 || address.size() > sizeof to.sun_path) {
    return fail(ErrorCode::kInvalid, "an address of " + std::to_string(address.size()) + " bytes");
  }
  address.copy(to.sun_path, address.size());
  if (address[0] == '@') to.sun_path[0] = '\0';
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (sender < 0) return fail_system("socket");
  const ssize_t sent = ::sendto(sender, text.data(), text.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&to), bytes);
  Result<void> done;
  if (sent < 0) done = fail_system(address);
  ::close(sender);
  return done;
}

}  // namespace tandem
