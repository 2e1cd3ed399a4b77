// Sockets are made here by hand and polled by UvPoll: libuv's own stream type cannot give an
// accepted socket to another loop, nor cancel a write.
#include "io/uv_network.h"

#include <utility>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"
#include "io/address.h"
#include "io/uv_loop.h"
#include "io/uv_stream.h"

namespace tandem {
namespace {

class DescriptorCloser final : public SocketCloser {
 public:
  void close_socket(int descriptor) const override { ::close(descriptor); }
};

constexpr DescriptorCloser kDescriptorCloser;

// Closes what is not released, on every way out.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

int make_socket(int family) {
  return ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

class UvListener final : public Listener, private UvPoll::Owner {
 public:
  UvListener(UvLoop& loop, int descriptor, std::string unix_path)
      : loop_(loop),
        poll_(loop, descriptor, *this),
        local_(local_address(descriptor)),
        unix_path_(std::move(unix_path)) {}
  ~UvListener() override { close(); }

  Task<Result<AcceptedSocket>> accept(StopToken stop) override {
    for (;;) {
      if (poll_.closed()) co_return fail(ErrorCode::kCancelled, "the listener was closed");
      if (stop.requested()) co_return fail(stop.reason(), "cancelled");
      const int accepted =
          ::accept4(poll_.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (accepted >= 0) co_return AcceptedSocket(accepted, kDescriptorCloser);
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) co_return fail_system("accept");
      if (auto ready = co_await Readable(*this, stop); !ready) {
        co_return std::unexpected(ready.error());
      }
    }
  }

  void close() override {
    if (poll_.closed()) return;
    poll_.close();
    if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
    if (Readable* waiting = std::exchange(waiting_, nullptr)) waiting->closed();
  }
  const Address& local() const override { return local_; }

 private:
  class Readable final : public Wait {
   public:
    Readable(UvListener& listener, StopToken stop)
        : Wait(listener.loop_.ready(), stop), listener_(listener) {}
    ~Readable() {
      if (waiting()) abandon();
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiter) {
      if (!begin(waiter)) return false;
      CHECK(!listener_.waiting_, "one accept at a time");
      listener_.waiting_ = this;
      listener_.poll_.poll_reads();
      return true;
    }
    Result<void> await_resume() const {
      if (stopped()) return stop_error();
      return {};
    }
    void ready() { complete(); }
    // The loop of accept() finds out that it is closed.
    void closed() { complete_soon(); }

   private:
    void abandon() noexcept override { listener_.waiting_ = nullptr; }
    UvListener& listener_;
  };

  void on_readable() override {
    if (Readable* waiting = std::exchange(waiting_, nullptr)) waiting->ready();
  }
  void on_writable() override {}
  bool wants_read() const override { return waiting_ != nullptr; }
  bool wants_write() const override { return false; }

  UvLoop& loop_;
  UvPoll poll_;
  Address local_;
  std::string unix_path_;
  Readable* waiting_ = nullptr;
};

Result<int> bind_socket(const SocketAddress& address, int backlog) {
  Descriptor socket(make_socket(address.family()));
  if (socket.get() < 0) return fail_system("socket");
  const int on = 1;
  if (address.family() == AF_INET6 &&
      setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return fail_system("setsockopt");
  }
  if (address.family() != AF_UNIX &&
      setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return fail_system("setsockopt");
  }
  if (::bind(socket.get(), address.raw(), address.length) != 0) return fail_system("bind");
  if (::listen(socket.get(), backlog) != 0) return fail_system("listen");
  return socket.release();
}

// The socket, connecting.
Result<int> start_connect(const SocketAddress& target, const std::string& source_address) {
  Descriptor socket(make_socket(target.family()));
  if (socket.get() < 0) return fail_system("socket");
  if (!source_address.empty()) {
    auto source = resolve(source_address, 0, /*passive=*/true);
    if (!source) return std::unexpected(source.error());
    if (::bind(socket.get(), source->front().raw(), source->front().length) != 0) {
      return fail_system("bind");
    }
  }
  if (::connect(socket.get(), target.raw(), target.length) != 0 && errno != EINPROGRESS) {
    return fail(ErrorCode::kIo, system_text(errno));
  }
  return socket.release();
}

Task<Result<std::unique_ptr<ByteStream>>> connect_one(UvLoop& loop, SocketAddress target,
                                                      std::string source_address, StopToken stop) {
  Result<int> socket = start_connect(target, source_address);
  if (!socket) co_return std::unexpected(socket.error());
  auto stream = std::make_unique<UvStream>(loop, *socket, /*connecting=*/true);
  auto connected = co_await stream->write(Bytes(), stop);
  if (!connected) co_return std::unexpected(connected.error());
  stream->set_no_delay(true);
  co_return stream;
}

}  // namespace

Result<std::unique_ptr<Listener>> UvNetwork::listen(const std::string& address, uint16_t port,
                                                    int backlog) {
  auto targets = resolve(address, port, /*passive=*/true);
  if (!targets) return std::unexpected(targets.error());
  auto socket = bind_socket(targets->front(), backlog);
  if (!socket) return std::unexpected(socket.error());
  return std::make_unique<UvListener>(loop_, *socket, "");
}

Result<std::unique_ptr<Listener>> UvNetwork::listen_unix(const std::string& path,
                                                         unsigned permissions, int backlog) {
  auto target = unix_address(path);
  if (!target) return std::unexpected(target.error());
  ::unlink(path.c_str());
  auto socket = bind_socket(*target, backlog);
  if (!socket) return std::unexpected(socket.error());
  auto listener = std::make_unique<UvListener>(loop_, *socket, path);
  if (permissions != 0 && ::chmod(path.c_str(), permissions) != 0) return fail_system("chmod");
  return listener;
}

Result<std::unique_ptr<ByteStream>> UvNetwork::adopt(AcceptedSocket socket) {
  auto stream = std::make_unique<UvStream>(loop_, socket.release(), /*connecting=*/false);
  stream->set_no_delay(true);
  return stream;
}

Task<Result<std::unique_ptr<ByteStream>>> UvNetwork::connect(std::string host, uint16_t port,
                                                             ConnectOptions options,
                                                             StopToken stop) {
  Deadline deadline(loop_, options.timeout_ms, stop);
  Result<std::vector<SocketAddress>> targets;
  if (is_numeric(host)) {
    targets = resolve(host, port, /*passive=*/false);
  } else {
    auto looked_up = co_await loop_.offload(
        [host, port] { return resolve(host, port, /*passive=*/false); }, deadline.token());
    if (!looked_up) co_return std::unexpected(looked_up.error());
    targets = std::move(*looked_up);
  }
  if (!targets) co_return fail(ErrorCode::kInvalid, targets.error().text);
  Result<std::unique_ptr<ByteStream>> stream;
  for (const SocketAddress& target : *targets) {
    stream = co_await connect_one(loop_, target, options.source_address, deadline.token());
    if (stream || stream.error().code != ErrorCode::kIo) break;
  }
  co_return stream;
}

Task<Result<std::unique_ptr<ByteStream>>> UvNetwork::connect_unix(std::string path,
                                                                  StopToken stop) {
  auto target = unix_address(path);
  if (!target) co_return std::unexpected(target.error());
  co_return co_await connect_one(loop_, *target, "", stop);
}

}  // namespace tandem
