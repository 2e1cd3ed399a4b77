#include "io/process.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/result.h"

namespace tandem {

Result<void> go_into_background() {
  std::fflush(nullptr);  // or both would write it
  const pid_t child = ::fork();
  if (child < 0) return fail_system("fork");
  if (child > 0) ::_exit(0);
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR);
  if (nothing < 0) return {};
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, stream);
  if (nothing > STDERR_FILENO) ::close(nothing);
  return {};
}

int64_t raise_descriptor_limit(int64_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min(std::max(before, static_cast<rlim_t>(wanted)), limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  constexpr rlim_t kUnlimited = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(limit.rlim_cur, kUnlimited));
}

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

// The kernel lays arguments and environment one behind the other. What the program and its
// libraries still read are copies from now on; they live as long as the program.
ProcessTitle::ProcessTitle(int argc, char** argv) {
  if (argc < 1 || argv[0] == nullptr) return;
  begin_ = end_ = argv[0];
  const auto move_away = [this](char*& text) {
    if (text != end_) return;
    end_ = text + std::strlen(text) + 1;
    if (char* copy = ::strdup(text)) text = copy;
  };
  ::program_invocation_name = ::strdup(::program_invocation_name);
  if (char* name = std::strrchr(::program_invocation_name, '/')) {
    ::program_invocation_short_name = name + 1;
  } else {
    ::program_invocation_short_name = ::program_invocation_name;
  }
  for (int at = 0; at < argc; ++at) move_away(argv[at]);
  for (char** variable = ::environ; *variable != nullptr; ++variable) move_away(*variable);
}

void ProcessTitle::show(std::string_view title) {
  if (begin_ == nullptr) return;
  const auto room = static_cast<size_t>(end_ - begin_);
  const size_t shown = std::min(title.size(), room - 1);
  std::copy_n(title.data(), shown, begin_);
  std::fill(begin_ + shown, end_, '\0');
}

}  // namespace tandem
