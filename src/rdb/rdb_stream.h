// Streams as RDB carries them (rdb_format.h), both ways: the nodes as they lie in memory, the
// counters, then each group with all that is pending in it and, consumer by consumer, the ids once
// more.
#pragma once

#include <cstdint>
#include <memory>

#include "data/stream.h"
#include "rdb/rdb_items.h"

namespace tandem {

// A stream as it was when this was made, encoded bit by bit, while others change the stream: it
// keeps a copy, which costs a count.
//
//   RdbStreamEncoder stream(value, version);
//   while (stream.encode(encoder, 8 * 1024)) pause;
//
// Confined to one thread.
class RdbStreamEncoder {
 public:
  RdbStreamEncoder(Stream stream, int version) : stream_(std::move(stream)), version_(version) {}
  RdbStreamEncoder(const RdbStreamEncoder&) = delete;
  RdbStreamEncoder& operator=(const RdbStreamEncoder&) = delete;

  // Encodes about so many bytes more. False: that was the end.
  bool encode(RdbEncoder& to, uint64_t bytes);

 private:
  // One of these encodes what comes next, and says which one follows it.
  using Next = void (RdbStreamEncoder::*)(RdbEncoder& to);
  void begin(RdbEncoder& to);
  void node(RdbEncoder& to);
  void counters(RdbEncoder& to);
  void group(RdbEncoder& to);
  void pending(RdbEncoder& to);
  void consumer(RdbEncoder& to);
  void pending_of_consumer(RdbEncoder& to);

  const Stream stream_;
  const int version_;
  Next next_ = &RdbStreamEncoder::begin;  // null: all is encoded
  Stream::Nodes::Cursor node_;
  Stream::Groups::Cursor group_;
  StreamGroup::Pending::Cursor pending_;
  StreamGroup::Consumers::Cursor consumer_;
  StreamConsumer::Pending::Cursor id_;
};

// All of it at once.
void rdb_encode_stream(RdbEncoder& encoder, const Stream& stream, int version);

// Null on failure: the decoder knows the problem.
std::unique_ptr<Stream> rdb_decode_stream(RdbDecoder& decoder, uint8_t type);

}  // namespace tandem
