// Segments wait in `under_way_`, each with its time of arrival, later than the one before it. One
// event at a time (the pump) moves those that are due; it keeps the end alive, so that a closed
// connection's last bytes still arrive.
#include "sim/stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "sim/network.h"

namespace tandem {
namespace {

constexpr size_t kCompactBytes = 64 * 1024;

}  // namespace

SimEnd::SimEnd(SimWire& wire, Route route, Address local, Address peer)
    : wire_(wire),
      route_(std::move(route)),
      local_(std::move(local)),
      peer_address_(std::move(peer)) {}

void SimEnd::join(const std::shared_ptr<SimEnd>& a, const std::shared_ptr<SimEnd>& b) {
  a->other_ = b;
  b->other_ = a;
  a->wire_.add_end(a);
  b->wire_.add_end(b);
}

bool SimEnd::readable() const noexcept { return unread() > 0 || end_received_ || broken_; }

bool SimEnd::writable() const noexcept {
  return broken_ || closed_ || unread_by_peer_ < wire_.options().window_bytes;
}

Result<size_t> SimEnd::receive(std::span<char> buffer) {
  if (broken_) return std::unexpected(*broken_);
  if (unread() == 0) {
    CHECK(end_received_, "only what is readable is received");
    return fail(ErrorCode::kEnd, "the peer closed the connection");
  }
  const size_t count = wire_.perhaps_part(std::min(unread(), buffer.size()));
  std::memcpy(buffer.data(), received_.data() + read_, count);
  read_ += count;
  if (read_ == received_.size() || read_ >= kCompactBytes) {
    received_.erase(0, read_);
    read_ = 0;
  }
  if (auto other = other_.lock()) {
    other->unread_by_peer_ -= std::min(count, other->unread_by_peer_);
    other->changed();
  }
  return count;
}

size_t SimEnd::send(Bytes bytes) {
  if (broken_ || closed_ || end_sent_ || !writable()) return 0;
  const size_t room = wire_.options().window_bytes - unread_by_peer_;
  const size_t count = wire_.perhaps_part(std::min(room, bytes.size()));
  if (count == 0) return 0;
  unread_by_peer_ += count;
  enqueue(Kind::kBytes, bytes.substr(0, count));
  return count;
}

void SimEnd::shutdown() {
  if (broken_ || closed_ || std::exchange(end_sent_, true)) return;
  enqueue(Kind::kEnd, {});
}

void SimEnd::close() {
  if (crashed_ || std::exchange(closed_, true)) return;
  listener_ = nullptr;
  if (broken_) return;
  if (unread() > 0) {
    enqueue(Kind::kReset, {});
  } else if (!std::exchange(end_sent_, true)) {
    enqueue(Kind::kEnd, {});
  }
}

void SimEnd::crash(bool reset) {
  if (crashed_ || closed_) return;
  crashed_ = true;
  closed_ = true;
  listener_ = nullptr;
  if (reset) {
    if (!broken_) enqueue(Kind::kReset, {});
  } else {
    under_way_.resize(wire_.world().chance().below(under_way_.size() + 1));
  }
}

void SimEnd::break_now(const std::string& reason) {
  if (closed_ || broken_) return;
  broken_ = Error{ErrorCode::kIo, reason};
  received_.clear();
  read_ = 0;
  under_way_.clear();
  changed();
}

void SimEnd::changed() {
  if (listener_) listener_->on_end_changed();
}

void SimEnd::enqueue(Kind kind, Bytes bytes) {
  SimWorld& world = wire_.world();
  const int64_t latency_us = wire_.latency_us(host_address(), peer_host_address());
  last_due_us_ = std::max(last_due_us_ + 1, world.now_us() + latency_us);
  under_way_.push_back({kind, std::string(bytes), world.now_us(), last_due_us_});
  schedule_pump(last_due_us_);
}

void SimEnd::schedule_pump(int64_t at_us) {
  if (std::exchange(pump_scheduled_, true)) return;
  wire_.world().schedule_at_us(at_us, [self = shared_from_this()] {
    self->pump_scheduled_ = false;
    self->pump();
  });
}

bool SimEnd::can_pass() const {
  if (severed_ || wire_.blocked(host_address(), peer_host_address())) return false;
  if (auto other = other_.lock(); other && other->severed_) return false;
  SimHost* target = wire_.find_host(peer_host_address());
  return target && target->running();
}

void SimEnd::pump() {
  const int64_t now_us = wire_.world().now_us();
  while (!under_way_.empty()) {
    if (under_way_.front().due_us > now_us) return schedule_pump(under_way_.front().due_us);
    if (!can_pass()) {
      const int64_t held_us = now_us - under_way_.front().sent_us;
      if (held_us < wire_.options().give_up_ms * 1000) {
        return schedule_pump(now_us + wire_.options().retransmit_ms * 1000);
      }
      under_way_.clear();
      return break_now("Connection timed out");
    }
    Segment segment = std::move(under_way_.front());
    under_way_.pop_front();
    auto other = other_.lock();
    if (other && !other->closed_) {
      other->arrive(segment);
    } else if (segment.kind == Kind::kBytes) {
      // Nobody has this connection any more; the answer is a reset.
      return break_now("Connection reset by peer");
    }
  }
}

void SimEnd::arrive(Segment& segment) {
  if (broken_) return;
  switch (segment.kind) {
    case Kind::kBytes:
      wire_.world().note(fmt::format("{} > {} {} bytes", peer_address_.text(), local_.text(),
                                     segment.bytes.size()));
      received_ += segment.bytes;
      break;
    case Kind::kEnd:
      wire_.world().note(fmt::format("{} > {} end", peer_address_.text(), local_.text()));
      end_received_ = true;
      break;
    case Kind::kReset:
      wire_.world().note(fmt::format("{} > {} reset", peer_address_.text(), local_.text()));
      return break_now("Connection reset by peer");
  }
  changed();
}

namespace {

Error closed_here() { return {ErrorCode::kCancelled, "the connection was closed"}; }

}  // namespace

SimStream::SimStream(SimLoop& loop, std::shared_ptr<SimEnd> end, int descriptor)
    : loop_(loop), end_(std::move(end)), descriptor_(descriptor) {
  end_->set_listener(this);
}

bool SimStream::begin_read(Read& read) {
  if (closed_) {
    read.finish(closed_here(), Resume::kUnchanged);
    return false;
  }
  CHECK(!reader_, "one read at a time");
  reader_ = &read;
  on_end_changed();
  return true;
}

Result<size_t> SimStream::try_read(std::span<char> buffer) {
  if (closed_) return std::unexpected(closed_here());
  if (!end_->readable()) return 0;
  return end_->receive(buffer);
}

size_t SimStream::try_write(std::span<const Bytes> parts) {
  if (closed_ || writer_) return 0;
  size_t total = 0;
  for (const Bytes& part : parts) {
    const size_t count = end_->send(part);
    total += count;
    if (count < part.size()) break;
  }
  return total;
}

void SimStream::flush(Write& write) {
  while (!write.done()) {
    Bytes part[1];
    write.pending(part);
    const size_t count = end_->send(part[0]);
    write.advance(count);
    if (count < part[0].size()) return;
  }
}

bool SimStream::begin_write(Write& write) {
  if (closed_) {
    write.finish(closed_here(), Resume::kUnchanged);
    return false;
  }
  CHECK(!writer_, "one write at a time");
  flush(write);
  if (write.done()) {
    write.finish(Resume::kUnchanged);
    return false;
  }
  if (end_->broken()) {
    write.finish(*end_->broken(), Resume::kUnchanged);
    return false;
  }
  writer_ = &write;
  on_end_changed();
  return true;
}

void SimStream::on_end_changed() {
  if ((reader_ && end_->readable()) || (writer_ && end_->writable())) loop_.kick(*this);
}

void SimStream::on_ready() {
  const bool can_read = reader_ && end_->readable();
  const bool can_write = writer_ && end_->writable();
  // The task that goes on may destroy this stream, so one thing at a time.
  if (can_read && can_write) loop_.kick(*this);
  if (can_read) {
    Read& read = *std::exchange(reader_, nullptr);
    if (read.buffer().empty()) return read.finish(0, Resume::kNow);
    Result<size_t> count = end_->receive(read.buffer());
    if (count) return read.finish(*count, Resume::kNow);
    return read.finish(std::move(count.error()), Resume::kNow);
  }
  if (can_write) {
    flush(*writer_);
    if (!writer_->done() && !end_->broken()) return on_end_changed();
    Write& write = *std::exchange(writer_, nullptr);
    if (write.done()) return write.finish(Resume::kNow);
    return write.finish(*end_->broken(), Resume::kNow);
  }
}

void SimStream::close() {
  if (std::exchange(closed_, true)) return;
  end_->set_listener(nullptr);
  end_->close();
  if (Read* read = std::exchange(reader_, nullptr)) read->finish(closed_here(), Resume::kSoon);
  if (Write* write = std::exchange(writer_, nullptr)) write->finish(closed_here(), Resume::kSoon);
  loop_.kick();
}

}  // namespace tandem
