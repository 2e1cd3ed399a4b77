#include "replication/stream_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace tandem {

std::span<char> StreamBuffer::room() {
  DCHECK(lent_ == kNowhere, "what is lent does not move");
  const size_t wanted = size() + kRoomMin;
  if (wanted <= kBytesUsual && capacity_ != kBytesUsual) {
    move_to(kBytesUsual);
  } else if (capacity_ - end_ < kRoomMin) {
    // Doubles at most: what a length promises is only believed as far as bytes have come.
    move_to(wanted <= capacity_ ? capacity_ : capacity_ * 2);
  }
  return room_behind();
}

std::span<char> StreamBuffer::room_beside() {
  const size_t free_in_front = std::min(begin_, lent_);
  if (capacity_ - end_ < kRoomMin && size() + kRoomMin <= free_in_front) {
    std::memcpy(data_.get(), data_.get() + begin_, size());
    end_ = size();
    begin_ = 0;
  }
  return room_behind();
}

std::span<char> StreamBuffer::room_behind() {
  const size_t limit = begin_ <= lent_ ? std::min(lent_, capacity_) : capacity_;
  return {data_.get() + end_, limit - end_};
}

void StreamBuffer::move_to(size_t capacity) {
  const size_t count = size();
  if (capacity == capacity_) {
    std::memmove(data_.get(), data_.get() + begin_, count);
  } else {
    auto moved = std::make_unique_for_overwrite<char[]>(capacity);
    if (count != 0) std::memcpy(moved.get(), data_.get() + begin_, count);
    data_ = std::move(moved);
    capacity_ = capacity;
  }
  begin_ = 0;
  end_ = count;
}

void StreamBuffer::lend(size_t count) {
  lent_ = begin_;
  begin_ += count;
}

void StreamBuffer::take_back() {
  lent_ = kNowhere;
  take(0);
}

void StreamBuffer::take(size_t count) {
  DCHECK(lent_ == kNowhere, "what is behind them may lie before them");
  begin_ += count;
  if (begin_ == end_) begin_ = end_ = 0;
}

void StreamBuffer::clear() {
  data_.reset();
  capacity_ = begin_ = end_ = 0;
  lent_ = kNowhere;
}

}  // namespace tandem
