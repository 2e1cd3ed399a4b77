#include "rdb/rdb_writer.h"

#include "base/check.h"
#include "base/checksum.h"
#include "base/number.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"
#include "rdb/rdb_values.h"

namespace tandem {

void rdb_encode_entry(ByteSink& sink, Bytes key, const ValueRef& value,
                      std::optional<int64_t> expire_ms, const RdbWriteOptions& options) {
  RdbEncoder encoder(sink, options.compress);
  rdb_encode_head(encoder, key, rdb_type_of(value, options.version), expire_ms);
  rdb_encode_value(encoder, value, options.version);
  encoder.flush();
}

RdbWriter::RdbWriter(ByteSink& sink, const RdbWriteOptions& options)
    : sink_(sink), options_(options) {
  CHECK(options.version >= kRdbWriteVersionMin && options.version <= kRdbVersionMax,
        "an RDB version that cannot be written");
}

void RdbWriter::write(Bytes bytes) {
  if (options_.checksum) checksum_ = crc64(checksum_, bytes);
  bytes_written_ += bytes.size();
  sink_.write(bytes);
}

void RdbWriter::begin(const RdbPreamble& preamble) {
  const std::string version = std::to_string(options_.version);
  std::string header(kRdbMagic);
  header.append(kRdbHeaderBytes - kRdbMagic.size() - version.size(), '0').append(version);
  write(header);
  aux("redis-ver", preamble.server_version);
  aux("redis-bits", "64");
  aux("ctime", int64_text(preamble.created_s));
  aux("used-mem", std::to_string(preamble.used_memory_bytes));
  if (preamble.replication) {
    aux("repl-stream-db", int64_text(preamble.replication->selected_database));
    aux("repl-id", preamble.replication->id);
    aux("repl-offset", int64_text(preamble.replication->offset));
    if (!preamble.replication->second_id.empty()) {
      aux("repl-id2", preamble.replication->second_id);
      aux("repl-offset2", int64_text(preamble.replication->second_offset));
    }
  }
  aux("aof-base", preamble.aof_base ? "1" : "0");
}

void RdbWriter::aux(Bytes name, Bytes value) {
  RdbEncoder encoder(framed_, options_.compress);
  encoder.byte(kRdbAux);
  encoder.string(name);
  encoder.string(value);
  encoder.flush();
}

void RdbWriter::sizes(uint32_t database, uint64_t keys, uint64_t expiring) {
  select(database);
  RdbEncoder encoder(framed_, options_.compress);
  encoder.byte(kRdbResizeDb);
  encoder.length(keys);
  encoder.length(expiring);
  encoder.flush();
}

void RdbWriter::entries(uint32_t database, Bytes encoded) {
  if (encoded.empty()) return;
  select(database);
  write(encoded);
}

void RdbWriter::select(uint32_t database) {
  if (selected_ == database) return;
  RdbEncoder encoder(framed_, options_.compress);
  encoder.byte(kRdbSelectDb);
  encoder.length(database);
  encoder.flush();
  selected_ = database;
}

void RdbWriter::finish() {
  const char eof = static_cast<char>(kRdbEof);
  write(Bytes(&eof, 1));
  char checksum[kRdbChecksumBytes];
  store_little_endian(checksum, options_.checksum ? checksum_ : uint64_t{0});
  bytes_written_ += sizeof checksum;
  sink_.write(Bytes(checksum, sizeof checksum));
}

}  // namespace tandem
