#include "rdb/rdb_stream.h"

#include <limits>
#include <string>

#include <fmt/format.h>

#include "rdb/rdb_format.h"

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

}  // namespace

bool RdbStreamEncoder::encode(RdbEncoder& to, uint64_t bytes) {
  const uint64_t begin = to.written();
  while (next_ != nullptr && to.written() - begin < bytes) (this->*next_)(to);
  return next_ != nullptr;
}

void RdbStreamEncoder::begin(RdbEncoder& to) {
  to.length(stream_.nodes().size());
  node_ = stream_.nodes().first();
  next_ = &RdbStreamEncoder::node;
}

void RdbStreamEncoder::node(RdbEncoder& to) {
  if (!node_) return counters(to);
  to.length(kStreamIdBytes);
  encode_raw_id(to, node_->master());
  to.blob(node_->listpack());
  node_.next();
}

void RdbStreamEncoder::counters(RdbEncoder& to) {
  to.length(stream_.length());
  encode_id(to, stream_.last_id());
  if (version_ >= kRdbListpacksSince) {
    encode_id(to, stream_.first_id());
    encode_id(to, stream_.max_deleted_id());
    to.length(stream_.entries_added());
  }
  to.length(stream_.groups().size());
  group_ = stream_.groups().first();
  next_ = &RdbStreamEncoder::group;
}

void RdbStreamEncoder::group(RdbEncoder& to) {
  next_ = nullptr;
  if (!group_) return;
  to.string(group_->name());
  encode_id(to, group_->last_id());
  if (version_ >= kRdbListpacksSince) to.length(static_cast<uint64_t>(group_->entries_read()));
  to.length(group_->pending().size());
  pending_ = group_->pending().first();
  next_ = &RdbStreamEncoder::pending;
}

void RdbStreamEncoder::pending(RdbEncoder& to) {
  if (pending_) {
    encode_raw_id(to, pending_->id);
    to.number64(static_cast<uint64_t>(pending_->delivery_time_ms));
    to.length(pending_->delivery_count);
    return pending_.next();
  }
  to.length(group_->consumers().size());
  consumer_ = group_->consumers().first();
  next_ = &RdbStreamEncoder::consumer;
}

void RdbStreamEncoder::consumer(RdbEncoder& to) {
  if (!consumer_) {
    group_.next();
    return group(to);
  }
  to.string(consumer_->name());
  to.number64(static_cast<uint64_t>(consumer_->seen_time_ms));
  if (version_ >= kRdbSetListpackSince) {
    to.number64(static_cast<uint64_t>(consumer_->active_time_ms));
  }
  to.length(consumer_->pending().size());
  id_ = consumer_->pending().first();
  next_ = &RdbStreamEncoder::pending_of_consumer;
}

void RdbStreamEncoder::pending_of_consumer(RdbEncoder& to) {
  if (id_) {
    encode_raw_id(to, *id_);
    return id_.next();
  }
  consumer_.next();
  next_ = &RdbStreamEncoder::consumer;
}

void rdb_encode_stream(RdbEncoder& encoder, const Stream& stream, int version) {
  RdbStreamEncoder(stream, version).encode(encoder, std::numeric_limits<uint64_t>::max());
}

namespace {

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
      if (master.size() != kStreamIdBytes) {
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

  void read_group() {
    const std::string name(decoder_.string(name_scratch_));
    const StreamId last_id = id();
    // Before version 10 a group does not say how many entries it has read.
    const int64_t entries_read =
        has_counters() ? static_cast<int64_t>(decoder_.length()) : stream_.entries_up_to(last_id);
    if (!decoder_.ok()) return;
    if (!stream_.add_group(StreamGroup(name, last_id, entries_read))) {
      decoder_.fail(fmt::format("the consumer group {} twice", rdb_quoted(name)));
      return;
    }
    StreamGroup& group = *stream_.write_group(name);
    read_pending(group);
    uint64_t owned = 0;
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      owned += read_consumer(group);
    }
    if (decoder_.ok() && owned != group.pending().size()) {
      decoder_.fail(
          fmt::format("a pending entry of the group {} that no consumer has", rdb_quoted(name)));
    }
  }

  void read_pending(StreamGroup& group) {
    for (uint64_t left = decoder_.length(); left > 0 && decoder_.ok(); --left) {
      const StreamId pending = raw_id();
      const auto delivered_ms = static_cast<int64_t>(decoder_.number64());
      const uint64_t deliveries = decoder_.length();
      if (!decoder_.ok()) return;
      if (!group.load_pending(pending, delivered_ms, deliveries)) {
        decoder_.fail(fmt::format("the pending entry {} twice", pending.text()));
      }
    }
  }

  // Returns how many entries it has.
  uint64_t read_consumer(StreamGroup& group) {
    const Bytes name = decoder_.string(name_scratch_);
    const auto seen_ms = static_cast<int64_t>(decoder_.number64());
    const int64_t active_ms =
        has_active_time() ? static_cast<int64_t>(decoder_.number64()) : seen_ms;
    const uint64_t entries = decoder_.length();
    if (!decoder_.ok()) return 0;
    if (!group.add_consumer(name, seen_ms)) {
      decoder_.fail(fmt::format("the consumer {} twice", rdb_quoted(name)));
      return 0;
    }
    StreamConsumer& consumer = *group.write_consumer(name);
    consumer.active_time_ms = active_ms;
    for (uint64_t left = entries; left > 0; --left) {
      const StreamId pending = raw_id();
      if (!decoder_.ok()) break;
      if (group.load_owner(pending, consumer)) continue;
      decoder_.fail(group.pending().find(pending) == nullptr
                        ? fmt::format("the consumer {} has {}, which is not pending",
                                      rdb_quoted(name), pending.text())
                        : fmt::format("the pending entry {} with two consumers", pending.text()));
      break;
    }
    return entries;
  }

  RdbDecoder& decoder_;
  const uint8_t type_;
  Stream& stream_;
  std::string name_scratch_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Stream> rdb_decode_stream(RdbDecoder& decoder, uint8_t type) {
  auto stream = std::make_unique<Stream>();
  StreamDecoder(decoder, type, *stream).read();
  if (!decoder.ok()) return nullptr;
  return stream;
}

}  // namespace tandem
