// Network: where streams come from. One a loop, confined to its thread, but for AcceptedSocket,
// which travels: one loop listens and hands the sockets that it accepts to the loops of other
// workers, whose networks adopt them.
//
//   auto socket = co_await listener->accept(stop);             // on the listening loop
//   worker_loop.post([&, s = std::move(*socket)]() mutable {
//     serve(worker_network.adopt(std::move(s)));               // on the worker's
//   });
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "io/address.h"
#include "io/byte_stream.h"
#include "io/task.h"
#include "io/wait.h"

namespace tandem {

// Closes descriptors that nobody adopted. Any thread.
class SocketCloser {
 public:
  virtual void close_socket(int descriptor) const = 0;

 protected:
  ~SocketCloser() = default;
};

// A connection between accept and adopt; closed when dropped. Movable between threads.
class AcceptedSocket {
 public:
  AcceptedSocket(int descriptor, const SocketCloser& closer)
      : descriptor_(descriptor), closer_(&closer) {}
  AcceptedSocket(AcceptedSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), closer_(other.closer_) {}
  AcceptedSocket& operator=(AcceptedSocket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  ~AcceptedSocket() {
    if (descriptor_ >= 0) closer_->close_socket(descriptor_);
  }
  int descriptor() const noexcept { return descriptor_; }
  // The descriptor is the caller's from now on.
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
  const SocketCloser* closer_;
};

class Listener {
 public:
  virtual ~Listener() = default;
  // One at a time. An error is kIo (out of descriptors, say: wait before the next try), kCancelled
  // after close(), or the stop's reason.
  virtual Task<Result<AcceptedSocket>> accept(StopToken stop = {}) = 0;
  virtual void close() = 0;
  // With the port that was really taken.
  virtual const Address& local() const = 0;
};

struct ConnectOptions {
  int64_t timeout_ms = 5000;     // for all of it, looking the name up included
  std::string source_address{};  // numeric; empty: the system's choice
};

class Network {
 public:
  virtual ~Network() = default;

  // `address` is numeric or a name; "*" is all of IPv4, "::*" all of IPv6 (IPv6 sockets take IPv6
  // only). Port 0: any. The error's text is what the operating system says ("bind: Address already
  // in use").
  virtual Result<std::unique_ptr<Listener>> listen(const std::string& address, uint16_t port,
                                                   int backlog) = 0;
  // An old socket file of that name is replaced; the file goes when the listener closes.
  // `permissions` 0: the umask's.
  virtual Result<std::unique_ptr<Listener>> listen_unix(const std::string& path,
                                                        unsigned permissions, int backlog) = 0;
  // With no-delay set. Takes it over even from another network's listener (of the same kind).
  virtual Result<std::unique_ptr<ByteStream>> adopt(AcceptedSocket socket) = 0;

  // Tries the name's addresses in turn. kTimeout when the time is over; kInvalid when the name has
  // no address; kIo with the last address's reason.
  virtual Task<Result<std::unique_ptr<ByteStream>>> connect(std::string host, uint16_t port,
                                                            ConnectOptions options = {},
                                                            StopToken stop = {}) = 0;
  virtual Task<Result<std::unique_ptr<ByteStream>>> connect_unix(std::string path,
                                                                 StopToken stop = {}) = 0;
};

}  // namespace tandem
