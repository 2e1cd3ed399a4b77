#include "engine/rdb_encoders.h"

#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

RdbEncoders::Batch batch(int number) {
  RdbEncoders::Batch made{number, RdbCapture({})};
  const std::unique_ptr<Entry, void (*)(Entry*)> entry(
      Entry::make_string("key", std::string(1000, static_cast<char>('a' + number % 26)), kNoExpiry),
      Entry::destroy);
  made.capture.add(*entry);
  return made;
}

std::string encoded(RdbEncoders::Batch of) {
  StringSink sink(of.encoded);
  RdbPacking packing;
  EXPECT_FALSE(of.capture.encode(sink, &packing, SIZE_MAX));
  return of.encoded;
}

TEST(RdbEncoders, WhatGoesInComesOutEncodedOnce) {
  RdbEncoders encoders(3);
  std::set<int> out;
  const auto take = [&](const RdbEncoders::Batch& taken) {
    EXPECT_TRUE(out.insert(taken.database).second);
    EXPECT_EQ(taken.encoded, encoded(batch(taken.database)));
  };
  for (int in = 0; in < 500;) {
    if (encoders.has_room()) encoders.add(batch(in++));
    while (const auto taken = encoders.take_encoded()) take(*taken);
  }
  while (out.size() < 500) {
    if (auto waiting = encoders.take_waiting()) {
      EXPECT_EQ(waiting->encoded, "");
      EXPECT_TRUE(out.insert(waiting->database).second);
    }
    while (encoders.wait()) take(*encoders.take_encoded());
  }
  EXPECT_FALSE(encoders.wait());
}

TEST(RdbEncoders, WithoutThreadsThereIsNoRoom) {
  RdbEncoders encoders(0);
  EXPECT_FALSE(encoders.has_room());
  EXPECT_FALSE(encoders.take_encoded());
  EXPECT_FALSE(encoders.take_waiting());
  EXPECT_FALSE(encoders.wait());
}

TEST(RdbEncoders, TheRoomIsLimited) {
  RdbEncoders encoders(1);
  int added = 0;
  for (; encoders.has_room() && added < 1000; ++added) {
    encoders.add({0, RdbCapture({})});
    while (encoders.take_encoded()) {
    }
  }
  // Each was taken back at once, so only those that were under way counted.
  while (encoders.wait()) encoders.take_encoded();
  EXPECT_GT(added, 0);
}

TEST(RdbEncoders, GoneInTheMiddleTheyLetGoOfEverything) {
  for (int round = 0; round < 50; ++round) {
    RdbEncoders encoders(2);
    for (int i = 0; encoders.has_room(); ++i) encoders.add(batch(i));
  }
}

}  // namespace
}  // namespace tandem
