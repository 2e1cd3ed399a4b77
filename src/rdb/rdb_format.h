// Fixed-width numbers in memory, in the byte order that a format states. The caller has checked the
// bounds.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace tandem {

template <std::unsigned_integral Number>
Number load_little_endian(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  if constexpr (std::endian::native == std::endian::big) number = std::byteswap(number);
  return number;
}

template <std::unsigned_integral Number>
Number load_big_endian(const char* from) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  if constexpr (std::endian::native == std::endian::little) number = std::byteswap(number);
  return number;
}

template <std::unsigned_integral Number>
void store_little_endian(char* to, Number number) {
  if constexpr (std::endian::native == std::endian::big) number = std::byteswap(number);
  std::memcpy(to, &number, sizeof number);
}

template <std::unsigned_integral Number>
void store_big_endian(char* to, Number number) {
  if constexpr (std::endian::native == std::endian::little) number = std::byteswap(number);
  std::memcpy(to, &number, sizeof number);
}

// The RDB format, versions 1 to 11: the one grammar that the reader and the writer share.
//
//   file      = "REDIS" version{4 decimal digits} item* 0xff [checksum]     checksum: version >= 5
//   item      = AUX string string | SELECTDB length | RESIZEDB length length
//             | FUNCTION2 string | MODULE_AUX ...
//             | attribute* type key value
//   attribute = EXPIRETIME int32 seconds | EXPIRETIME_MS int64 milliseconds (Unix time)
//             | IDLE length seconds | FREQ byte
//   key       = string
//   length    = 00xxxxxx                   6 bits
//             | 01xxxxxx byte              14 bits, high part first
//             | 10000000 4 bytes           32 bits, big-endian
//             | 10000001 8 bytes           64 bits, big-endian
//   string    = length bytes
//             | 11000000 int8 | 11000001 int16 | 11000010 int32      the number's text
//             | 11000011 length{packed} length{plain} bytes{packed}  LZF
//   checksum  = 8 bytes: CRC-64 (Jones) of every byte before it; zero means "not computed"
//
// Fixed-width numbers are little-endian unless said otherwise. What follows a key, by type, is told
// by `rdb_value_shape` in the notation below: the reader measures items with it before it decodes
// them.
//
//   S            string
//   L            length
//   1 4 8 E      1, 4, 8, 16 bytes
//   D            old double: a byte n, then n bytes of text; n = 253 NaN, 254 +inf, 255 -inf
//   ( ... )      a length n, then n times the inside
//
// Source: the public descriptions of the format; golden files made by Redis 7.0 in tests/data/rdb.

constexpr int kRdbVersionMin = 1;
constexpr int kRdbVersionMax = 11;
constexpr int kRdbWriteVersionMin = 9;
constexpr int kRdbChecksumSince = 5;  // the version whose files end in a checksum

// What a server of this version of Redis reads ("7.2.4"): the highest of our versions that it
// knows; 0 when the text is no version.
int rdb_version_read_by(std::string_view redis_version);

constexpr std::string_view kRdbMagic = "REDIS";
constexpr size_t kRdbHeaderBytes = 9;
constexpr size_t kRdbChecksumBytes = 8;

// First byte of an item that is not an entry.
enum RdbOpcode : uint8_t {
  kRdbSlotInfo = 0xf4,  // later versions only
  kRdbFunction2 = 0xf5,
  kRdbFunctionPreview = 0xf6,  // release candidates of 7.0 only
  kRdbModuleAux = 0xf7,
  kRdbIdle = 0xf8,
  kRdbFrequency = 0xf9,
  kRdbAux = 0xfa,
  kRdbResizeDb = 0xfb,
  kRdbExpireMs = 0xfc,
  kRdbExpireSeconds = 0xfd,
  kRdbSelectDb = 0xfe,
  kRdbEof = 0xff,
};

// First byte of an entry.
enum RdbType : uint8_t {
  kRdbString = 0,
  kRdbList = 1,   // elements, head first
  kRdbSet = 2,    // members
  kRdbZset = 3,   // member, score as an old double
  kRdbHash = 4,   // field, value
  kRdbZset2 = 5,  // member, score as 8 bytes of IEEE 754
  kRdbModulePreview = 6,
  kRdbModule2 = 7,
  kRdbHashZipmap = 9,
  kRdbListZiplist = 10,
  kRdbSetIntset = 11,
  kRdbZsetZiplist = 12,
  kRdbHashZiplist = 13,
  kRdbListQuicklist = 14,  // ziplists
  kRdbStreamListpacks = 15,
  kRdbHashListpack = 16,
  kRdbZsetListpack = 17,
  kRdbListQuicklist2 = 18,  // (container, string): a plain element or a listpack
  kRdbStreamListpacks2 =
      19,  // first id, highest deleted id, entries ever added, entries read by group
  kRdbSetListpack = 20,
  kRdbStreamListpacks3 = 21,  // a consumer's active time
};

enum RdbQuicklistContainer : uint64_t {
  kRdbContainerPlain = 1,
  kRdbContainerPacked = 2,
};

// Length markers, by the two top bits of the first byte.
constexpr uint8_t kRdbLength6 = 0x00;
constexpr uint8_t kRdbLength14 = 0x40;
constexpr uint8_t kRdbLength32 = 0x80;
constexpr uint8_t kRdbLength64 = 0x81;
constexpr uint8_t kRdbEncodedInt8 = 0xc0;
constexpr uint8_t kRdbEncodedInt16 = 0xc1;
constexpr uint8_t kRdbEncodedInt32 = 0xc2;
constexpr uint8_t kRdbEncodedLzf = 0xc3;

// Old doubles.
constexpr uint8_t kRdbDoubleNan = 253;
constexpr uint8_t kRdbDoublePositiveInfinity = 254;
constexpr uint8_t kRdbDoubleNegativeInfinity = 255;

// One LZF step makes at most 264 bytes of 3: a string that claims a higher ratio lies.
constexpr uint64_t kRdbLzfRatioMax = 88;
// Shorter strings are never compressed.
constexpr size_t kRdbLzfStringBytesMin = 21;

// The first version whose readers know the type, or the opcode.
constexpr int kRdbListpacksSince = 10;    // 16, 17, 18, 19
constexpr int kRdbFunctionsSince = 10;    // FUNCTION2
constexpr int kRdbSetListpackSince = 11;  // 20, 21

constexpr size_t kRdbShapeDepthMax = 3;

// The shape of what follows a key of this type; empty for an unknown type. Modules' values begin
// with the module's id, a length, and have no shape that can be known without the module.
constexpr std::string_view rdb_value_shape(uint8_t type) {
  switch (type) {
    case kRdbString:
    case kRdbHashZipmap:
    case kRdbListZiplist:
    case kRdbSetIntset:
    case kRdbZsetZiplist:
    case kRdbHashZiplist:
    case kRdbHashListpack:
    case kRdbZsetListpack:
    case kRdbSetListpack:
      return "S";
    case kRdbList:
    case kRdbSet:
    case kRdbListQuicklist:
      return "(S)";
    case kRdbZset:
      return "(SD)";
    case kRdbHash:
      return "(SS)";
    case kRdbZset2:
      return "(S8)";
    case kRdbListQuicklist2:
      return "(LS)";
    case kRdbModulePreview:
    case kRdbModule2:
      return "L";
    // Nodes (id of the first entry, listpack); entries; last id; then, since 19, first id, highest
    // deleted id, entries ever added. Groups: name, last id, since 19 entries read; pending (id,
    // delivery time, delivery count); consumers: name, seen time, since 21 active time; their
    // pending (id).
    case kRdbStreamListpacks:
      return "(SS)LLL(SLL(E8L)(S8(E)))";
    case kRdbStreamListpacks2:
      return "(SS)LLLLLLLL(SLLL(E8L)(S8(E)))";
    case kRdbStreamListpacks3:
      return "(SS)LLLLLLLL(SLLL(E8L)(S88(E)))";
    default:
      return "";
  }
}

// The shape of what follows an opcode; empty for an unknown one. MODULE_AUX: only the module's id.
constexpr std::string_view rdb_opcode_shape(uint8_t opcode) {
  switch (opcode) {
    case kRdbFunction2:
    case kRdbFunctionPreview:
      return "S";
    case kRdbModuleAux:
    case kRdbIdle:
    case kRdbSelectDb:
      return "L";
    case kRdbFrequency:
      return "1";
    case kRdbAux:
      return "SS";
    case kRdbResizeDb:
      return "LL";
    case kRdbExpireMs:
      return "8";
    case kRdbExpireSeconds:
      return "4";
    default:
      return "";
  }
}

// What may stand before an entry.
struct RdbAttributes {
  std::optional<int64_t> expire_ms = {};      // Unix time; may lie in the past
  std::optional<uint64_t> idle_s = {};        // how long the key had not been used
  std::optional<uint8_t> use_frequency = {};  // logarithmic counter
  bool any() const { return expire_ms || idle_s || use_frequency; }
};

// What a writer tells of how keys were used (keyspace/use.h), and the moment to which that refers.
struct RdbUses {
  enum class Told : uint8_t { kNothing, kIdleTime, kFrequency };
  Told told = Told::kNothing;
  int64_t now_s = 0;
  int64_t decay_minutes = 0;
};

// What a writer chooses. The version decides which types appear: 9 knows no listpacks (what is
// compact in memory goes out element by element), 10 adds those of lists, hashes, sorted sets and
// streams, 11 those of sets and consumers' active times.
struct RdbWriteOptions {
  int version = 10;      // kRdbWriteVersionMin to kRdbVersionMax
  bool compress = true;  // LZF for strings above 20 bytes, where it pays
  bool checksum = true;
  RdbUses uses{};
};

// DUMP's payload: type value footer. That of FUNCTION DUMP: (FUNCTION2 string)* footer.
//
//   footer = version{2 bytes} checksum{8 bytes, of all before it}
constexpr size_t kRdbDumpFooterBytes = 10;

}  // namespace tandem
