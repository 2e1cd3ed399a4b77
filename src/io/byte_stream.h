// ByteStream: one connection, as bytes both ways. TCP and Unix sockets by libuv (io/uv_stream.h),
// simulated ones (sim/). Confined to its loop's thread, but for peer_has_closed(). Destroying it
// closes it; no wait on it may be left then (their tasks die first).
//
// Errors: kEnd when the peer ended (read only), kIo when the connection broke, kCancelled when it
// was closed here, the stop's reason when stopped. After kIo or kEnd the connection is only good
// for closing. No read, write or wait allocates.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "base/result.h"
#include "io/address.h"
#include "io/wait.h"

namespace tandem {

class Loop;

class ByteStream {
 public:
  class Read;
  class Write;

  virtual ~ByteStream() = default;
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // co_await: Result<size_t>, at least 1: what had arrived, up to the buffer's size. One read at a
  // time. While nobody reads nothing is taken from the kernel: that is the peer's backpressure. The
  // buffer stays the caller's, and is not touched any more once the wait is over or destroyed.
  Read read(std::span<char> buffer, StopToken stop = {});

  // co_await: Result<size_t>, always 0, once try_read() has something to say: bytes, or the end.
  // Counts as a read. For owners whose buffer may change while they wait.
  Read readable(StopToken stop = {});
  // What has arrived, up to the buffer's size; 0 when nothing has.
  virtual Result<size_t> try_read(std::span<char> buffer) = 0;

  // Whether the peer has ended its side or the connection broke, also while bytes that it sent
  // before are still unread. Any thread, while the stream lives.
  virtual bool peer_has_closed() const = 0;

  // Hands over what the kernel takes at once and says how much that was: 0 when it is full, when
  // others of the loop are to have their turn first, or when the connection is broken (a read or
  // write wait then says so). 0 while a write waits: bytes never overtake each other.
  virtual size_t try_write(std::span<const Bytes> parts) = 0;
  size_t try_write(Bytes bytes) { return try_write(std::span<const Bytes>(&bytes, 1)); }

  // co_await: Result<void> once the kernel has all of it; suspends only when it cannot take all at
  // once. One write at a time. The bytes, and the span of parts, stay the caller's until then and
  // are not copied. When stopped or destroyed on the way an unknown part of the bytes is out.
  Write write(std::span<const Bytes> parts, StopToken stop = {});
  Write write(Bytes bytes, StopToken stop = {});

  // Says that no more will be written; reading goes on.
  virtual void shutdown() = 0;
  // At once, both ways; waits end with kCancelled. Further calls do nothing.
  virtual void close() = 0;
  virtual bool closed() const = 0;

  virtual const Address& peer() const = 0;
  virtual const Address& local() const = 0;
  // The descriptor's number for people (CLIENT LIST); a made-up one in simulations.
  virtual int descriptor() const = 0;
  // TCP's probes after `idle_seconds` of silence; no effect on other streams.
  virtual void set_keepalive(int idle_seconds) = 0;
  virtual void set_no_delay(bool on) = 0;

  // What this stream's waits are resumed by.
  virtual Loop& loop() const = 0;

 protected:
  ByteStream() = default;

  // For implementations. begin_* may end the wait at once (read.finish...; then it gives false),
  // else it keeps the pointer until finish or cancel_*.
  virtual bool begin_read(Read& read) = 0;
  virtual void cancel_read(Read& read) noexcept = 0;
  virtual bool begin_write(Write& write) = 0;
  virtual void cancel_write(Write& write) noexcept = 0;
};

class ByteStream::Read final : public Wait {
 public:
  Read(ByteStream& stream, std::span<char> buffer, StopToken stop);
  ~Read() {
    if (waiting()) abandon();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    return begin(waiter) && stream_.begin_read(*this);
  }
  Result<size_t> await_resume();

  // For implementations of ByteStream. Empty: nothing is to be read, it ends with 0 bytes.
  std::span<char> buffer() const noexcept { return buffer_; }
  void finish(size_t count, Resume how);
  void finish(Error error, Resume how);

 private:
  void abandon() noexcept override { stream_.cancel_read(*this); }

  ByteStream& stream_;
  std::span<char> buffer_;
  size_t count_ = 0;
  std::optional<Error> error_;
};

class ByteStream::Write final : public Wait {
 public:
  // At most this many parts go into one system call.
  static constexpr size_t kPartsMax = 64;

  Write(ByteStream& stream, std::span<const Bytes> parts, StopToken stop);
  Write(ByteStream& stream, Bytes bytes, StopToken stop);
  ~Write() {
    if (waiting()) abandon();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    return begin(waiter) && stream_.begin_write(*this);
  }
  Result<void> await_resume();

  // For implementations of ByteStream: what is left, cut to kPartsMax parts and given in `out`; and
  // what of it is gone.
  size_t pending(std::span<Bytes> out) const noexcept;
  void advance(size_t count) noexcept;
  bool done() const noexcept { return parts_.empty(); }
  void finish(Resume how) { end(how); }
  void finish(Error error, Resume how);

 private:
  void abandon() noexcept override { stream_.cancel_write(*this); }
  void skip_empty() noexcept;

  ByteStream& stream_;
  Bytes single_;
  std::span<const Bytes> parts_;
  size_t offset_ = 0;  // into parts_.front()
  std::optional<Error> error_;
};

inline ByteStream::Read ByteStream::read(std::span<char> buffer, StopToken stop) {
  CHECK(!buffer.empty(), "a read has room");
  return Read(*this, buffer, stop);
}
inline ByteStream::Read ByteStream::readable(StopToken stop) { return Read(*this, {}, stop); }
inline ByteStream::Write ByteStream::write(std::span<const Bytes> parts, StopToken stop) {
  return Write(*this, parts, stop);
}
inline ByteStream::Write ByteStream::write(Bytes bytes, StopToken stop) {
  return Write(*this, bytes, stop);
}

}  // namespace tandem
