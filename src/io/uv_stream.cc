// libuv's handle must outlive the descriptor by a turn, so it is an allocation of its own that is
// freed when libuv says so; `owner` is null from close() on.
#include "io/uv_stream.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>

#include "base/check.h"
#include "base/result.h"
#include "io/address.h"
#include "io/uv_loop.h"

namespace tandem {

struct UvPoll::State {
  uv_poll_t poll;
  UvLoop* loop;
  Owner* owner;
  int interest = 0;

  static void on_event(uv_poll_t* poll, int status, int events) {
    State& state = *static_cast<State*>(poll->data);
    state.loop->note_awake();
    if (status < 0) {
      // libuv stops polling a socket in error; the read or write finds out which one it is.
      state.interest = 0;
      events = UV_READABLE | UV_WRITABLE;
    }
    const bool in_vain = (events & UV_READABLE) && state.owner && !state.owner->wants_read();
    if ((events & UV_READABLE) && state.owner) state.owner->on_readable();
    if ((events & UV_WRITABLE) && state.owner) state.owner->on_writable();
    if (!state.owner) return;
    int wanted = in_vain ? 0 : state.interest & UV_READABLE;
    if (state.owner->wants_read()) wanted |= UV_READABLE;
    if (state.owner->wants_write()) wanted |= UV_WRITABLE;
    set_interest(state, wanted);
  }
};

UvPoll::UvPoll(UvLoop& loop, int descriptor, Owner& owner)
    : state_(new State{{}, &loop, &owner}), descriptor_(descriptor) {
  const int made = uv_poll_init(loop.raw(), &state_->poll, descriptor);
  CHECK(made == 0, "a socket can be polled");
  state_->poll.data = state_;
}

void UvPoll::set_interest(State& state, int events) {
  if (events == state.interest) return;
  state.interest = events;
  if (events == 0) {
    uv_poll_stop(&state.poll);
  } else {
    const int started = uv_poll_start(&state.poll, events, State::on_event);
    CHECK(started == 0, "a socket can be polled");
  }
}

void UvPoll::poll_reads() { set_interest(*state_, state_->interest | UV_READABLE); }

void UvPoll::poll_writes() { set_interest(*state_, state_->interest | UV_WRITABLE); }

void UvPoll::close() {
  if (!state_) return;
  State* state = std::exchange(state_, nullptr);
  state->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&state->poll),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
  ::close(std::exchange(descriptor_, -1));
}

namespace {

Error closed_here() { return {ErrorCode::kCancelled, "the connection was closed"}; }

void set_option(int descriptor, int level, int option, int value) {
  // Best effort: a socket that is broken already refuses options, and its next read says why.
  (void)setsockopt(descriptor, level, option, &value, sizeof value);
}

}  // namespace

UvStream::UvStream(UvLoop& loop, int descriptor, bool connecting)
    : loop_(loop), poll_(loop, descriptor, *this), connecting_(connecting) {
  if (!connecting) note_connected();
}

void UvStream::note_connected() {
  connecting_ = false;
  peer_ = peer_address(descriptor());
  local_ = local_address(descriptor());
}

Loop& UvStream::loop() const { return loop_; }

bool UvStream::begin_read(Read& read) {
  if (closed()) {
    read.finish(closed_here(), Resume::kUnchanged);
    return false;
  }
  CHECK(!reader_, "one read at a time");
  reader_ = &read;
  poll_.poll_reads();
  return true;
}

Result<size_t> UvStream::try_read(std::span<char> buffer) {
  if (closed()) return std::unexpected(closed_here());
  ssize_t count;
  do {
    count = ::recv(descriptor(), buffer.data(), std::min(buffer.size(), kReadAtOnceMax), 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return static_cast<size_t>(count);
  if (count == 0) return fail(ErrorCode::kEnd, "the peer closed the connection");
  if (errno == EAGAIN) return 0;
  return fail(ErrorCode::kIo, system_text(errno));
}

void UvStream::on_readable() {
  if (!reader_) return;
  if (reader_->buffer().empty()) return std::exchange(reader_, nullptr)->finish(0, Resume::kNow);
  Result<size_t> count = try_read(reader_->buffer());
  if (count && *count == 0) return;
  Read& read = *std::exchange(reader_, nullptr);
  if (count) {
    read.finish(*count, Resume::kNow);
  } else {
    read.finish(std::move(count.error()), Resume::kNow);
  }
}

// A look at the bytes would not do: what was sent before the end hides it.
bool UvStream::peer_has_closed() const {
  pollfd look{.fd = descriptor(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) > 0;
}

ssize_t UvStream::send(std::span<const Bytes> parts) {
  if (std::exchange(turn_, loop_.turn()) != loop_.turn()) sent_in_turn_ = 0;
  size_t left = kSentInTurnMax - sent_in_turn_;
  if (left == 0) {
    errno = EAGAIN;
    return -1;
  }
  iovec vectors[Write::kPartsMax];
  size_t used = 0;
  for (; used < std::min(parts.size(), Write::kPartsMax) && left != 0; ++used) {
    const size_t size = std::min(parts[used].size(), left);
    vectors[used] = {const_cast<char*>(parts[used].data()), size};
    left -= size;
  }
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = used;
  ssize_t count;
  do {
    count = used == 1 ? ::send(descriptor(), vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL)
                      : ::sendmsg(descriptor(), &message, MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count > 0) sent_in_turn_ += static_cast<size_t>(count);
  return count;
}

size_t UvStream::try_write(std::span<const Bytes> parts) {
  if (closed() || connecting_ || writer_) return 0;
  size_t total = 0;
  while (!parts.empty()) {
    const auto batch = parts.first(std::min(parts.size(), Write::kPartsMax));
    size_t size = 0;
    for (const Bytes& part : batch) size += part.size();
    const ssize_t count = size == 0 ? 0 : send(batch);
    if (count > 0) total += static_cast<size_t>(count);
    if (count < 0 || static_cast<size_t>(count) < size) break;
    parts = parts.subspan(batch.size());
  }
  return total;
}

int UvStream::flush(Write& write) {
  while (!write.done()) {
    Bytes parts[Write::kPartsMax];
    const size_t count = write.pending(parts);
    const ssize_t sent = send(std::span(parts, count));
    if (sent < 0) return errno;
    write.advance(static_cast<size_t>(sent));
  }
  return 0;
}

bool UvStream::begin_write(Write& write) {
  if (closed()) {
    write.finish(closed_here(), Resume::kUnchanged);
    return false;
  }
  CHECK(!writer_, "one write at a time");
  const int code = connecting_ ? EAGAIN : flush(write);
  if (code == EAGAIN) {
    writer_ = &write;
    poll_.poll_writes();
    return true;
  }
  if (code == 0) {
    write.finish(Resume::kUnchanged);
  } else {
    write.finish(Error{ErrorCode::kIo, system_text(code)}, Resume::kUnchanged);
  }
  return false;
}

void UvStream::on_writable() {
  if (!writer_) return;
  int code = 0;
  if (connecting_) {
    socklen_t length = sizeof code;
    if (getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &code, &length) != 0) code = errno;
    if (code == 0) note_connected();
  }
  if (code == 0) code = flush(*writer_);
  if (code == EAGAIN) return;
  Write& write = *std::exchange(writer_, nullptr);
  if (code == 0) {
    write.finish(Resume::kNow);
  } else {
    write.finish(Error{ErrorCode::kIo, system_text(code)}, Resume::kNow);
  }
}

void UvStream::shutdown() {
  if (!closed()) (void)::shutdown(descriptor(), SHUT_WR);
}

void UvStream::close() {
  if (closed()) return;
  poll_.close();
  if (Read* read = std::exchange(reader_, nullptr)) read->finish(closed_here(), Resume::kSoon);
  if (Write* write = std::exchange(writer_, nullptr)) write->finish(closed_here(), Resume::kSoon);
}

void UvStream::set_keepalive(int idle_seconds) {
  if (closed() || peer_.is_unix || idle_seconds <= 0) return;
  set_option(descriptor(), SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(descriptor(), IPPROTO_TCP, TCP_KEEPIDLE, idle_seconds);
  // Three probes, a third of the silence apart.
  set_option(descriptor(), IPPROTO_TCP, TCP_KEEPINTVL, std::max(idle_seconds / 3, 1));
  set_option(descriptor(), IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void UvStream::set_no_delay(bool on) {
  if (closed() || peer_.is_unix) return;
  set_option(descriptor(), IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

}  // namespace tandem
