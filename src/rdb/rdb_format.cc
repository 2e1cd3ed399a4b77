#include "rdb/rdb_format.h"

#include "base/number.h"

namespace tandem {

int rdb_version_read_by(std::string_view redis_version) {
  const size_t dot = redis_version.find('.');
  if (dot == std::string_view::npos) return 0;
  const std::string_view rest = redis_version.substr(dot + 1);
  const auto major = parse_uint64(redis_version.substr(0, dot));
  const auto minor = parse_uint64(rest.substr(0, rest.find('.')));
  if (!major || !minor) return 0;
  if (*major > 7 || (*major == 7 && *minor >= 2)) return kRdbVersionMax;
  return *major == 7 ? 10 : kRdbWriteVersionMin;
}

}  // namespace tandem
