#include "config/configuration_page.h"

#include <gtest/gtest.h>

#include "config/directive.h"
#include "io/files.h"

namespace tandem {
namespace {

TEST(ConfigurationPage, NamesEveryDirectiveAndTheEffectOfEach) {
  const std::string page = configuration_page();
  for (const Directive& directive : directives()) {
    EXPECT_NE(page.find("| `" + std::string(directive.name) + "`"), page.npos) << directive.name;
  }
  EXPECT_NE(page.find("| `timeout` | number from 0 | `0` | run | acts |\n"), page.npos);
  EXPECT_NE(page.find("| `appendonly` | yes, no | `no` | run | **only `no`**: there is no "
                      "append-only file |\n"),
            page.npos);
  EXPECT_NE(page.find("| `io-threads` | number 1 to 128 | `1` | start | no effect: clients are "
                      "served by worker-threads |\n"),
            page.npos);
}

TEST(ConfigurationPage, IsTheOneInDocs) {
  DiskFiles files;
  constexpr uint64_t kBytesMax = 1024 * 1024;
  const auto kept = files.read_all(TANDEM_TEST_DATA "/../../docs/configuration.md", kBytesMax);
  ASSERT_TRUE(kept) << kept.error().text;
  EXPECT_EQ(*kept, configuration_page()) << "run ./dev docs";
}

}  // namespace
}  // namespace tandem
