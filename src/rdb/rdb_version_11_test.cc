// What RDB 11 added, sets and streams of Redis 7.2, as bytes by hand: nothing here wrote them.
#include <map>

#include <gtest/gtest.h>

#include "rdb/rdb_reader.h"
#include "rdb/rdb_test_values.h"
#include "rdb/rdb_writer.h"

namespace tandem {
namespace {

// The bytes that a hex dump shows, spaces aside.
std::string from_hex(std::string_view text) {
  std::string bytes;
  std::string digits;
  for (const char digit : text) {
    if (digit != ' ') digits += digit;
    if (digits.size() < 2) continue;
    bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
    digits.clear();
  }
  return bytes;
}

// The set {7, "ab", -1000, 30000}: a listpack of 20 bytes with 4 elements.
constexpr std::string_view kSet =
    "14 01 73"                 // type 20, "s"
    "14 14000000 0400"         // the string's length; the listpack's, its count
    "07 01 826162 03 DC18 02"  // 7, "ab", -1000, each with its length behind it
    "F13075 03 FF";            // 30000, the end

// The node of a stream from 1000-1 on: three entries, of which one is deleted.
constexpr std::string_view kNode =
    "10 00000000000003E8 0000000000000001"       // the id that the others count from
    "4041 41000000 1800"                         // 65 bytes, 24 elements
    "02 01 01 01 01 01 8166 02 00 01"            // 2 entries, 1 deleted; 1 field, "f"
    "02 01 00 01 00 01 827631 03 04 01"          // 1000-1, the same fields: "v1"
    "03 01 01 01 00 01 827632 03 04 01"          // 1001-1, the same, deleted: "v2"
    "00 01 05 01 DFFF 02 02 01"                  // 1005-0, 2 fields of its own:
    "8161 02 8162 02 8163 02 C12C 02 08 01 FF";  // "a" "b", "c" 300
constexpr std::string_view kCounters =
    "02 43EE 02 43E8 01 43E9 01 03";  // 2 entries; last, first, highest deleted id; 3 ever
constexpr std::string_view kGroup =
    "01 01 67 43E8 01 01"                                        // "g" at 1000-1, 1 read
    "01 00000000000003E8 0000000000000001 0068E5CF8B010000 01";  // pending, with its time
constexpr std::string_view kSeen = "0568E5CF8B010000";
constexpr std::string_view kActive = "0168E5CF8B010000";
constexpr std::string_view kNever = "FFFFFFFFFFFFFFFF";
constexpr std::string_view kPendingOfOne = "01 00000000000003E8 0000000000000001";

// Two consumers, one of which was never active.
std::string stream(std::string_view type, bool with_active_times) {
  const auto active = [&](std::string_view time) { return with_active_times ? time : ""; };
  return from_hex(fmt::format("{} 01 78 01 {} {} {} 02 03 626F62 {} {} {} 03 657665 {} {} 00", type,
                              kNode, kCounters, kGroup, kSeen, active(kActive), kPendingOfOne,
                              kSeen, active(kNever)));
}

std::string file_of(const std::string& items) {
  return "REDIS0011" + from_hex("FE 00 FB 02 00") + items + from_hex("FF 0000000000000000");
}

std::map<std::string, Value> load(Bytes stored, size_t piece) {
  std::map<std::string, Value> found;
  RdbReader reader({});
  for (size_t at = 0; at < stored.size() && !reader.ended(); at += piece) {
    reader.feed(stored.substr(at, piece));
    while (!reader.ended()) {
      Result<RdbEvent> event = reader.next();
      if (!event) {
        ADD_FAILURE() << event.error().text;
        return found;
      }
      if (std::holds_alternative<RdbNeedMore>(*event)) break;
      if (auto* entry = std::get_if<RdbEntry>(&*event)) {
        found.insert_or_assign(std::string(entry->key), std::move(entry->value));
      }
    }
  }
  EXPECT_TRUE(reader.finish());
  return found;
}

std::string written(Bytes key, const Value& value, int version) {
  std::string out;
  StringSink sink(out);
  rdb_encode_entry(sink, key, ref(value), std::nullopt, {.version = version, .compress = false});
  return out;
}

TEST(RdbVersion11, SetsAndStreamsAreRead) {
  const std::string stored = file_of(from_hex(kSet) + stream("15", true));
  for (const size_t piece : {stored.size(), size_t{1}}) {
    const auto found = load(stored, piece);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(describe(found.at("s")), R"(set "-1000" "30000" "7" "ab")");
    EXPECT_EQ(encoding_of(found.at("s")), "listpack");
    EXPECT_EQ(describe(found.at("x"), 11),
              "stream length 2 last 1006-2 deleted 1001-1 added 3\n"
              "1000-1 \"f\" \"v1\"\n"
              "1005-0 \"a\" \"b\" \"c\" \"300\"\n"
              "group \"g\" last 1000-1 read 1\n"
              "consumer \"bob\" 1700000000005 1700000000001\n"
              "consumer \"eve\" 1700000000005 -1\n"
              "pending 1000-1 \"bob\" 1700000000000 1\n");
  }
}

TEST(RdbVersion11, WritesWhatWasRead) {
  const auto found = load(file_of(from_hex(kSet) + stream("15", true)), 4096);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(written("s", found.at("s"), 11), from_hex(kSet));
  EXPECT_EQ(written("x", found.at("x"), 11), stream("15", true));
}

TEST(RdbVersion11, EarlierVersionsGetWhatTheyKnow) {
  const auto found = load(file_of(from_hex(kSet) + stream("15", true)), 4096);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(written("x", found.at("x"), 10), stream("13", false));  // type 19
  for (const int version : {9, 10}) {
    // Type 2 and the members themselves, integers in their short form.
    EXPECT_EQ(written("s", found.at("s"), version),
              from_hex("02 01 73 04 C0 07 02 6162 C1 18FC C1 3075"));
  }
}

// Before 11 nobody said when a consumer was active: the best guess is when it was seen.
TEST(RdbVersion11, StreamsOfVersion10AreReadBesides) {
  const auto found = load(file_of(stream("13", false)), 4096);
  ASSERT_EQ(found.size(), 1U);
  const std::string described = describe(found.at("x"), 11);
  EXPECT_NE(described.find("consumer \"bob\" 1700000000005 1700000000005\n"), std::string::npos)
      << described;
}

}  // namespace
}  // namespace tandem
