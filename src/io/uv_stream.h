// UvStream: a TCP or Unix socket on a UvLoop. recv and send go straight to and from the callers'
// buffers: one recv for each readable event that somebody waits for, one send for each write that
// the kernel takes whole.
#pragma once

#include "io/byte_stream.h"
#include "io/uv_poll.h"

namespace tandem {

class UvLoop;

class UvStream final : public ByteStream, private UvPoll::Owner {
 public:
  // Owns the nonblocking socket from now on. When it is still `connecting`, the first write (of
  // nothing, say) waits for that and fails if it failed.
  UvStream(UvLoop& loop, int descriptor, bool connecting);
  ~UvStream() override { close(); }

  Result<size_t> try_read(std::span<char> buffer) override;
  bool peer_has_closed() const override;
  size_t try_write(std::span<const Bytes> parts) override;
  using ByteStream::try_write;
  void shutdown() override;
  void close() override;
  bool closed() const override { return poll_.closed(); }
  const Address& peer() const override { return peer_; }
  const Address& local() const override { return local_; }
  int descriptor() const override { return poll_.descriptor(); }
  void set_keepalive(int idle_seconds) override;
  void set_no_delay(bool on) override;
  Loop& loop() const override;

 private:
  bool begin_read(Read& read) override;
  void cancel_read(Read&) noexcept override { reader_ = nullptr; }
  bool begin_write(Write& write) override;
  void cancel_write(Write&) noexcept override { writer_ = nullptr; }

  void on_readable() override;
  void on_writable() override;
  bool wants_read() const override { return reader_ != nullptr; }
  bool wants_write() const override { return writer_ != nullptr; }

  void note_connected();
  // Sends what the kernel takes; gives 0 when all is out, else the error, EAGAIN included.
  int flush(Write& write);

  UvLoop& loop_;
  UvPoll poll_;
  bool connecting_;
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  Address peer_;
  Address local_;
};

}  // namespace tandem
