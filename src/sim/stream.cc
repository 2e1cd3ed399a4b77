#include "sim/stream.h"

#include <utility>

#include "base/check.h"

namespace tandem {
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
