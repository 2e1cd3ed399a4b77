#include "stats/memory.h"

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "base/allocation.h"
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
  figures.used_bytes = allocated_bytes();
#ifdef TANDEM_JEMALLOC
  figures.active_bytes = allocator_figure("stats.active");
  figures.mapped_bytes = allocator_figure("stats.resident");
#else
  figures.active_bytes = figures.mapped_bytes = figures.resident_bytes;
#endif
  return figures;
}

namespace {

constexpr int64_t kMib = 1024 * 1024;

// More by half, and by as much as is worth a thought.
bool is_much_more(int64_t bytes, int64_t than_bytes) {
  constexpr int64_t kWorthBytes = 16 * kMib;
  return bytes > than_bytes + than_bytes / 2 && bytes - than_bytes > kWorthBytes;
}

}  // namespace

std::string memory_advice(const MemoryReport& report, int64_t clients, int64_t cached_scripts) {
  constexpr int64_t kLittleBytes = 5 * kMib;
  constexpr int64_t kClientBytesMany = 256 * 1024;
  constexpr int64_t kScriptsMany = 1000;
  const MemoryFigures& now = report.now;
  if (report.grown_bytes() < kLittleBytes) {
    return "There is hardly anything in memory, so there is nothing to say about it.\n";
  }
  std::string advice;
  const auto add = [&advice](bool holds, std::string_view text) {
    if (holds) advice += fmt::format("- {}\n", text);
  };
  add(is_much_more(report.peak_bytes, now.used_bytes),
      "Much more was in use once than is now. The system may still count what is free again; "
      "MEMORY PURGE gives it back.");
  add(is_much_more(now.active_bytes, now.used_bytes),
      "The data lie scattered over more pages than they need. It passes as keys are written anew; "
      "a restart from the file ends it at once.");
  add(is_much_more(now.mapped_bytes, now.active_bytes),
      "The allocator keeps free pages for itself. MEMORY PURGE gives them back to the system.");
  add(is_much_more(now.resident_bytes, now.mapped_bytes),
      "Memory is resident that the allocator does not know of: threads' stacks, libraries, or "
      "pages that the kernel has made huge.");
  add(clients > 0 && report.clients_bytes / clients > kClientBytesMany,
      "Clients hold much: they send large requests or do not read their replies. CLIENT LIST shows "
      "which (tot-mem); maxmemory-clients and client-output-buffer-limit set bounds.");
  add(cached_scripts > kScriptsMany,
      "Many scripts are kept. Programs that build a new text for each call should pass values as "
      "ARGV instead.");
  return advice.empty() ? "Nothing is unusual about the use of memory.\n" : advice;
}

std::string allocator_report() {
#ifdef TANDEM_JEMALLOC
  std::string report;
  ::malloc_stats_print(
      [](void* out, const char* text) { static_cast<std::string*>(out)->append(text); }, &report,
      nullptr);
  return report;
#else
  return "Stats not supported for the current allocator";
#endif
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
