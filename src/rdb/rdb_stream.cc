// Streams: the nodes go as they lie in memory. The pending entries stand twice in the format, with
// their times in the group and by id alone with each consumer; in memory they stand once and name
// their consumer.
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "rdb/rdb_format.h"
#include "rdb/rdb_values.h"

namespace tandem {
namespace {

void encode_id(RdbEncoder& encoder, StreamId id) {
  encoder.length(id.ms);
  encoder.length(id.seq);
}

void encode_raw_id(RdbEncoder& encoder, StreamId id) {
  encoder.number64_big_endian(id.ms);
  encoder.number64_big_endian(id.seq);
}

void encode_group(RdbEncoder& encoder, const StreamGroup& group, int version) {
  encode_id(encoder, group.last_id);
  if (version >= kRdbListpacksSince) encoder.length(static_cast<uint64_t>(group.entries_read));

  std::map<std::string_view, std::vector<StreamId>> ids_of;
  encoder.length(group.pending.size());
  for (const auto& [id, entry] : group.pending) {
    encode_raw_id(encoder, id);
    encoder.number64(static_cast<uint64_t>(entry.delivery_time_ms));
    encoder.length(entry.delivery_count);
    ids_of[entry.consumer].push_back(id);
  }
  encoder.length(group.consumers.size());
  for (const auto& [name, consumer] : group.consumers) {
    encoder.string(name);
    encoder.number64(static_cast<uint64_t>(consumer.seen_time_ms));
    if (version >= kRdbSetListpackSince) {
      encoder.number64(static_cast<uint64_t>(consumer.active_time_ms));
    }
    const std::vector<StreamId>& ids = ids_of[name];
    encoder.length(ids.size());
    for (const StreamId id : ids) encode_raw_id(encoder, id);
  }
}

class StreamDecoder {
 public:
  StreamDecoder(RdbDecoder& decoder, uint8_t type, Stream& stream)
      : decoder_(decoder), type_(type), stream_(stream) {}

  void read() {
    read_nodes();
    read_counters();
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) read_group();
  }

 private:
  bool has_counters() const { return type_ != kRdbStreamListpacks; }
  bool has_active_time() const { return type_ == kRdbStreamListpacks3; }

  StreamId id() {
    const uint64_t ms = decoder_.length();
    return {ms, decoder_.length()};
  }
  StreamId raw_id() {
    const uint64_t ms = decoder_.number64_big_endian();
    return {ms, decoder_.number64_big_endian()};
  }

  void read_nodes() {
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      const Bytes master = decoder_.string(name_scratch_);
      const Bytes blob = decoder_.string(scratch_);
      if (!decoder_.ok()) return;
      if (master.size() != 16) {
        decoder_.fail("a stream node whose id is not 16 bytes");
        return;
      }
      const Result<void> appended = stream_.append_node(StreamId::from_big_endian(master), blob);
      if (!appended) decoder_.fail(appended.error().text);
    }
  }

  void read_counters() {
    const uint64_t entries = decoder_.length();
    Stream::Counters counters{.last_id = id(), .max_deleted_id = {}, .entries_added = entries};
    if (has_counters()) {
      id();  // the first entry's, known from the nodes
      counters.max_deleted_id = id();
      counters.entries_added = decoder_.length();
    }
    if (!decoder_.ok()) return;
    if (entries != stream_.length()) {
      decoder_.fail(
          fmt::format("a stream that claims {} entries and has {}", entries, stream_.length()));
    } else if (const auto last = stream_.last_live_id(); last && *last > counters.last_id) {
      decoder_.fail("a stream whose last id is below its last entry");
    } else {
      stream_.restore(counters);
    }
  }

  // Before version 10 a group does not say how many entries it has read. It is known only where its
  // last id is at one of the stream's ends.
  int64_t estimated_entries_read(StreamId last_id) const {
    const auto added = static_cast<int64_t>(stream_.entries_added());
    const auto length = static_cast<int64_t>(stream_.length());
    if (added == 0 || last_id == stream_.last_id()) return added;
    if (last_id > stream_.last_id()) return StreamGroup::kEntriesReadUnknown;
    if (length == 0) return added;
    if (last_id < stream_.first_id()) return added - length;
    if (last_id == stream_.first_id()) return added - length + 1;
    return StreamGroup::kEntriesReadUnknown;
  }

  void read_group() {
    const Bytes name = decoder_.string(name_scratch_);
    if (!decoder_.ok()) return;
    const auto [at, is_new] = stream_.groups().try_emplace(std::string(name));
    if (!is_new) {
      decoder_.fail(fmt::format("the consumer group {} twice", rdb_quoted(name)));
      return;
    }
    StreamGroup& group = at->second;
    group.last_id = id();
    group.entries_read = has_counters() ? static_cast<int64_t>(decoder_.length())
                                        : estimated_entries_read(group.last_id);
    read_pending(group);
    owned_.clear();
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      read_consumer(group);
    }
    if (decoder_.ok() && owned_.size() != group.pending.size()) {
      decoder_.fail(fmt::format("a pending entry of the group {} that no consumer has",
                                rdb_quoted(at->first)));
    }
  }

  void read_pending(StreamGroup& group) {
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      const StreamId pending = raw_id();
      const auto delivered_ms = static_cast<int64_t>(decoder_.number64());
      const uint64_t deliveries = decoder_.length();
      if (!decoder_.ok()) return;
      if (!group.pending.try_emplace(pending, PendingEntry{{}, delivered_ms, deliveries}).second) {
        decoder_.fail(fmt::format("the pending entry {} twice", pending.text()));
      }
    }
  }

  // A consumer's name may be empty, so the entries that have found their consumer are noted beside.
  void read_consumer(StreamGroup& group) {
    const Bytes name = decoder_.string(name_scratch_);
    StreamConsumer consumer;
    consumer.seen_time_ms = static_cast<int64_t>(decoder_.number64());
    consumer.active_time_ms =
        has_active_time() ? static_cast<int64_t>(decoder_.number64()) : consumer.seen_time_ms;
    const uint64_t entries = decoder_.length();
    if (!decoder_.ok()) return;
    if (!group.consumers.try_emplace(std::string(name), consumer).second) {
      decoder_.fail(fmt::format("the consumer {} twice", rdb_quoted(name)));
      return;
    }
    for (uint64_t left = entries; left > 0 && decoder_.ok(); --left) {
      const StreamId pending = raw_id();
      if (!decoder_.ok()) break;
      const auto entry = group.pending.find(pending);
      if (entry == group.pending.end()) {
        decoder_.fail(fmt::format("the consumer {} has {}, which is not pending", rdb_quoted(name),
                                  pending.text()));
      } else if (!owned_.insert(pending).second) {
        decoder_.fail(fmt::format("the pending entry {} with two consumers", pending.text()));
      } else {
        entry->second.consumer = name;
      }
    }
  }

  RdbDecoder& decoder_;
  const uint8_t type_;
  Stream& stream_;
  std::set<StreamId> owned_;  // pending entries of the group whose consumers are known
  std::string name_scratch_;
  std::string scratch_;
};

}  // namespace

void rdb_encode_stream(RdbEncoder& encoder, const Stream& stream, int version) {
  encoder.length(stream.node_count());
  stream.for_each_node(
      [&](StreamId master, Bytes blob) { rdb_encode_stream_node(encoder, master, blob); });
  rdb_encode_stream_tail(encoder, stream, version);
}

void rdb_encode_stream_node(RdbEncoder& encoder, StreamId master, Bytes blob) {
  encoder.length(16);
  encode_raw_id(encoder, master);
  encoder.blob(blob);
}

void rdb_encode_stream_tail(RdbEncoder& encoder, const Stream& stream, int version) {
  encoder.length(stream.length());
  encode_id(encoder, stream.last_id());
  if (version >= kRdbListpacksSince) {
    encode_id(encoder, stream.first_id());
    encode_id(encoder, stream.max_deleted_id());
    encoder.length(stream.entries_added());
  }
  encoder.length(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) {
    encoder.string(name);
    encode_group(encoder, group, version);
  }
}

std::unique_ptr<Stream> rdb_decode_stream(RdbDecoder& decoder, uint8_t type) {
  auto stream = std::make_unique<Stream>();
  StreamDecoder(decoder, type, *stream).read();
  if (!decoder.ok()) return nullptr;
  return stream;
}

}  // namespace tandem
