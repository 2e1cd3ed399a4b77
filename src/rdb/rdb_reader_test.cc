// Streams made by hand: old encodings that no server at hand writes any more, and lies of every
// kind.
#include "rdb/rdb_reader.h"

#include <gtest/gtest.h>

#include "rdb/rdb_test_values.h"

namespace tandem {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

// A string whose length fits six bits.
std::string text(Bytes content) {
  return bytes({static_cast<int>(content.size())}) + std::string(content);
}

std::string double_bytes(double value) {
  std::string out;
  StringSink sink(out);
  RdbEncoder encoder(sink);
  encoder.ieee_double(value);
  encoder.flush();
  return out;
}

// A file of version 4, which has no checksum.
struct Outcome {
  std::vector<std::string> entries;
  std::string error;
  ErrorCode code = ErrorCode::kEnd;
};

Outcome read_items(const std::string& items) {
  Outcome outcome;
  RdbReader reader({});
  reader.feed("REDIS0004" + items + "\xff");
  while (!reader.ended()) {
    const Result<RdbEvent> event = reader.next();
    if (!event) {
      outcome.error = event.error().text;
      outcome.code = event.error().code;
      EXPECT_EQ(reader.next().error().text, outcome.error);
      EXPECT_FALSE(reader.finish());
      return outcome;
    }
    if (std::holds_alternative<RdbNeedMore>(*event)) break;
    if (const auto* empty = std::get_if<RdbEmpty>(&*event)) {
      outcome.entries.push_back(fmt::format("empty {} {}", empty->database, empty->key));
    }
    if (const auto* entry = std::get_if<RdbEntry>(&*event)) {
      outcome.entries.push_back(
          fmt::format("{} {}", entry->expire_ms.value_or(-1), describe(entry->value)));
    }
  }
  const Result<void> finished = reader.finish();
  if (!finished) outcome.error = finished.error().text;
  return outcome;
}

std::string only(const std::string& items) {
  const Outcome outcome = read_items(items);
  EXPECT_EQ(outcome.error, "");
  return outcome.entries.size() == 1 ? outcome.entries[0]
                                     : fmt::format("{} entries", outcome.entries.size());
}

std::string error_of(const std::string& items) { return read_items(items).error; }

TEST(RdbReader, OldEncodings) {
  const std::string pair = bytes({16, 0, 0, 0, 13, 0, 0, 0, 2, 0, 0, 1, 'a', 3, 0xf8, 0xff});
  EXPECT_EQ(only(bytes({10}) + text("l") + text(pair)), R"(-1 list "a" "7")");
  EXPECT_EQ(only(bytes({12}) + text("z") + text(pair)), R"(-1 zset "a"=7)");
  EXPECT_EQ(only(bytes({13}) + text("h") + text(pair)), R"(-1 hash "a"="7")");
  EXPECT_EQ(only(bytes({14}) + text("q") + bytes({2}) + text(pair) + text(pair)),
            R"(-1 list "a" "7" "a" "7")");
  const std::string zipmap = bytes({2, 1, 'f', 1, 0, 'v', 1, 'g', 2, 1, 'w', 'w', 0, 0xff});
  EXPECT_EQ(only(bytes({9}) + text("m") + text(zipmap)), R"(-1 hash "f"="v" "g"="ww")");
  EXPECT_EQ(only(bytes({3}) + text("z") + bytes({2}) + text("m") + text("-1.5") + text("n") +
                 bytes({254})),
            R"(-1 zset "m"=-1.5 "n"=inf)");
}

TEST(RdbReader, ExpiriesInSecondsAndMilliseconds) {
  EXPECT_EQ(only(bytes({0xfd, 1, 1, 0, 0, 0}) + text("k") + text("v")), "257000 string \"v\"");
  EXPECT_EQ(only(bytes({0xfc, 1, 1, 0, 0, 0, 0, 0, 0, 0}) + text("k") + text("v")),
            "257 string \"v\"");
  const Outcome two = read_items(bytes({0xfc, 1, 0, 0, 0, 0, 0, 0, 0, 0xf8, 3, 0xf9, 4, 0}) +
                                 text("k") + text("v") + bytes({0}) + text("l") + text("w"));
  EXPECT_EQ(two.entries, (std::vector<std::string>{"1 string \"v\"", "-1 string \"w\""}));
  EXPECT_NE(error_of(bytes({0xfd, 1, 1, 0, 0})), "");
  EXPECT_EQ(error_of(bytes({0xfd, 1, 1, 0, 0, 0xfe, 0})),
            "RDB, byte 14: an expiry or age that no key follows");
}

TEST(RdbReader, LiesAreToldWithKeyAndByte) {
  const std::string set = bytes({2}) + text("key");
  EXPECT_EQ(error_of(set + bytes({2}) + text("m") + text("m")),
            "RDB, byte 19, key \"key\": the member \"m\" twice");
  EXPECT_EQ(
      error_of(bytes({4}) + text("k") + bytes({2}) + text("f") + text("1") + text("f") + text("2")),
      "RDB, byte 21, key \"k\": the field \"f\" twice");
  const std::string zset = bytes({5}) + text("z");
  EXPECT_NE(error_of(zset + bytes({1}) + text("m") + double_bytes(0.0 / 0.0)).find("no number"),
            std::string::npos);
  EXPECT_NE(error_of(zset + bytes({2}) + text("m") + double_bytes(1) + text("m") + double_bytes(2))
                .find("the member \"m\" twice"),
            std::string::npos);
  EXPECT_EQ(error_of(bytes({22})), "RDB, byte 9: unknown type or opcode 22");
  EXPECT_EQ(error_of(bytes({8})), "RDB, byte 9: unknown type or opcode 8");
  EXPECT_EQ(error_of(bytes({0xf4, 0, 0, 0})), "RDB, byte 9: unknown type or opcode 244");
  EXPECT_EQ(error_of(bytes({18}) + text("l") + bytes({1, 3}) + text("x")),
            "RDB, byte 16, key \"l\": a list node of unknown kind 3");
  // A collection that claims 2^60 elements waits for them and takes no memory.
  EXPECT_EQ(error_of(set + bytes({0x81, 0x10, 0, 0, 0, 0, 0, 0, 0}) + text("m") + bytes({63})),
            "RDB, byte 27, key \"key\": the input ends too early, in the middle of an item");
}

TEST(RdbReader, CollectionsWithoutElementsStandForNoKey) {
  const std::string ziplist = bytes({11, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0xff});
  const std::string listpack = bytes({7, 0, 0, 0, 0, 0, 0xff});
  const std::string one = bytes({11, 0, 0, 0, 1, 0, 0x81, 'a', 2, 0xff});
  std::string sized = one;
  sized[0] = static_cast<char>(one.size());
  for (const int type : {1, 2, 3, 4, 5, 14, 18}) {
    EXPECT_EQ(only(bytes({type}) + text("k") + bytes({0})), "empty 0 k") << type;
  }
  for (const int type : {10, 12, 13}) {
    EXPECT_EQ(only(bytes({type}) + text("k") + text(ziplist)), "empty 0 k") << type;
  }
  for (const int type : {16, 17, 20}) {
    EXPECT_EQ(only(bytes({type}) + text("k") + text(listpack)), "empty 0 k") << type;
  }
  const std::string expiry = bytes({0xfc, 1, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(
      read_items(expiry + bytes({1}) + text("k") + bytes({0, 0}) + text("s") + text("v")).entries,
      (std::vector<std::string>{"empty 0 k", "-1 string \"v\""}));
  // A node without elements in a list that has others.
  EXPECT_EQ(only(bytes({14}) + text("l") + bytes({1}) + text(ziplist)), "empty 0 l");
  EXPECT_EQ(
      only(bytes({18}) + text("l") + bytes({2, 2}) + text(listpack) + bytes({2}) + text(sized)),
      R"(-1 list "a")");
  // Redis takes these for damage.
  EXPECT_EQ(error_of(bytes({9}) + text("k") + text(bytes({0, 0xff}))),
            "RDB, byte 15, key \"k\": an empty zipmap");
  EXPECT_NE(error_of(bytes({11}) + text("k") + text(bytes({2, 0, 0, 0, 0, 0, 0, 0}))), "");
}

TEST(RdbReader, BytesAfterTheEndAreNotItsOwn) {
  RdbReader reader({});
  reader.feed(
      "REDIS0004\xff"
      "more");
  while (!reader.ended()) ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.rest(), "more");
  EXPECT_TRUE(reader.finish());
}

TEST(RdbReader, AStringMayBeOfAnyLengthAndTakesNoMemoryBeforeItComes) {
  const std::string beyond_proto_max = bytes({0, 1, 'k', 0x81, 0, 0, 1, 0, 0, 0, 0, 0});
  EXPECT_EQ(error_of(beyond_proto_max + "some"),
            "RDB, byte 26, key \"k\": the input ends too early, in the middle of an item");
  // 600 MB, compressed: that many bytes can hold it, so it is waited for.
  EXPECT_EQ(
      error_of(bytes({0, 1, 'k', 0xc3, 0x80, 0, 0x80, 0, 0, 0x80, 0x23, 0xc3, 0x46, 0}) + "some"),
      "RDB, byte 28, key \"k\": the input ends too early, in the middle of an item");
  RdbReader limited({.string_bytes_max = 3});
  limited.feed("REDIS0004" + bytes({0, 1, 'k', 4}));
  ASSERT_TRUE(limited.next());
  EXPECT_EQ(limited.next().error().text, "RDB, byte 13, key \"k\": a string longer than the limit");
}

TEST(RdbReader, LibrariesOfReleaseCandidatesAreRefused) {
  const Outcome outcome = read_items(bytes({0xf6}) + text("lib"));
  EXPECT_EQ(outcome.code, ErrorCode::kUnsupported);
  EXPECT_EQ(outcome.error,
            "RDB, byte 9: a function library as release candidates of Redis 7.0 wrote it");
}

TEST(RdbReader, ModulesAreRefusedByName) {
  // "ReJSON-RL" with version 3 of its encoding.
  const std::string id = bytes({0x81, 0x45, 0xe2, 0x52, 0x38, 0xdf, 0x91, 0x2c, 0x03});
  const Outcome value = read_items(bytes({7}) + text("doc") + id);
  EXPECT_EQ(value.code, ErrorCode::kUnsupported);
  EXPECT_NE(value.error.find("key \"doc\": data of the module type \"ReJSON-RL\""),
            std::string::npos);
  EXPECT_EQ(read_items(bytes({0xf7}) + id).code, ErrorCode::kUnsupported);
  EXPECT_EQ(rdb_module_name(0), "AAAAAAAAA");
  EXPECT_EQ(rdb_module_name(~uint64_t{0}), "_________");
}

TEST(RdbReader, Headers) {
  const auto error = [](const std::string& stored) {
    RdbReader reader({});
    reader.feed(stored);
    const Result<RdbEvent> event = reader.next();
    return event ? "" : event.error().text;
  };
  EXPECT_EQ(error("RED"), "");
  EXPECT_EQ(error("*1\r"), "RDB, byte 0: not an RDB file: it does not begin with REDIS");
  EXPECT_EQ(error("REDIS0012"), "RDB, byte 5: RDB version 12; versions 1 to 11 can be read");
  EXPECT_EQ(error("REDIS0000"), "RDB, byte 5: RDB version 0; versions 1 to 11 can be read");
  EXPECT_EQ(error("REDISx011"), "RDB, byte 5: the version is not four digits");
}

TEST(RdbReader, Checksums) {
  const auto error = [](const std::string& checksum, bool verify) {
    RdbReader reader({.verify_checksum = verify});
    reader.feed("REDIS0011\xff" + checksum);
    while (!reader.ended()) {
      const Result<RdbEvent> event = reader.next();
      if (!event) return event.error().text;
    }
    return std::string();
  };
  EXPECT_EQ(error(std::string(8, '\0'), true), "");
  EXPECT_EQ(error(std::string(8, '\1'), false), "");
  EXPECT_EQ(
      error(std::string(8, '\1'), true).find("RDB, byte 10: the checksum is 0101010101010101"), 0U);
}

// Streams: 1 entry 5-5 {a: b} as one node, then what differs.
std::string stream(const std::string& rest) {
  const std::string node = bytes({27, 0, 0, 0, 10, 0, 1, 1, 0,    1,   1, 1, 0x81, 'a', 2,
                                  0,  1, 2, 1, 0,  1, 0, 1, 0x81, 'b', 2, 4, 1,    0xff});
  std::string sized = node;
  sized[0] = static_cast<char>(node.size());
  return bytes({15}) + text("s") + bytes({1}) +
         text(bytes({0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 5})) + text(sized) + rest;
}

std::string raw_id(int seq) { return bytes({0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, seq}); }

TEST(RdbReader, StreamsOfVersionNine) {
  EXPECT_EQ(only(stream(bytes({1, 5, 5, 0}))),
            "-1 stream length 1 last 5-5 deleted 0-0 added 1\n5-5 \"a\" \"b\"\n");
  const std::string pending = bytes({1}) + raw_id(5) + std::string(8, '\0') + bytes({3});
  const std::string consumer = bytes({1}) + text("c") + std::string(8, '\0');
  EXPECT_EQ(only(stream(bytes({1, 5, 5, 1}) + text("g") + bytes({5, 5}) + pending + consumer +
                        bytes({1}) + raw_id(5))),
            "-1 stream length 1 last 5-5 deleted 0-0 added 1\n5-5 \"a\" \"b\"\n"
            "group \"g\" last 5-5 read 1\nconsumer \"c\" 0\npending 5-5 \"c\" 0 3\n");
  const auto group_error = [&](const std::string& rest) {
    return error_of(stream(bytes({1, 5, 5, 1}) + text("g") + bytes({5, 5}) + rest));
  };
  EXPECT_NE(group_error(pending + bytes({0})).find("that no consumer has"), std::string::npos);
  EXPECT_NE(group_error(pending + consumer + bytes({1}) + raw_id(6)).find("which is not pending"),
            std::string::npos);
  EXPECT_NE(group_error(pending + consumer + bytes({2}) + raw_id(5) + raw_id(5))
                .find("with two consumers"),
            std::string::npos);
  EXPECT_NE(error_of(stream(bytes({2, 5, 5, 0}))).find("claims 2 entries and has 1"),
            std::string::npos);
  EXPECT_NE(error_of(stream(bytes({1, 5, 4, 0}))).find("last id is below"), std::string::npos);
}

TEST(RdbReader, BigItemsCostTimeInProportionToTheirBytes) {
  // 300,000 members in pieces of 16 bytes: measured again from the start each time, it would not
  // end.
  std::string items = bytes({1}) + text("list") + bytes({0x80, 0, 4, 0x93, 0xe0});
  for (int left = 300000; left > 0; --left) items += text("x");
  RdbReader reader({});
  const std::string stored = "REDIS0004" + items + "\xff";
  size_t entries = 0;
  for (size_t at = 0; at < stored.size(); at += 16) {
    reader.feed(Bytes(stored).substr(at, 16));
    while (!reader.ended()) {
      const Result<RdbEvent> event = reader.next();
      ASSERT_TRUE(event);
      if (std::holds_alternative<RdbNeedMore>(*event)) break;
      if (const auto* entry = std::get_if<RdbEntry>(&*event)) {
        ++entries;
        EXPECT_EQ(entry->value.as<List>().size(), 300000U);
      }
    }
  }
  EXPECT_TRUE(reader.ended());
  EXPECT_EQ(entries, 1U);
}

}  // namespace
}  // namespace tandem
