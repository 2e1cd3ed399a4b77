#include "stats/memory.h"

#include <array>
#include <string>

#include <unistd.h>

#include "base/number.h"

#ifdef TANDEM_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

namespace tandem {
namespace {

// The second word of /proc/self/statm, in pages.
int64_t resident_bytes(Files& files) {
  auto file = files.open("/proc/self/statm", OpenMode::kRead);
  if (!file) return 0;
  std::array<char, 256> text{};
  const auto count = (*file)->read_at(0, text);
  if (!count) return 0;
  const Bytes line(text.data(), *count);
  const size_t start = line.find(' ');
  if (start == line.npos) return 0;
  const Bytes rest = line.substr(start + 1);
  return parse_int64(rest.substr(0, rest.find(' '))).value_or(0) * ::sysconf(_SC_PAGESIZE);
}

#ifdef TANDEM_JEMALLOC
int64_t allocator_figure(const char* name) {
  size_t value = 0;
  size_t size = sizeof(value);
  return ::mallctl(name, &value, &size, nullptr, 0) == 0 ? static_cast<int64_t>(value) : 0;
}
#endif

}  // namespace

MemoryFigures read_memory(Files& files) {
  MemoryFigures figures;
  figures.resident_bytes = resident_bytes(files);
  figures.system_bytes = int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
#ifdef TANDEM_JEMALLOC
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  ::mallctl("epoch", &epoch, &size, &epoch, size);
  figures.used_bytes = allocator_figure("stats.allocated");
  figures.active_bytes = allocator_figure("stats.active");
  figures.mapped_bytes = allocator_figure("stats.resident");
#else
  figures.used_bytes = figures.active_bytes = figures.mapped_bytes = figures.resident_bytes;
#endif
  return figures;
}

const char* allocator_name() {
#ifdef TANDEM_JEMALLOC
  return "jemalloc-5.3.0";
#else
  return "libc";
#endif
}

void purge_memory() {
#ifdef TANDEM_JEMALLOC
  ::mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
#endif
}

}  // namespace tandem
