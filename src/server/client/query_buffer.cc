#include "server/client/query_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tandem {
namespace {

constexpr size_t kBytesInitial = 2 * 1024;
constexpr size_t kBytesUsual = 16 * 1024;  // what a busy client gets
constexpr size_t kBytesKept = 64 * 1024;   // more is given back behind what needed it

}  // namespace

std::span<char> QueryBuffer::room(bool busy) {
  const size_t wanted = std::max<size_t>(std::min(parser_.bytes_missing(), capacity_), 1);
  const bool too_small = busy && capacity_ < kBytesUsual;
  if (capacity_ == 0) {
    move_to(kBytesInitial);
  } else if (capacity_ - end_ < wanted || too_small) {
    // Doubles at most: what a length promises is only believed as far as bytes have come.
    move_to(std::max(capacity_ * 2, kBytesUsual));
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void QueryBuffer::move_to(size_t capacity) {
  // A request's arguments are where its bytes were; what has come of the next one is known by
  // offsets.
  if (parsed_ == ParseStatus::kRequest) postpone();
  auto moved = std::make_unique_for_overwrite<char[]>(capacity);
  const size_t bytes = end_ - begin_;
  if (bytes != 0) std::memcpy(moved.get(), buffer_.get() + begin_, bytes);
  begin_ = 0;
  end_ = bytes;
  buffer_ = std::move(moved);
  capacity_ = capacity;
}

ParseStatus QueryBuffer::parse(const RequestLimits& limits) {
  if (parsed_ == ParseStatus::kNeedMore) {
    parser_.set_limits(limits);
    parsed_ = parser_.next(unread());
  }
  return parsed_;
}

void QueryBuffer::consume() {
  begin_ += parser_.raw().size();
  parsed_ = ParseStatus::kNeedMore;
}

void QueryBuffer::postpone() {
  parser_.reset();
  parsed_ = ParseStatus::kNeedMore;
}

void QueryBuffer::tidy() {
  const size_t bytes = end_ - begin_;
  if (begin_ == 0) return;
  if (capacity_ > kBytesKept && bytes <= capacity_ / 4) {
    return move_to(std::max(bytes * 2, kBytesUsual));
  }
  if (parsed_ == ParseStatus::kRequest) postpone();
  std::memmove(buffer_.get(), buffer_.get() + begin_, bytes);
  begin_ = 0;
  end_ = bytes;
}

void QueryBuffer::rest() {
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  capacity_ = 0;
  buffer_.reset();
}

}  // namespace tandem
