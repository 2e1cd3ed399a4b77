#include "io/daemon.h"

#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "io/system_error.h"

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

}  // namespace tandem
