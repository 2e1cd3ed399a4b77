#include "acl/acl_log.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

constexpr size_t kPlenty = 128;

AclEvent denied_get(int64_t unix_ms = 0) {
  return {.object = "get", .user = "bob", .client_info = "id=1", .unix_ms = unix_ms};
}

TEST(AclLog, TellsTheNewestFirst) {
  AclLog log;
  log.add(denied_get(1), kPlenty);
  log.add({.kind = AclEventKind::kKey, .object = "a", .user = "bob", .unix_ms = 2}, kPlenty);
  const auto entries = log.entries(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].last.object, "a");
  EXPECT_EQ(entries[0].id, 1);
  EXPECT_EQ(entries[1].last.object, "get");
  EXPECT_EQ(entries[1].id, 0);
  EXPECT_EQ(log.entries(1).size(), 1u);
  log.reset();
  EXPECT_TRUE(log.entries(10).empty());
  log.add(denied_get(3), kPlenty);
  EXPECT_EQ(log.entries(1)[0].id, 2);  // ids go on
}

TEST(AclLog, CountsWhatIsTheSameInOneEntry) {
  AclLog log;
  log.add(denied_get(1000), kPlenty);
  log.add({.object = "set", .user = "bob", .unix_ms = 1500}, kPlenty);
  AclEvent again = denied_get(61'000);
  again.client_info = "id=2";
  log.add(again, kPlenty);
  const auto entries = log.entries(10);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].last.object, "get");  // the newest again
  EXPECT_EQ(entries[0].count, 2);
  EXPECT_EQ(entries[0].id, 0);
  EXPECT_EQ(entries[0].created_ms, 1000);
  EXPECT_EQ(entries[0].last.unix_ms, 61'000);
  EXPECT_EQ(entries[0].last.client_info, "id=2");
}

TEST(AclLog, KeepsApartWhatDiffersOrIsOld) {
  const auto changed = [](auto change) {
    AclEvent event = denied_get();
    change(event);
    return event;
  };
  const AclEvent kOthers[] = {
      changed([](AclEvent& event) { event.kind = AclEventKind::kKey; }),
      changed([](AclEvent& event) { event.context = DenialContext::kScript; }),
      changed([](AclEvent& event) { event.object = "set"; }),
      changed([](AclEvent& event) { event.user = "eve"; }),
      denied_get(60'001),
  };
  for (const AclEvent& other : kOthers) {
    AclLog log;
    log.add(denied_get(), kPlenty);
    log.add(other, kPlenty);
    EXPECT_EQ(log.entries(10).size(), 2u);
  }
}

TEST(AclLog, LooksForTheSameAmongTheNewestTen) {
  AclLog log;
  log.add(denied_get(), kPlenty);
  for (int at = 0; at < 9; ++at) log.add({.object = std::to_string(at)}, kPlenty);
  log.add(denied_get(), kPlenty);
  EXPECT_EQ(log.entries(kPlenty).size(), 10u);
  for (int at = 10; at < 20; ++at) log.add({.object = std::to_string(at)}, kPlenty);
  log.add(denied_get(), kPlenty);
  EXPECT_EQ(log.entries(kPlenty).size(), 21u);
}

TEST(AclLog, KeepsNoMoreThanItMayAndCountsAll) {
  AclLog log;
  for (int at = 0; at < 5; ++at) log.add({.object = std::to_string(at)}, 3);
  ASSERT_EQ(log.entries(10).size(), 3u);
  EXPECT_EQ(log.entries(10)[2].last.object, "2");
  log.add({.object = "4"}, 0);  // none: what there was goes, too
  EXPECT_TRUE(log.entries(10).empty());
  log.add({.kind = AclEventKind::kAuthentication}, 0);
  EXPECT_EQ(log.count(AclEventKind::kCommand), 6u);
  EXPECT_EQ(log.count(AclEventKind::kAuthentication), 1u);
  EXPECT_EQ(log.count(AclEventKind::kKey), 0u);
}

}  // namespace
}  // namespace tandem
