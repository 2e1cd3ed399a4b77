#include "base/crash_log.h"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/check.h"
#include "base/logging.h"
#include "base/thread.h"

namespace tandem {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TANDEM_SANITIZER_REPORTS 1
#endif
#endif

struct CrashLogTest : testing::Test {
  void SetUp() override {
#ifdef TANDEM_SANITIZER_REPORTS
    GTEST_SKIP() << "the sanitizer reports";
#endif
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    std::remove(path.c_str());
  }
  void TearDown() override { std::remove(path.c_str()); }

  // In the process that dies.
  void prepare() const {
    prepare_crash_log("/proc/self/exe");
    ASSERT_TRUE(open_log(path, LogLevel::kWarning));
    log_crashes(true);
  }
  std::string report() const {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  const std::string path = testing::TempDir() + "crash-log-test";
};

// Deep, and each level does something with the next one's outcome.
[[gnu::noinline]] int overrun(int depth) {
  volatile char frame[4096] = {};
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : overrun(depth + 1) + frame[0];
}

TEST_F(CrashLogTest, AStackThatHasRunOverIsReportedFromAnother) {
  const auto die = [this] {
    prepare();
    auto thread = Thread::start("deep", [] { ASSERT_NE(overrun(1), 0); });
    thread->join();
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGSEGV), "");
  const std::string text = report();
  EXPECT_NE(text.find("crashed by signal SIGSEGV (11) in thread 'deep'"), text.npos) << text;
  EXPECT_NE(text.find("overrun("), text.npos) << text;
  EXPECT_NE(text.find("CRASH REPORT: end"), text.npos) << text;
}

TEST_F(CrashLogTest, ACheckThatFailsIsReportedWithTheLastCommands) {
  const auto die = [this] {
    prepare();
    CrashTrail first("first");
    CrashTrail second("second");
    {
      const CrashTrail gone("gone");
    }
    for (uint64_t client = 1; client <= 20; ++client) first.note(client, "get");
    second.note(7, std::string(100, 'x'));
    CHECK(path.empty(), "it fails");
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGABRT), "it fails");
  const std::string text = report();
  EXPECT_NE(text.find("  first client 20 get\n"), text.npos) << text;
  EXPECT_NE(text.find("  first client 5 get\n"), text.npos);
  EXPECT_EQ(text.find("client 4 get"), text.npos) << "only the last ones are kept";
  EXPECT_NE(text.find("  second client 7 " + std::string(23, 'x') + "\n"), text.npos);
  EXPECT_EQ(text.find("gone"), text.npos);
}

TEST_F(CrashLogTest, NothingIsReportedUnlessItIsWanted) {
  const auto die = [this] {
    prepare();
    log_crashes(false);
    std::raise(SIGFPE);
  };
  EXPECT_EXIT(die(), testing::KilledBySignal(SIGFPE), "");
  EXPECT_EQ(report(), "");
}

}  // namespace
}  // namespace tandem
