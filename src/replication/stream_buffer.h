// What has come of a primary's stream and is not applied yet. The socket writes behind it, and what
// is applied goes off its front:
//
//   room(), add()  ->  bytes()  ->  lend(), room_beside(), add(), take_back()  ->  take()
//
// The bytes of a batch are lent while it is applied: they lie where they are, and whatever comes
// behind them may be read meanwhile, and be moved to the buffer's beginning when its end is near.
// So a stream that comes without a pause is read and cut without one.
//
// The view that bytes() gives holds until room(), room_beside() or take(). What a long command
// needed is given back behind it. Confined to the link's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace tandem {

class StreamBuffer {
 public:
  // Some batches of commands (engine/stream_batch.h).
  static constexpr size_t kBytesUsual = size_t{1} << 20;
  static constexpr size_t kRoomMin = size_t{64} << 10;

  // But for those that are lent.
  Bytes bytes() const { return {data_.get() + begin_, size()}; }
  size_t size() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }

  // Where the next bytes go: kRoomMin at least. Moves what is there. REQUIRES: nothing is lent.
  std::span<char> room();
  // The same, perhaps none, also while bytes are lent: those do not move.
  std::span<char> room_beside();
  // So many bytes were put into the room.
  void add(size_t count) { end_ += count; }

  // The first `count` bytes are somebody else's until take_back(). Then they are gone.
  void lend(size_t count);
  void take_back();
  // So many bytes are applied. REQUIRES: nothing is lent.
  void take(size_t count);
  // Lets go of everything.
  void clear();

 private:
  static constexpr size_t kNowhere = SIZE_MAX;

  std::span<char> room_behind();
  void move_to(size_t capacity);

  std::unique_ptr<char[]> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t lent_ = kNowhere;  // where those that are lent begin: right before begin_, or behind end_
};

}  // namespace tandem
