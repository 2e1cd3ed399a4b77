#include "io/byte_stream.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "io/loop.h"

namespace tandem {

ByteStream::Read::Read(ByteStream& stream, std::span<char> buffer, StopToken stop)
    : Wait(stream.loop().ready(), stop), stream_(stream), buffer_(buffer) {}

Result<size_t> ByteStream::Read::await_resume() {
  if (stopped()) return stop_error();
  if (error_) return std::unexpected(std::move(*error_));
  return count_;
}

void ByteStream::Read::finish(size_t count, Resume how) {
  count_ = count;
  end(how);
}

void ByteStream::Read::finish(Error error, Resume how) {
  error_ = std::move(error);
  end(how);
}

ByteStream::Write::Write(ByteStream& stream, std::span<const Bytes> parts, StopToken stop)
    : Wait(stream.loop().ready(), stop), stream_(stream), parts_(parts) {
  skip_empty();
}

ByteStream::Write::Write(ByteStream& stream, Bytes bytes, StopToken stop)
    : Wait(stream.loop().ready(), stop), stream_(stream), single_(bytes), parts_(&single_, 1) {
  skip_empty();
}

Result<void> ByteStream::Write::await_resume() {
  if (stopped()) return stop_error();
  if (error_) return std::unexpected(std::move(*error_));
  return {};
}

size_t ByteStream::Write::pending(std::span<Bytes> out) const noexcept {
  const size_t count = std::min(out.size(), parts_.size());
  for (size_t i = 0; i < count; i++) out[i] = parts_[i];
  if (count > 0) out[0].remove_prefix(offset_);
  return count;
}

void ByteStream::Write::advance(size_t count) noexcept {
  while (count > 0) {
    DCHECK(!parts_.empty(), "no more is written than was given");
    const size_t left = parts_.front().size() - offset_;
    if (count < left) {
      offset_ += count;
      return;
    }
    count -= left;
    offset_ = 0;
    parts_ = parts_.subspan(1);
  }
  skip_empty();
}

void ByteStream::Write::skip_empty() noexcept {
  while (offset_ == 0 && !parts_.empty() && parts_.front().empty()) parts_ = parts_.subspan(1);
}

void ByteStream::Write::finish(Error error, Resume how) {
  error_ = std::move(error);
  end(how);
}

}  // namespace tandem
