#include "base/copy_on_write.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace tandem {
namespace {

struct Text {
  std::string text;
  Text copy() const { return {text}; }
};

TEST(CopyOnWrite, AShareStaysWhatItWas) {
  CopyOnWrite<Text> value(Text{"before"});
  const CopyOnWrite<Text> then = value.share();
  EXPECT_EQ(&then->text, &value->text);
  value.write().text = "after";
  EXPECT_EQ(then->text, "before");
  EXPECT_EQ(value->text, "after");
}

TEST(CopyOnWrite, UnsharedIsChangedInPlace) {
  CopyOnWrite<Text> value(Text{"before"});
  const std::string* place = &value->text;
  {
    const CopyOnWrite<Text> then = value.share();
  }
  value.write().text = "after";
  EXPECT_EQ(&value->text, place);
}

TEST(CopyOnWrite, SharesLiveOnOtherThreads) {
  CopyOnWrite<Text> value(Text{std::string(100, 'a')});
  for (int round = 0; round < 200; ++round) {
    std::thread reader(
        [then = value.share(), expected = value->text] { EXPECT_EQ(then->text, expected); });
    value.write().text += 'b';
    reader.join();
  }
}

}  // namespace
}  // namespace tandem
