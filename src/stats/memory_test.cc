#include "stats/memory.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

constexpr int64_t kMib = 1024 * 1024;

MemoryReport usual() {
  MemoryReport report;
  report.now = {.used_bytes = 100 * kMib,
                .active_bytes = 105 * kMib,
                .mapped_bytes = 110 * kMib,
                .resident_bytes = 120 * kMib};
  report.peak_bytes = 110 * kMib;
  report.startup_bytes = 2 * kMib;
  report.clients_bytes = kMib;
  return report;
}

bool advises(const MemoryReport& report, std::string_view words, int64_t clients = 10,
             int64_t scripts = 0) {
  return memory_advice(report, clients, scripts).find(words) != std::string::npos;
}

TEST(MemoryAdvice, IsGivenForWhatIsUnusual) {
  EXPECT_EQ(memory_advice(usual(), 10, 5), "Nothing is unusual about the use of memory.\n");
  MemoryReport report = usual();
  report.peak_bytes = 300 * kMib;
  EXPECT_TRUE(advises(report, "Much more was in use once"));
  report = usual();
  report.now.active_bytes = 200 * kMib;
  EXPECT_TRUE(advises(report, "scattered"));
  report = usual();
  report.now.mapped_bytes = 200 * kMib;
  EXPECT_TRUE(advises(report, "MEMORY PURGE"));
  report = usual();
  report.now.resident_bytes = 200 * kMib;
  EXPECT_TRUE(advises(report, "the allocator does not know of"));
  report = usual();
  report.clients_bytes = 10 * kMib;
  EXPECT_TRUE(advises(report, "maxmemory-clients", 10));
  EXPECT_FALSE(advises(report, "maxmemory-clients", 1000));
  EXPECT_TRUE(advises(usual(), "ARGV", 10, 5000));
}

TEST(MemoryAdvice, SaysNothingOfAnEmptyServer) {
  MemoryReport report = usual();
  report.now.used_bytes = 4 * kMib;
  EXPECT_TRUE(advises(report, "hardly anything"));
}

TEST(Allocator, TellsOfItself) { EXPECT_FALSE(allocator_report().empty()); }

}  // namespace
}  // namespace tandem
