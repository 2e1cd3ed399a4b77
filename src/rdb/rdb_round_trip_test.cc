// What the writer writes, the reader reads, at every version; and the payload of DUMP the same.
#include <gtest/gtest.h>

#include "base/checksum.h"
#include "rdb/dump.h"
#include "rdb/rdb_reader.h"
#include "rdb/rdb_test_values.h"
#include "rdb/rdb_writer.h"

namespace tandem {
namespace {

EncodingLimits small_limits() {
  EncodingLimits limits;
  limits.list_max_listpack_size = 16;
  limits.hash_max_listpack_entries = 8;
  limits.set_max_listpack_entries = 8;
  limits.set_max_intset_entries = 8;
  limits.sorted_set_max_listpack_entries = 8;
  limits.stream_node_max_entries = 7;
  return limits;
}

// A literal with zeros in it.
template <size_t kSize>
std::string bytes(const char (&literal)[kSize]) {
  return std::string(literal, kSize - 1);
}

struct Written {
  std::string stored;
  std::vector<std::string> described;  // in the order written
};

Written write_random(uint64_t seed, const RdbWriteOptions& options, int entries) {
  Random seeded(seed);
  Written written;
  StringSink sink(written.stored);
  RdbWriter writer(sink, options);
  RdbPreamble preamble;
  preamble.created_s = 1700000000;
  preamble.replication = {.selected_database = -1, .id = std::string(40, 'a'), .offset = 1234567};
  writer.begin(preamble);
  writer.sizes(0, static_cast<uint64_t>(entries), 3);
  const EncodingLimits limits = seed % 2 == 0 ? EncodingLimits() : small_limits();
  for (int left = entries; left > 0; --left) {
    const Value value = random_value(seeded, limits);
    const std::string key = fmt::format("key:{}:{}", left, random_text(seeded));
    const auto database = static_cast<uint32_t>(seeded.below(3));
    std::optional<int64_t> expire_ms;
    if (seeded.below(3) == 0) expire_ms = static_cast<int64_t>(seeded.next() >> 20);
    std::string encoded;
    StringSink own(encoded);
    rdb_encode_entry(own, key, ref(value), expire_ms, options);
    writer.entries(database).write(encoded);
    written.described.push_back(fmt::format("{} {} {} {}", database, rdb_quoted(key),
                                            expire_ms.value_or(-1),
                                            describe(value, options.version)));
  }
  writer.finish();
  EXPECT_EQ(writer.bytes_written(), written.stored.size());
  return written;
}

std::vector<std::string> read_all(Bytes stored, size_t piece, const EncodingLimits& limits,
                                  int version, std::string& error) {
  std::vector<std::string> described;
  RdbReader reader({.limits = limits});
  for (size_t at = 0; at < stored.size(); at += piece) {
    reader.feed(stored.substr(at, piece));
    while (!reader.ended()) {
      Result<RdbEvent> event = reader.next();
      if (!event) {
        error = event.error().text;
        return described;
      }
      if (std::holds_alternative<RdbNeedMore>(*event)) break;
      if (const auto* entry = std::get_if<RdbEntry>(&*event)) {
        described.push_back(fmt::format("{} {} {} {}", entry->database, rdb_quoted(entry->key),
                                        entry->expire_ms.value_or(-1),
                                        describe(entry->value, version)));
      }
    }
  }
  const Result<void> finished = reader.finish();
  if (!finished) error = finished.error().text;
  return described;
}

// The first thing that is read otherwise than it was written, or the error; empty when all is well.
std::string difference(const Written& written, size_t piece, const EncodingLimits& limits,
                       int version) {
  std::string error;
  const auto described = read_all(written.stored, piece, limits, version, error);
  if (!error.empty()) return error;
  if (described.size() != written.described.size()) {
    return fmt::format("{} entries, not {}", described.size(), written.described.size());
  }
  const auto [found, expected] = std::ranges::mismatch(described, written.described);
  return found == described.end() ? "" : fmt::format("{}\ninstead of\n{}", *found, *expected);
}

TEST(RdbRoundTrip, ValuesOfAllTypesAtAllVersions) {
  for (int version = kRdbWriteVersionMin; version <= kRdbVersionMax; ++version) {
    for (uint64_t seed = 1; seed <= 12; ++seed) {
      const RdbWriteOptions options{
          .version = version, .compress = seed % 3 != 0, .checksum = seed % 4 != 0};
      const Written written = write_random(seed, options, 60);
      const size_t piece = 1 + seed * 97;
      EXPECT_EQ(difference(written, piece, EncodingLimits(), version), "")
          << "version " << version << " seed " << seed;
      EXPECT_EQ(difference(written, written.stored.size(), small_limits(), version), "")
          << "version " << version << " seed " << seed;
    }
  }
}

TEST(RdbRoundTrip, TypesFitTheVersion) {
  Random seeded(3);
  for (int round = 0; round < 500; ++round) {
    const Value value = random_value(seeded, EncodingLimits());
    EXPECT_LE(rdb_type_of(ref(value), 9), kRdbStreamListpacks);
    EXPECT_LE(rdb_type_of(ref(value), 10), kRdbStreamListpacks2);
    EXPECT_LE(rdb_type_of(ref(value), 11), kRdbStreamListpacks3);
  }
}

TEST(RdbRoundTrip, CutAndFlippedBytesNeverHarm) {
  Random seeded(17);
  for (int version = kRdbWriteVersionMin; version <= kRdbVersionMax; ++version) {
    const RdbWriteOptions options{.version = version, .compress = false, .checksum = false};
    const Written written = write_random(static_cast<uint64_t>(version), options, 15);
    const Bytes stored = written.stored;
    for (size_t bytes = 0; bytes < stored.size(); bytes += 1 + stored.size() / 100) {
      std::string error;
      read_all(stored.substr(0, bytes), 4096, EncodingLimits(), version, error);
      EXPECT_NE(error, "");
    }
    for (int round = 0; round < 200; ++round) {
      std::string flipped(stored);
      for (uint64_t left = 1 + seeded.below(3); left > 0; --left) {
        flipped[seeded.below(flipped.size())] ^= static_cast<char>(1 << seeded.below(8));
      }
      std::string error;
      read_all(flipped, 1 << 20, round % 2 == 0 ? EncodingLimits() : small_limits(), version,
               error);
    }
  }
}

TEST(RdbWriter, Golden) {
  std::string stored;
  StringSink sink(stored);
  RdbWriter writer(sink, {.version = 11});
  RdbPreamble preamble;
  preamble.created_s = 1;
  preamble.used_memory_bytes = 2;
  writer.begin(preamble);
  std::string encoded;
  StringSink own(encoded);
  rdb_encode_entry(own, "key", ref(Value("value")), 0x0102030405060708, {.version = 11});
  writer.library("#!lua");
  writer.sizes(0, 1, 1);
  writer.entries(0).write(encoded);
  writer.finish();
  const std::string expected =
      std::string(
          "REDIS0011\xfa\x09redis-ver\x05"
          "7.2.0\xfa\x0aredis-bits\xc0\x40\xfa\x05"
          "ctime\xc0\x01",
          49) +
      std::string(
          "\xfa\x08used-mem\xc0\x02\xfa\x08"
          "aof-base\xc0\x00\xf5\x05#!lua",
          31) +
      std::string(
          "\xfe\x00\xfb\x01\x01\xfc\x08\x07\x06\x05\x04\x03\x02\x01\x00\x03key\x05value\xff", 26);
  EXPECT_EQ(Bytes(stored).substr(0, stored.size() - kRdbChecksumBytes), expected);

  RdbReader reader({});
  reader.feed(stored + "SELECT 0");
  while (!reader.ended()) ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.rest(), "SELECT 0");
  EXPECT_EQ(reader.bytes_read(), stored.size());
  EXPECT_TRUE(std::get<RdbEnd>(*reader.next()).checksum_verified);
}

TEST(Dump, RoundTrip) {
  Random seeded(23);
  for (int round = 0; round < 300; ++round) {
    const EncodingLimits limits = round % 2 == 0 ? EncodingLimits() : small_limits();
    const Value value = random_value(seeded, limits);
    std::string payload;
    const int version = 9 + round % 3;
    dump_value(ref(value), {.version = version}, payload);
    const Result<Value> restored = restore_value(payload, {.limits = limits});
    ASSERT_TRUE(restored) << restored.error().text;
    EXPECT_EQ(describe(*restored, version), describe(value, version));

    std::string flipped = payload;
    flipped[seeded.below(flipped.size())] ^= 1;
    EXPECT_FALSE(restore_value(flipped, {}));
    (void)restore_value(flipped, {.verify_checksum = false});
    EXPECT_FALSE(restore_value(Bytes(payload).substr(1), {}));
  }
}

// Made by DUMP of redis-server 7.0.15: SET n 10, RPUSH l a b, ZADD z 1.5 m, HSET h f v, SADD s 1 2.
TEST(Dump, Golden) {
  const std::pair<const char*, std::string> payloads[] = {
      {"string \"10\"", bytes("\x00\xc0\x0a\x0a\x00\x6e\x9f\x57\x45\x0e\xae\x63\xbb")},
      {"list \"a\" \"b\"", bytes("\x12\x01\x02\x0d\x0d\x00\x00\x00\x02\x00\x81\x61\x02\x81\x62\x02"
                                 "\xff\x0a\x00\x68\xeb\x0a\x89\x13\x41\xbb\xb1")},
      {"zset \"m\"=1.5", bytes("\x11\x0f\x0f\x00\x00\x00\x02\x00\x81\x6d\x02\x83\x31\x2e\x35\x04"
                               "\xff\x0a\x00\x49\xd9\x87\x60\x78\x25\x4e\x8a")},
      {"hash \"f\"=\"v\"", bytes("\x10\x0d\x0d\x00\x00\x00\x02\x00\x81\x66\x02\x81\x76\x02\xff\x0a"
                                 "\x00\x20\xf1\x3d\x44\x23\x54\x08\x9d")},
      {"set \"1\" \"2\"", bytes("\x0b\x0c\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x02\x00\x0a\x00"
                                "\x6f\x79\x38\xb1\x34\xeb\x20\x2e")}};
  for (const auto& [described, payload] : payloads) {
    const Result<Value> restored = restore_value(payload, {});
    ASSERT_TRUE(restored) << restored.error().text;
    EXPECT_EQ(describe(*restored), described);
    std::string again;
    dump_value(ref(*restored), {.version = 10}, again);
    EXPECT_EQ(again, payload);
  }
}

TEST(Dump, Refusals) {
  const auto code = [](std::string body) {
    return restore_value(body + "\x0b" + std::string(9, '\0'), {.verify_checksum = false})
        .error()
        .code;
  };
  EXPECT_EQ(restore_value("", {}).error().code, ErrorCode::kRefused);
  EXPECT_EQ(
      restore_value(bytes("\x00\xc0\x0a\x0c\x00\x6e\x9f\x57\x45\x0e\xae\x63\xbb"), {}).error().code,
      ErrorCode::kRefused);
  EXPECT_EQ(code(""), ErrorCode::kInvalid);
  EXPECT_EQ(code("\x16"), ErrorCode::kInvalid);                 // no such type
  EXPECT_EQ(code(bytes("\x00\x05xy")), ErrorCode::kInvalid);    // cut off
  EXPECT_EQ(code(bytes("\x00\x01xy")), ErrorCode::kInvalid);    // bytes after
  EXPECT_EQ(code(bytes("\x02\x00")), ErrorCode::kInvalid);      // an empty set
  EXPECT_EQ(code(bytes("\x07\x01")), ErrorCode::kUnsupported);  // a module
}

// Made by FUNCTION DUMP of redis-server 7.0.15.
const std::string kLibraries = bytes(
    "\xf5\x33#!lua name=a\nredis.register_function('f',redis.log)\x0a\x00\x14\xda\x29\xea\x7e\xca"
    "\x67\x96");

struct RestoredLibraries {
  std::vector<std::string> codes;
  std::string error;
  ErrorCode code = ErrorCode::kEnd;
};

RestoredLibraries restored_libraries(Bytes payload) {
  RestoredLibraries restored;
  const Result<void> done = restore_libraries(payload, {}, [&restored](Bytes code) -> Result<void> {
    restored.codes.emplace_back(code);
    if (code == "bad") return fail(ErrorCode::kInvalid, "it is bad");
    return {};
  });
  if (!done) {
    restored.error = done.error().text;
    restored.code = done.error().code;
  }
  return restored;
}

TEST(Dump, LibrariesGolden) {
  const RestoredLibraries restored = restored_libraries(kLibraries);
  EXPECT_EQ(restored.error, "");
  ASSERT_EQ(restored.codes.size(), 1U);
  const Bytes codes[] = {restored.codes[0]};
  std::string again;
  dump_libraries(codes, {}, again);
  EXPECT_EQ(again, kLibraries);
  std::string none;
  dump_libraries({}, {}, none);
  EXPECT_EQ(none, bytes("\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda"));
  EXPECT_EQ(restored_libraries(none).codes.size(), 0U);
}

TEST(Dump, LibrariesRoundTrip) {
  const Bytes codes[] = {"a", "", "12", "bad", "never"};
  std::string payload;
  dump_libraries(codes, {}, payload);
  const RestoredLibraries restored = restored_libraries(payload);
  EXPECT_EQ(restored.codes, (std::vector<std::string>{"a", "", "12", "bad"}));
  EXPECT_EQ(restored.error, "it is bad");
}

TEST(Dump, LibrariesRefusals) {
  const auto error = [](std::string body) {
    body.append("\x0a\0", 2);
    std::string checksum(8, '\0');
    store_little_endian(checksum.data(), crc64(0, body));
    const RestoredLibraries restored = restored_libraries(body + checksum);
    EXPECT_EQ(restored.code, ErrorCode::kInvalid);
    return restored.error;
  };
  EXPECT_EQ(error(bytes("\xf6\x01x")), "given type is not a function");
  EXPECT_EQ(error(bytes("\x00\x01x")), "given type is not a function");
  EXPECT_EQ(error(bytes("\xf5\x01x\xff")), "given type is not a function");
  EXPECT_EQ(error(bytes("\xf5")), "Failed loading library payload");
  EXPECT_EQ(error(bytes("\xf5\x05xy")), "Failed loading library payload");
  EXPECT_EQ(error(bytes("\xf5\xc4")), "Failed loading library payload");
  EXPECT_EQ(restored_libraries("x").code, ErrorCode::kRefused);
  std::string flipped = kLibraries;
  flipped[5] ^= 1;
  EXPECT_EQ(restored_libraries(flipped).code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace tandem
