// A simulated connection: its two ends, and a process's stream over one of them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "io/address.h"
#include "io/byte_stream.h"
#include "sim/loop.h"
#include "sim/world.h"

namespace tandem {

// SimEnd: one side of a simulated connection, what a kernel keeps of it: bytes received and not
// read yet, segments under way to the other side, whether it is open. It outlives the process's
// stream for as long as something is under way.

class SimWire;

// Told by its end that something changed: bytes, room, an error.
class SimEndListener {
 public:
  virtual void on_end_changed() = 0;

 protected:
  ~SimEndListener() = default;
};

class SimEnd : public std::enable_shared_from_this<SimEnd> {
 public:
  // The hosts' addresses say who can reach whom; the other two are what the processes see.
  struct Route {
    std::string from_host;
    std::string to_host;
  };
  SimEnd(SimWire& wire, Route route, Address local, Address peer);
  static void join(const std::shared_ptr<SimEnd>& a, const std::shared_ptr<SimEnd>& b);

  // The process's side.
  void set_listener(SimEndListener* listener) noexcept { listener_ = listener; }
  const Address& local() const noexcept { return local_; }
  const Address& peer() const noexcept { return peer_address_; }
  bool readable() const noexcept;
  bool writable() const noexcept;
  // The peer's last byte has arrived, or the connection broke.
  bool ended() const noexcept { return end_received_ || broken_; }
  // Like the kernel's recv: a count, kEnd or kIo. Only when readable().
  Result<size_t> receive(std::span<char> buffer);
  // How much was taken; 0 when there is no room.
  size_t send(Bytes bytes);
  const std::optional<Error>& broken() const noexcept { return broken_; }
  void shutdown();
  // Orderly; a reset when something is unread, as TCP does it.
  void close();
  bool closed() const noexcept { return closed_; }

  // The world's side.
  const std::string& host_address() const noexcept { return route_.from_host; }
  const std::string& peer_host_address() const noexcept { return route_.to_host; }
  // The machine died: `reset` tells the peer, else a part of what was under way still arrives, and
  // then nothing.
  void crash(bool reset);
  void break_now(const std::string& reason);
  void sever() noexcept { severed_ = true; }

 private:
  enum class Kind { kBytes, kEnd, kReset };
  struct Segment {
    Kind kind;
    std::string bytes;
    int64_t sent_us;
    int64_t due_us;
  };

  void enqueue(Kind kind, Bytes bytes);
  void schedule_pump(int64_t at_us);
  // Delivers what is due to the other side, or tries again later.
  void pump();
  bool can_pass() const;
  void arrive(Segment& segment);
  size_t unread() const noexcept { return received_.size() - read_; }
  void changed();

  SimWire& wire_;
  Route route_;
  Address local_;
  Address peer_address_;
  std::weak_ptr<SimEnd> other_;  // expired: the other side closed and forgot
  SimEndListener* listener_ = nullptr;

  std::string received_;
  size_t read_ = 0;
  bool end_received_ = false;
  std::optional<Error> broken_;

  std::deque<Segment> under_way_;
  size_t unread_by_peer_ = 0;
  int64_t last_due_us_ = 0;
  bool pump_scheduled_ = false;
  bool end_sent_ = false;
  bool closed_ = false;
  bool crashed_ = false;
  bool severed_ = false;
};

// SimStream: a process's stream over its end of a simulated connection.
class SimStream final : public ByteStream, private SimSource, private SimEndListener {
 public:
  SimStream(SimLoop& loop, std::shared_ptr<SimEnd> end, int descriptor);
  ~SimStream() override { close(); }

  Result<size_t> try_read(std::span<char> buffer) override;
  bool peer_has_closed() const override { return end_->ended(); }
  size_t try_write(std::span<const Bytes> parts) override;
  using ByteStream::try_write;
  void shutdown() override { end_->shutdown(); }
  void close() override;
  bool closed() const override { return closed_; }
  const Address& peer() const override { return end_->peer(); }
  const Address& local() const override { return end_->local(); }
  int descriptor() const override { return closed_ ? -1 : descriptor_; }
  void set_keepalive(int) override {}
  void set_no_delay(bool on) override { no_delay_ = on; }
  bool no_delay() const { return no_delay_; }
  Loop& loop() const override { return loop_; }

 private:
  bool begin_read(Read& read) override;
  void cancel_read(Read&) noexcept override { reader_ = nullptr; }
  bool begin_write(Write& write) override;
  void cancel_write(Write&) noexcept override { writer_ = nullptr; }
  void on_ready() override;
  void on_end_changed() override;
  // Hands over what there is room for.
  void flush(Write& write);

  SimLoop& loop_;
  std::shared_ptr<SimEnd> end_;
  int descriptor_;
  bool closed_ = false;
  bool no_delay_ = true;  // as real ones begin
  Read* reader_ = nullptr;
  Write* writer_ = nullptr;
};

}  // namespace tandem
