#include "rdb/rdb_writer.h"

#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/checksum.h"
#include "base/number.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/quicklist.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"
#include "rdb/rdb_stream.h"
#include "rdb/rdb_values.h"

namespace tandem {

void rdb_encode_entry(ByteSink& sink, Bytes key, const ValueRef& value,
                      std::optional<int64_t> expire_ms, const RdbWriteOptions& options) {
  RdbPackEach packer;
  RdbEncoder encoder(sink, options.compress ? &packer : nullptr);
  rdb_encode_head(encoder, key, rdb_type_of(value, options.version), {.expire_ms = expire_ms});
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
  RdbPackEach packer;
  RdbEncoder encoder(framed_, options_.compress ? &packer : nullptr);
  encoder.byte(kRdbAux);
  encoder.string(name);
  encoder.string(value);
  encoder.flush();
}

void RdbWriter::library(Bytes code) {
  if (options_.version < kRdbFunctionsSince) return;
  RdbPackEach packer;
  RdbEncoder encoder(framed_, options_.compress ? &packer : nullptr);
  rdb_encode_library(encoder, code);
  encoder.flush();
}

void RdbWriter::sizes(uint32_t database, uint64_t keys, uint64_t expiring) {
  select(database);
  RdbEncoder encoder(framed_);
  encoder.byte(kRdbResizeDb);
  encoder.length(keys);
  encoder.length(expiring);
  encoder.flush();
}

ByteSink& RdbWriter::entries(uint32_t database) {
  select(database);
  return framed_;
}

void RdbWriter::select(uint32_t database) {
  if (selected_ == database) return;
  RdbEncoder encoder(framed_);
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

namespace {

constexpr size_t kNodesMin = 8;
// Fewer nodes are large, too, if they have so many bytes.
constexpr size_t kNodesBytesMin = 64 * 1024;
constexpr size_t kElementsAStep = 32;
// About what a shared node of a list or stream keeps in memory.
constexpr size_t kNodeBytes = 4 * 1024;

// Everything before the value's own bytes, and how many parts these have, if it is not they who say
// so.
void capture_head(RdbCapture& to, const Entry& entry, std::optional<uint64_t> parts,
                  const RdbWriteOptions& options) {
  char digits[kInt64TextMax];
  const uint8_t type = rdb_type_of(entry.ref(digits), options.version);
  to.add(RdbStringKind::key(), [&](RdbEncoder& encoder) {
    rdb_encode_head(encoder, entry.key(), type, rdb_attributes_of(entry, options.uses));
    if (parts) encoder.length(*parts);
  });
}

// What an entry that was begun holds on to, as part of a total.
class Held {
 public:
  explicit Held(std::atomic<size_t>& total) : total_(total) {}
  ~Held() { set(0); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  void set(size_t bytes) {
    total_.fetch_add(bytes - bytes_, std::memory_order_relaxed);
    bytes_ = bytes;
  }

 private:
  std::atomic<size_t>& total_;
  size_t bytes_ = 0;
};

// Lists and streams, which are shared as they are: so no step needs their stripe. Rest encodes what
// stands behind the head, about so many bytes a call; false: that was the end.
template <class Rest>
class LargeShared final : public RdbLargeEntry {
 public:
  template <class... Args>
  LargeShared(RdbStringKind kind, RdbCapture head, size_t nodes, std::atomic<size_t>& held,
              Args&&... rest)
      : kind_(kind), head_(std::move(head)), rest_(std::forward<Args>(rest)...), held_(held) {
    held_.set(nodes * kNodeBytes);
  }

  bool step(RdbCapture& out, size_t bytes) override {
    if (!head_.empty()) {
      std::swap(out, head_);
      return true;
    }
    bool more = false;
    out.add(kind_, [&](RdbEncoder& encoder) { more = rest_.encode(encoder, bytes); });
    return more;
  }

 private:
  const RdbStringKind kind_;
  RdbCapture head_;
  Rest rest_;
  Held held_;
};

class ListNodes {
 public:
  ListNodes(std::vector<CopyOnWrite<ListNodeBody>> nodes, int version)
      : nodes_(std::move(nodes)), version_(version) {}

  bool encode(RdbEncoder& to, size_t bytes) {
    const uint64_t begin = to.written();
    while (next_ < nodes_.size() && to.written() - begin < bytes) {
      const CopyOnWrite<ListNodeBody>& node = nodes_[next_++];
      rdb_encode_list_node(to, node->plain(), node->bytes(), version_);
    }
    return next_ < nodes_.size();
  }

 private:
  const std::vector<CopyOnWrite<ListNodeBody>> nodes_;
  const int version_;
  size_t next_ = 0;
};

// Sets, hashes and sorted sets: what the walk tells collects in `told_`, whoever made it tell.
class LargeElements final : public RdbLargeEntry {
 public:
  LargeElements(const Entry& entry, const RdbWriteOptions& options, std::atomic<size_t>& held)
      : kind_(RdbStringKind::value(entry.type())), held_(held), told_(options) {
    switch (entry.type()) {
      case ValueType::kSet:
        walk_ = entry.as<Set>().walk(
            [this](Bytes member) { tell([&](RdbEncoder& encoder) { encoder.string(member); }); });
        break;
      case ValueType::kHash:
        walk_ = entry.as<Hash>().walk([this](Bytes field, Bytes value) {
          tell([&](RdbEncoder& encoder) {
            encoder.string(field);
            encoder.string(value);
          });
        });
        break;
      default:
        walk_ = entry.as<SortedSet>().walk([this](Bytes member, double score) {
          tell([&](RdbEncoder& encoder) {
            encoder.string(member);
            encoder.ieee_double(score);
          });
        });
        break;
    }
  }

  bool is_large() const { return walk_ != nullptr; }
  RdbCapture& head() { return told_; }
  bool in_place() const override { return true; }

  bool step(RdbCapture& out, size_t bytes) override {
    bool more = true;
    stepping_ = true;
    while (more && told_.bytes() < bytes) more = walk_->step(kElementsAStep);
    stepping_ = false;
    std::swap(out, told_);
    held_.set(0);
    return more;
  }

 private:
  void tell(FunctionRef<void(RdbEncoder&)> encode) {
    told_.add(kind_, encode);
    if (!stepping_) held_.set(told_.bytes());  // handed in by a change
  }

  const RdbStringKind kind_;
  Held held_;
  bool stepping_ = false;
  RdbCapture told_;
  std::unique_ptr<ElementWalk> walk_;
};

// Asked first whether it may be large at all: most are not, and then nothing is made.
template <class Container>
std::unique_ptr<RdbLargeEntry> begin_elements(const Entry& entry, const RdbWriteOptions& options,
                                              std::atomic<size_t>& held) {
  const auto& container = entry.as<Container>();
  if (container.listpack()) return nullptr;
  auto large = std::make_unique<LargeElements>(entry, options, held);
  if (!large->is_large()) return nullptr;
  capture_head(large->head(), entry, container.size(), options);
  return large;
}

bool has_large_nodes(const List& list) {
  size_t bytes = 0;
  list.for_each_node([&bytes](bool, Bytes blob) { bytes += blob.size(); });
  return bytes >= kNodesBytesMin;
}

std::unique_ptr<RdbLargeEntry> begin_list(const Entry& entry, const RdbWriteOptions& options,
                                          std::atomic<size_t>& held) {
  const List& list = entry.as<List>();
  if (list.listpack() != nullptr) return nullptr;
  if (list.node_count() < kNodesMin && !has_large_nodes(list)) return nullptr;
  RdbCapture head(options);
  capture_head(head, entry, rdb_list_parts(list, options.version), options);
  return std::make_unique<LargeShared<ListNodes>>(RdbStringKind::value(entry.type()),
                                                  std::move(head), list.node_count(), held,
                                                  list.share_nodes(), options.version);
}

std::unique_ptr<RdbLargeEntry> begin_stream(const Entry& entry, const RdbWriteOptions& options,
                                            std::atomic<size_t>& held) {
  constexpr size_t kPartsMin = 256;
  const Stream& stream = entry.as<Stream>();
  if (stream.nodes().size() < kNodesMin && !stream.has_parts(kPartsMin)) return nullptr;
  RdbCapture head(options);
  capture_head(head, entry, std::nullopt, options);
  return std::make_unique<LargeShared<RdbStreamEncoder>>(RdbStringKind::value(entry.type()),
                                                         std::move(head), stream.nodes().size(),
                                                         held, stream, options.version);
}

}  // namespace

std::unique_ptr<RdbLargeEntry> RdbLargeEntry::begin(const Entry& entry,
                                                    const RdbWriteOptions& options,
                                                    std::atomic<size_t>& held) {
  switch (entry.type()) {
    case ValueType::kString:
      return nullptr;
    case ValueType::kList:
      return begin_list(entry, options, held);
    case ValueType::kSet:
      if (entry.as<Set>().intset() != nullptr) return nullptr;
      return begin_elements<Set>(entry, options, held);
    case ValueType::kSortedSet:
      return begin_elements<SortedSet>(entry, options, held);
    case ValueType::kHash:
      return begin_elements<Hash>(entry, options, held);
    case ValueType::kStream:
      return begin_stream(entry, options, held);
  }
  return nullptr;
}

}  // namespace tandem
