// Streams over a UvLoop: the polled socket, and the stream on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/types.h>

#include "base/result.h"
#include "io/byte_stream.h"

namespace tandem {

// UvPoll: a nonblocking socket polled by a UvLoop. Owns the descriptor. Confined to the loop's
// thread.
//
// Interest in reading is dropped lazily: it stays on while the owner is busy, and only an event
// that finds nobody waiting turns it off. So a task that reads again within its turn costs no
// epoll_ctl, also when others come first, and one that does not leaves the bytes in the kernel.

class UvLoop;

class UvPoll {
 public:
  // Called from the loop's own callback; may destroy the UvPoll.
  class Owner {
   public:
    virtual void on_readable() = 0;
    virtual void on_writable() = 0;
    virtual bool wants_read() const = 0;
    virtual bool wants_write() const = 0;

   protected:
    ~Owner() = default;
  };

  UvPoll(UvLoop& loop, int descriptor, Owner& owner);
  ~UvPoll() { close(); }
  UvPoll(const UvPoll&) = delete;
  UvPoll& operator=(const UvPoll&) = delete;

  // From now on the owner hears of it.
  void poll_reads();
  void poll_writes();
  void close();
  bool closed() const noexcept { return !state_; }
  int descriptor() const noexcept { return descriptor_; }

 private:
  struct State;
  static void set_interest(State& state, int events);

  State* state_;
  int descriptor_;
};

// UvStream: a TCP or Unix socket on a UvLoop. recv and send go straight to and from the callers'
// buffers: one recv for each readable event that somebody waits for, one send for each write that
// the kernel takes whole.
//
// A peer that takes, or sends, as fast as there is something could keep the loop for itself. So in
// a turn of the loop a stream sends so much at most, and is as good as full then; and of what has
// arrived a read takes so much.
class UvStream final : public ByteStream, private UvPoll::Owner {
 public:
  static constexpr size_t kSentInTurnMax = 256 * 1024;
  static constexpr size_t kReadAtOnceMax = 1024 * 1024;

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
  // One system call; -1 and errno as usual.
  ssize_t send(std::span<const Bytes> parts);
  // Sends what the kernel takes; gives 0 when all is out, else the error, EAGAIN included.
  int flush(Write& write);

  UvLoop& loop_;
  UvPoll poll_;
  bool connecting_;
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
  uint64_t turn_ = 0;  // in which it sent last, and how much
  size_t sent_in_turn_ = 0;
  Address peer_;
  Address local_;
};

}  // namespace tandem
