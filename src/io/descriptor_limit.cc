#include "io/descriptor_limit.h"

#include <algorithm>
#include <limits>

#include <sys/resource.h>

namespace tandem {

int64_t raise_descriptor_limit(int64_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::min(std::max(before, static_cast<rlim_t>(wanted)), limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  constexpr rlim_t kUnlimited = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(limit.rlim_cur, kUnlimited));
}

}  // namespace tandem
