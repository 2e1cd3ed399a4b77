#include "keyspace/event_choice.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

std::string shown(std::string_view letters) { return EventChoice::parse(letters)->text(); }

TEST(EventChoice, ShowsLettersInOneOrder) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("KEA"), "AKE");
  EXPECT_EQ(shown("g$lshzxetd"), "A");
  EXPECT_EQ(shown("$K"), "$K");
  EXPECT_EQ(shown("mKE"), "KEm");
  EXPECT_EQ(shown("nKEA"), "AKEn");
  EXPECT_EQ(shown("lgg"), "gl");
  EXPECT_FALSE(EventChoice::parse("Kq"));
}

TEST(EventChoice, TellsClassesOnChannels) {
  const EventChoice lists = *EventChoice::parse("Kl");
  EXPECT_TRUE(lists.on_key_channels());
  EXPECT_FALSE(lists.on_event_channels());
  EXPECT_TRUE(lists.tells(KeyEventClass::kList));
  EXPECT_FALSE(lists.tells(KeyEventClass::kString));
  const EventChoice all = *EventChoice::parse("EA");
  EXPECT_TRUE(all.tells(KeyEventClass::kEvicted));
  EXPECT_FALSE(all.tells(KeyEventClass::kNew));
  EXPECT_FALSE(all.tells(KeyEventClass::kKeyMiss));
}

TEST(EventChoice, TellsNothingWithoutAChannelAndAClass) {
  EXPECT_TRUE(EventChoice::parse("Km")->tells_any());
  EXPECT_FALSE(EventChoice::parse("KE")->tells_any());
  EXPECT_FALSE(EventChoice::parse("A")->tells_any());
  EXPECT_FALSE(EventChoice().tells_any());
}

}  // namespace
}  // namespace tandem
