// Writing RDB (rdb_format.h): the stream around the entries, and the entries themselves, which come
// encoded from elsewhere (rdb_capture.h), in any order:
//
//   RdbWriter writer(sink, options);
//   writer.begin(preamble);
//   writer.library(code);                       optional
//   writer.sizes(database, keys, expiring);     optional, before its entries
//   encode into writer.entries(database);       any database
//   writer.finish();
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "keyspace/entry.h"
#include "keyspace/value.h"
#include "rdb/rdb_capture.h"
#include "rdb/rdb_format.h"

namespace tandem {

// The auxiliary fields at the head of a file, under the names that stock servers use.
struct RdbPreamble {
  std::string server_version = "7.2.0";
  int64_t created_s = 0;  // Unix time
  uint64_t used_memory_bytes = 0;
  bool aof_base = false;

  // Where the replication log stood at the snapshot's cut.
  struct Replication {
    int32_t selected_database = 0;
    std::string id;
    int64_t offset = 0;
    // Another name of the log's beginning, up to this offset; empty: there is none. Redis reads
    // over it.
    std::string second_id{};
    int64_t second_offset = 0;
  };
  std::optional<Replication> replication;
};

// Appends one entry at once: its expiry (Unix time in milliseconds) if any, type, key and value.
void rdb_encode_entry(ByteSink& sink, Bytes key, const ValueRef& value,
                      std::optional<int64_t> expire_ms, const RdbWriteOptions& options);

// Confined to the consumer. The sink outlives the writer.
class RdbWriter {
 public:
  RdbWriter(ByteSink& sink, const RdbWriteOptions& options);

  void begin(const RdbPreamble& preamble);
  void aux(Bytes name, Bytes value);
  // Of functions; left out where the version's readers know none.
  void library(Bytes code);
  void sizes(uint32_t database, uint64_t keys, uint64_t expiring);
  // Takes encoded entries of the database, until the next call of anything here. An entry may come
  // in parts, with nothing else between them.
  ByteSink& entries(uint32_t database);
  void finish();

  uint64_t bytes_written() const { return bytes_written_; }

 private:
  class Framed final : public ByteSink {
   public:
    explicit Framed(RdbWriter& writer) : writer_(writer) {}
    void write(Bytes bytes) override { writer_.write(bytes); }

   private:
    RdbWriter& writer_;
  };

  void write(Bytes bytes);
  void select(uint32_t database);

  ByteSink& sink_;
  const RdbWriteOptions options_;
  Framed framed_{*this};
  std::optional<uint32_t> selected_;
  uint64_t checksum_ = 0;
  uint64_t bytes_written_ = 0;
};

// A large collection captured in steps, so that no hold of its stripe is long: what
// RdbCapture::add() does at once, spread over time, and with the collection as it was when it was
// begun.
//
//   set, hash, sorted set   walked in their place (data/element_walk.h); changes between the steps
//                           hand in what they are about to change
//   list                    its nodes are shared (base/copy_on_write.h): changes copy a node first
//   stream                  shared as a whole, its groups with it (data/copy_on_write_tree.h)
//
// Threads: begin, the destructor and, for values walked in place, step() REQUIRE the value's
// stripe held. Others step on any one thread without it.
class RdbLargeEntry {
 public:
  virtual ~RdbLargeEntry() = default;

  // Null: the entry is small enough to be added at once. `held` counts the bytes that entries which
  // were begun hold on to, for themselves or because changes handed them in; it outlives them.
  static std::unique_ptr<RdbLargeEntry> begin(const Entry& entry, const RdbWriteOptions& options,
                                              std::atomic<size_t>& held);

  // Replaces `out`, which is empty, by the next part, of about `bytes`. False: it was the last.
  virtual bool step(RdbCapture& out, size_t bytes) = 0;
  // Steps look at the value in its place.
  virtual bool in_place() const { return false; }
};

}  // namespace tandem
