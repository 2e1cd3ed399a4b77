// Reading RDB (rdb_format.h) as it comes: bytes go in, events come out in the stream's order.
//
//   RdbReader reader(options);
//   for each piece:  reader.feed(piece);
//                    while (true) {
//                      Result<RdbEvent> event = reader.next();     an error is final
//                      ... until RdbNeedMore, or RdbEnd
//                    }
//   at the end:      reader.finish()                               an error if it was not whole
//
// Trust: every value is validated in depth (structure of the compact encodings, counts, order,
// duplicates, NaN). Memory is bounded by the bytes received, times what compression can at most
// have saved; no claimed length is believed. Errors say what is wrong, at which byte, and in which
// key where known. What the reader cannot see, and the owner checks: the same key twice.
// What is not damage, and Redis passes over: a collection without elements (old servers wrote
// such), and bytes after the end.
//
// Refused by name (ErrorCode::kUnsupported): data of modules, and libraries of functions in the
// form that only release candidates of 7.0 wrote.
// Confined to one thread; no clock, no files.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "data/element.h"
#include "keyspace/value.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_measure.h"

namespace tandem {

struct RdbReadOptions {
  EncodingLimits limits{};  // what stays compact in memory
  uint32_t databases = 16;  // a higher one is refused
  // Strings of any length by default: what a server wrote, it must be able to read.
  uint64_t string_bytes_max = std::numeric_limits<uint64_t>::max();
  bool verify_checksum = true;
};

struct RdbNeedMore {};
struct RdbHeader {
  int version;
};
// Views in events live until the next call of feed or next.
struct RdbAuxField {
  Bytes name;
  Bytes value;
};
// A library of functions: its code, which nobody has looked at.
struct RdbLibrary {
  Bytes code;
};
struct RdbSelect {
  uint32_t database;
};
struct RdbSizes {
  uint64_t keys;
  uint64_t expiring;
};
struct RdbEntry {
  uint32_t database;
  Bytes key;
  Value value;
  std::optional<int64_t> expire_ms;      // Unix time; may lie in the past
  std::optional<uint64_t> idle_s;        // how long it had not been used
  std::optional<uint8_t> use_frequency;  // logarithmic counter
};
// A collection without elements. It stands for no key.
struct RdbEmpty {
  uint32_t database;
  Bytes key;
};
struct RdbEnd {
  int version;
  bool checksum_verified;  // false: the version has none, it was not computed, or options say not
                           // to look
};

using RdbEvent = std::variant<RdbNeedMore, RdbHeader, RdbAuxField, RdbLibrary, RdbSelect, RdbSizes,
                              RdbEntry, RdbEmpty, RdbEnd>;

class RdbReader {
 public:
  explicit RdbReader(const RdbReadOptions& options);

  void feed(Bytes bytes);

  // After RdbEnd and after an error, the same again.
  Result<RdbEvent> next();

  // The input has ended. Fails if the stream is not whole.
  Result<void> finish();

  bool ended() const { return end_.has_value(); }
  // After RdbEnd: bytes fed that are not the stream's own, for example commands after an
  // append-only file's preamble. Until the next feed.
  Bytes rest() const;

  // Of the stream, up to the last event.
  uint64_t bytes_read() const { return base_ + at_; }
  uint64_t bytes_fed() const { return base_ + buffer_.size(); }

 private:
  enum class Stage : uint8_t { kHeader, kOpcode, kOperands, kKey, kValue, kChecksum };

  Result<RdbEvent> advance();
  Result<RdbEvent> read_header();
  Result<void> begin_item();
  Result<bool> measure();  // whether the item's current part is whole
  Result<RdbEvent> read_operands();
  Result<RdbEvent> read_entry();
  Result<RdbEvent> read_checksum();
  Bytes item() const { return Bytes(buffer_).substr(at_); }
  void consume(size_t bytes);
  void add_to_checksum();
  std::unexpected<Error> fail_at(ErrorCode code, size_t item_offset, std::string_view what) const;
  std::unexpected<Error> fail_module(uint64_t id) const;

  const RdbReadOptions options_;
  std::string buffer_;
  uint64_t base_ = 0;       // place in the stream of the buffer's first byte
  size_t at_ = 0;           // in the buffer: the item being read
  size_t checksummed_ = 0;  // in the buffer: what comes before it is in checksum_
  uint64_t checksum_ = 0;

  Stage stage_ = Stage::kHeader;
  RdbMeasure measure_;
  uint8_t opcode_ = 0;
  size_t key_end_ = 0;  // in the item; 0 while the key is not known
  std::string name_scratch_;
  std::string value_scratch_;
  int version_ = 0;
  uint32_t database_ = 0;
  RdbAttributes attributes_;
  std::optional<RdbEnd> end_;
  std::optional<Error> error_;
};

}  // namespace tandem
