#include "base/check.h"

#include <cstdio>
#include <cstdlib>

#include <fcntl.h>

#include "base/logging.h"

namespace tandem {

// A server in the background has nobody who reads its standard error.
void check_failed(const char* file, int line, const char* condition, const char* reason) {
  constexpr const char* kForm = "%s:%d: check failed: %s (%s)\n";
  std::fprintf(stderr, kForm, file, line, condition, reason);
  std::fflush(stderr);
  const char* path = log_path();
  const int log = path[0] == '\0' ? -1 : ::open(path, O_WRONLY | O_APPEND | O_CREAT, 0644);
  if (log >= 0) ::dprintf(log, kForm, file, line, condition, reason);
  std::abort();
}

}  // namespace tandem
