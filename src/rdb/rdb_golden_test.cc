// Files that real servers wrote (tests/data/rdb), read in pieces of several sizes.
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "rdb/rdb_reader.h"
#include "rdb/rdb_test_values.h"

namespace tandem {
namespace {

std::string read_test_file(const std::string& name) {
  std::ifstream file(TANDEM_TEST_DATA "/rdb/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Loaded {
  std::map<std::string, std::string> aux;
  std::map<std::string, std::string> keys;       // "database:key" to what it holds
  std::map<std::string, std::string> encodings;  // the same to the encoding in memory
  std::map<std::string, int64_t> expiries;
  std::map<std::string, uint64_t> ages;
  std::vector<std::string> libraries;
  int version = 0;
  bool verified = false;
  std::string error;
};

Loaded load(Bytes stored, size_t piece, RdbReadOptions options = {}) {
  Loaded loaded;
  RdbReader reader(options);
  for (size_t at = 0; at < stored.size(); at += piece) {
    reader.feed(stored.substr(at, piece));
    for (;;) {
      Result<RdbEvent> event = reader.next();
      if (!event) {
        loaded.error = event.error().text;
        return loaded;
      }
      if (std::holds_alternative<RdbNeedMore>(*event)) break;
      if (const auto* header = std::get_if<RdbHeader>(&*event)) loaded.version = header->version;
      if (const auto* field = std::get_if<RdbAuxField>(&*event)) {
        loaded.aux[std::string(field->name)] = field->value;
      }
      if (const auto* library = std::get_if<RdbLibrary>(&*event)) {
        loaded.libraries.emplace_back(library->code);
      }
      if (const auto* entry = std::get_if<RdbEntry>(&*event)) {
        const std::string key = fmt::format("{}:{}", entry->database, entry->key);
        loaded.keys[key] = describe(entry->value);
        loaded.encodings[key] = encoding_of(entry->value);
        if (entry->expire_ms) loaded.expiries[key] = *entry->expire_ms;
        if (entry->idle_s) loaded.ages[key] = *entry->idle_s;
        if (entry->use_frequency) loaded.ages[key] = *entry->use_frequency;
      }
      if (const auto* end = std::get_if<RdbEnd>(&*event)) {
        loaded.verified = end->checksum_verified;
        break;
      }
    }
  }
  const Result<void> finished = reader.finish();
  if (!finished) loaded.error = finished.error().text;
  return loaded;
}

// Loads it whole and byte by byte, which must come to the same.
Loaded load_golden(const std::string& name, const RdbReadOptions& options = {}) {
  const std::string stored = read_test_file(name);
  EXPECT_FALSE(stored.empty()) << name;
  Loaded whole = load(stored, stored.size(), options);
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{1000}}) {
    const Loaded pieces = load(stored, piece, options);
    EXPECT_EQ(pieces.keys, whole.keys);
    EXPECT_EQ(pieces.libraries, whole.libraries);
    EXPECT_EQ(pieces.error, whole.error);
  }
  return whole;
}

TEST(RdbGolden, EncodingsOfRedis26) {
  const Loaded loaded = load_golden("redis-2.6-encodings.rdb");
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.version, 4);
  EXPECT_FALSE(loaded.verified);
  EXPECT_EQ(loaded.keys.size(), 13U);
  EXPECT_EQ(loaded.keys.at("0:string"), "string \"Hello World\"");
  EXPECT_EQ(loaded.keys.at("0:number"), "string \"10\"");
  EXPECT_EQ(loaded.keys.at("0:compressible"), "string \"" + std::string(64, 'a') + "...\"");
  EXPECT_EQ(loaded.keys.at("0:list_zipped"),
            R"(list "1" "2" "3" "a" "b" "c" "100000" "6000000000")");
  EXPECT_EQ(loaded.keys.at("0:set"), R"(set "1" "100000" "2" "3" "6000000000" "a" "b" "c")");
  EXPECT_EQ(loaded.keys.at("0:set_zipped_2"), R"(set "100000" "200000" "300000" "400000")");
  EXPECT_EQ(loaded.keys.at("0:zset_zipped"), R"(zset "a"=1 "b"=2 "c"=3)");
  EXPECT_EQ(loaded.keys.at("0:zset"),
            R"(zset "a"=1 "b"=2 "c"=3 "aa"=10 "bb"=20 "cc"=30 "aaa"=100 "bbb"=200 "ccc"=300 )"
            R"("aaaa"=1000 "cccc"=123456789 "bbbb"=5000000000)");
  EXPECT_EQ(loaded.keys.at("0:hash_zipped"), R"(hash "a"="1" "b"="2" "c"="3")");
  EXPECT_EQ(loaded.encodings.at("0:hash_zipped"), "listpack");
  EXPECT_EQ(loaded.encodings.at("0:set_zipped_1"), "intset");
}

TEST(RdbGolden, HashZiplistOfRedis62) {
  const Loaded loaded = load_golden("redis-6.2-hash-ziplist.rdb");
  EXPECT_EQ(loaded.error, "");
  EXPECT_TRUE(loaded.verified);
  EXPECT_EQ(loaded.aux.at("redis-bits"), "64");
  EXPECT_EQ(loaded.keys.at("0:hash"), R"(hash "f1"="v1" "f2"="v2")");
}

TEST(RdbGolden, CorruptZiplistIsRefusedWithKeyAndPlace) {
  const Loaded loaded = load_golden("redis-4.0-corrupt-ziplist.rdb");
  EXPECT_EQ(loaded.error.find("RDB, byte 4"), 0U) << loaded.error;
  EXPECT_NE(loaded.error.find("key \"key:000000000091\""), std::string::npos) << loaded.error;
}

TEST(RdbGolden, Strings) {
  const Loaded loaded = load_golden("redis-7.0-strings.rdb");
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.version, 10);
  EXPECT_TRUE(loaded.verified);
  EXPECT_EQ(loaded.aux.at("redis-ver"), "7.0.15");
  EXPECT_EQ(loaded.keys.size(), 15U);
  EXPECT_EQ(loaded.keys.at("0:int8"), "string \"-100\"");
  EXPECT_EQ(loaded.keys.at("0:int16"), "string \"-30000\"");
  EXPECT_EQ(loaded.keys.at("0:int64"), "string \"9007199254740993\"");
  EXPECT_EQ(loaded.keys.at("0:min32"), "string \"-2147483648\"");
  EXPECT_EQ(loaded.keys.at("0:zeros"), "string \"007\"");
  EXPECT_EQ(loaded.keys.at("0:empty"), "string \"\"");
  EXPECT_EQ(loaded.keys.at("0:12345"), "string \"a number as key\"");
  EXPECT_EQ(loaded.keys.at("0:packed").substr(0, 24), "string \"abcdefghabcdefgh");
  EXPECT_EQ(loaded.expiries, (std::map<std::string, int64_t>{{"0:expires", 4102444800123}}));
}

TEST(RdbGolden, CompactCollections) {
  const Loaded loaded = load_golden("redis-7.0-compact.rdb");
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.keys.size(), 8U);
  EXPECT_EQ(loaded.keys.at("0:list").substr(0, 25), R"(list "a" "b" "1" "-70000")");
  EXPECT_EQ(loaded.keys.at("0:intset64"), R"(set "-5000000000" "1")");
  EXPECT_EQ(loaded.keys.at("0:zset"), R"(zset "e"=-inf "c"=-3 "a"=1 "b"=2.5 "7"=1e+100 "d"=inf)");
  EXPECT_EQ(loaded.keys.at("3:zset3"), R"(zset "m"=0.1)");
  EXPECT_EQ(loaded.expiries.at("3:zset3"), 4102444800000);
  EXPECT_EQ(loaded.encodings.at("0:list"), "listpack");
  EXPECT_EQ(loaded.encodings.at("0:intset16"), "intset");
  EXPECT_EQ(loaded.encodings.at("0:zset"), "listpack");
  EXPECT_EQ(loaded.encodings.at("0:hash"), "listpack");

  RdbReadOptions one_database;
  one_database.databases = 3;
  const std::string error = load_golden("redis-7.0-compact.rdb", one_database).error;
  EXPECT_NE(error.find("database 3, but there are only 3"), std::string::npos) << error;
}

TEST(RdbGolden, LargeForms) {
  const Loaded loaded = load_golden("redis-7.0-large.rdb");
  EXPECT_EQ(loaded.error, "");
  EXPECT_EQ(loaded.keys.size(), 6U);
  EXPECT_EQ(loaded.keys.at("0:list").substr(0, 18), R"(list "0" "1" "2" ")");
  EXPECT_EQ(loaded.encodings.at("0:plain"), "quicklist");
  EXPECT_NE(loaded.keys.at("0:plain").find(R"(PPP..." "small2")"), std::string::npos);
  EXPECT_EQ(loaded.encodings.at("0:intset-grown"), "intset");  // our limit is the usual one
  EXPECT_NE(loaded.keys.at("0:hash").find(R"("f19"="19000")"), std::string::npos);
  EXPECT_NE(loaded.keys.at("0:zset").find(R"("z19"=28.5 "inf"=inf)"), std::string::npos);

  RdbReadOptions small;
  small.limits.hash_max_listpack_entries = 2;
  small.limits.sorted_set_max_listpack_entries = 2;
  small.limits.set_max_intset_entries = 2;
  small.limits.set_max_listpack_entries = 2;
  const Loaded large = load_golden("redis-7.0-large.rdb", small);
  EXPECT_EQ(large.keys, loaded.keys);
  EXPECT_EQ(large.encodings.at("0:hash"), "hashtable");
  EXPECT_EQ(large.encodings.at("0:zset"), "skiplist");
  EXPECT_EQ(large.encodings.at("0:set"), "hashtable");
}

TEST(RdbGolden, Streams) {
  const Loaded loaded = load_golden("redis-7.0-streams.rdb");
  EXPECT_EQ(loaded.error, "");
  const std::string& stream = loaded.keys.at("0:s");
  EXPECT_EQ(stream.find("stream length 11 last 2000-0 deleted 1003-6 added 13\n"
                        "1000-1 \"field\" \"value1\" \"n\" \"1\"\n"
                        "1001-2 \"field\" \"value2\" \"n\" \"2\"\n"),
            0U)
      << stream;
  EXPECT_EQ(stream.find("1003-6 \""), std::string::npos);
  EXPECT_NE(stream.find("2000-0 \"other\" \"layout\"\ngroup \"empty\" last 2000-0 read -1\n"),
            std::string::npos);
  EXPECT_NE(stream.find("group \"g1\" last 1004-8 read -1\nconsumer \"alice\" "),
            std::string::npos);
  EXPECT_NE(stream.find("pending 1003-7 \"bob\" 1795404275033 2\n"), std::string::npos);
  EXPECT_NE(stream.find("group \"g2\" last 1004-8 read -1\nconsumer \"idle\""), std::string::npos);
  EXPECT_EQ(loaded.keys.at("0:emptied"), "stream length 0 last 5-5 deleted 5-5 added 1\n");
  EXPECT_EQ(loaded.keys.at("0:never"),
            "stream length 0 last 0-0 deleted 0-0 added 0\ngroup \"g\" last 0-0 read -1\n");
  EXPECT_EQ(
      loaded.keys.at("0:trimmed").find("stream length 3 last 19-1 deleted 0-0 added 19\n17-1"), 0U);
}

TEST(RdbGolden, AgesCompressionAndFunctions) {
  EXPECT_EQ(load_golden("redis-7.0-lfu.rdb").ages.size(), 1U);
  EXPECT_EQ(load_golden("redis-7.0-lru.rdb").ages.size(), 2U);
  EXPECT_EQ(load_golden("redis-7.0-uncompressed.rdb").keys.at("0:k"),
            "string \"" + std::string(50, 'v') + "\"");
  EXPECT_EQ(load_golden("redis-7.0-function.rdb").libraries,
            std::vector<std::string>{
                "#!lua name=lib\nredis.register_function('f', function() return 1 end)"});
}

constexpr const char* kFiles[] = {
    "redis-2.6-encodings.rdb", "redis-6.2-hash-ziplist.rdb", "redis-7.0-strings.rdb",
    "redis-7.0-compact.rdb",   "redis-7.0-large.rdb",        "redis-7.0-streams.rdb",
    "redis-7.0-lfu.rdb",       "redis-7.0-lru.rdb",          "redis-7.0-uncompressed.rdb"};

TEST(RdbGolden, CutAnywhereEndsInAnErrorAndNothingElse) {
  for (const char* name : kFiles) {
    const std::string stored = read_test_file(name);
    const Loaded whole = load(stored, stored.size());
    // A long random string in the middle is the same everywhere: every 41st place does.
    const size_t step = stored.size() > 2000 ? 41 : 1;
    for (size_t bytes = 0; bytes < stored.size(); bytes += step) {
      const Loaded cut = load(Bytes(stored).substr(0, bytes), 4096);
      EXPECT_NE(cut.error, "") << name << " cut at " << bytes;
      for (const auto& [key, value] : cut.keys) EXPECT_EQ(value, whole.keys.at(key));
    }
    const Loaded longer = load(stored + "x", 4096);
    EXPECT_EQ(longer.error, "") << "bytes after the end are not the file's";
  }
}

TEST(RdbGolden, FlippedBitsNeverPassTheChecksumAndNeverHarm) {
  Random seeded(11);
  for (const char* name : kFiles) {
    const std::string stored = read_test_file(name);
    for (int round = 0; round < 300; ++round) {
      std::string flipped = stored;
      for (uint64_t left = 1 + seeded.below(3); left > 0; --left) {
        flipped[seeded.below(flipped.size())] ^= static_cast<char>(1 << seeded.below(8));
      }
      RdbReadOptions unverified;
      unverified.verify_checksum = round % 2 == 0;
      const Loaded loaded = load(flipped, 4096, unverified);
      if (flipped != stored && loaded.verified) ADD_FAILURE() << name << " round " << round;
    }
  }
}

}  // namespace
}  // namespace tandem
