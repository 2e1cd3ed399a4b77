// Mechanism. Blocks have one size and follow each other without a gap, so the block of an offset is
// found by division. A reader keeps a reference to one block, the one it reads, and comes back for
// the next one under the lock, once a block. Blocks do not own their successors: a reader that
// stands still pins one block of memory once it is lost.
//
// Publication: a publish stores first the end, then how far each touched block is filled. A reader
// trusts the block's own mark (a restart may give end_ any value while a reader still looks at a
// block from before), and having seen the mark it also sees the end, so a place is never beyond the
// end.
//
// Bells: a reader asks to be rung for under the lock, and only when it has read everything that was
// written by then. So no byte can come between its last look and its asking unseen: whoever writes
// it takes the lock later and finds the wish.
#include "log/shared_blocks.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace tandem {

struct SharedBlocks::Block {
  Block(uint64_t start_offset, uint32_t bytes)
      : start(start_offset), data(std::make_unique_for_overwrite<char[]>(bytes)) {}

  const uint64_t start;
  std::atomic<uint32_t> filled{0};
  int64_t sealed_at_ms = 0;  // when a trim first found it full; guarded by the lock
  const std::unique_ptr<char[]> data;
};

SharedBlocks::SharedBlocks(uint32_t block_bytes, const Retention& retention)
    : block_bytes_(block_bytes), retained_bytes_(retention.bytes), retention_(retention) {
  CHECK(block_bytes_ > 0 && block_bytes_ <= (1U << 30), "a block is 1 byte to 1 GiB");
}

SharedBlocks::~SharedBlocks() { CHECK(cursors_.empty(), "a cursor outlived its blocks"); }

void SharedBlocks::write(Bytes bytes) {
  while (!bytes.empty()) {
    if (blocks_.empty() || written_ - blocks_.back()->start == block_bytes_) add_block();
    Block& block = *blocks_.back();
    const uint64_t used = written_ - block.start;
    const size_t count = std::min<uint64_t>(bytes.size(), block_bytes_ - used);
    std::memcpy(block.data.get() + used, bytes.data(), count);
    written_ += count;
    bytes.remove_prefix(count);
  }
}

void SharedBlocks::add_block() {
  blocks_.push_back(std::make_shared<Block>(written_, block_bytes_));
  block_count_.store(blocks_.size(), std::memory_order_relaxed);
  block_added_ = true;
}

SharedBlocks::Freed SharedBlocks::publish() {
  const uint64_t before = end_.load(std::memory_order_relaxed);
  if (written_ == before) return {};
  end_.store(written_, std::memory_order_release);
  // From the last block back to the first that was touched, which most often is the same.
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    const uint64_t filled = std::min<uint64_t>(written_ - (*block)->start, block_bytes_);
    (*block)->filled.store(static_cast<uint32_t>(filled), std::memory_order_release);
    if ((*block)->start <= before) break;
  }
  if (written_ >= ring_at_.load(std::memory_order_relaxed)) ring_due();
  if (!std::exchange(block_added_, false)) return {};
  return collect();
}

// Takes out the blocks at the front that neither the retention nor a cursor wants. The caller frees
// them without the lock.
SharedBlocks::Freed SharedBlocks::collect() {
  uint64_t wanted = written_;
  for (Cursor* cursor : cursors_) {
    if (cursor->lost()) continue;
    const uint64_t offset = cursor->offset();
    const uint64_t lag_bytes_max = cursor->lag_bytes_max();
    if (lag_bytes_max != 0 && written_ - offset > lag_bytes_max) {
      cursor->lose();
      ring(*cursor);
      continue;
    }
    wanted = std::min(wanted, offset);
  }
  Freed freed;
  while (blocks_.size() > 1) {
    const Block& front = *blocks_.front();
    const uint64_t front_end = front.start + block_bytes_;
    const bool beyond_bytes = written_ - front_end >= retention_.bytes;
    const bool beyond_age = retention_.age_ms > 0 && front.sealed_at_ms != 0 &&
                            trimmed_at_ms_ - front.sealed_at_ms >= retention_.age_ms;
    if (front_end > wanted || !(beyond_bytes || beyond_age)) break;
    freed.push_back(std::move(blocks_.front()));
    blocks_.pop_front();
  }
  block_count_.store(blocks_.size(), std::memory_order_relaxed);
  return freed;
}

SharedBlocks::Freed SharedBlocks::drop_all() {
  for (Cursor* cursor : cursors_) {
    cursor->lose();
    ring(*cursor);
  }
  ring_at_.store(kNobody, std::memory_order_relaxed);
  Freed freed(std::make_move_iterator(blocks_.begin()), std::make_move_iterator(blocks_.end()));
  blocks_.clear();
  block_count_.store(0, std::memory_order_relaxed);
  return freed;
}

SharedBlocks::Freed SharedBlocks::restart(uint64_t offset) {
  Freed freed = drop_all();
  written_ = offset;
  end_.store(offset, std::memory_order_release);
  return freed;
}

SharedBlocks::Freed SharedBlocks::set_retention(const Retention& retention) {
  retention_ = retention;
  retained_bytes_.store(retention.bytes, std::memory_order_relaxed);
  return collect();
}

SharedBlocks::Freed SharedBlocks::trim(int64_t monotonic_ms) {
  trimmed_at_ms_ = monotonic_ms;
  // Full blocks that no trim has seen yet are at the end, before the one being written.
  for (size_t i = blocks_.size(); i-- > 0;) {
    Block& block = *blocks_[i];
    if (written_ - block.start < block_bytes_) continue;
    if (block.sealed_at_ms != 0) break;
    block.sealed_at_ms = monotonic_ms;
  }
  return collect();
}

uint64_t SharedBlocks::first_held() const {
  return blocks_.empty() ? written_ : blocks_.front()->start;
}

std::unique_ptr<SharedBlocks::Cursor> SharedBlocks::open(std::string name, uint64_t offset,
                                                         uint64_t lag_bytes_max, Bell bell) {
  CHECK(offset >= first_held() && offset <= written_, "a cursor starts at a byte that is held");
  std::unique_ptr<Cursor> cursor(
      new Cursor(*this, std::move(name), offset, lag_bytes_max, std::move(bell)));
  cursors_.push_back(cursor.get());
  return cursor;
}

std::vector<SharedBlocks::CursorInfo> SharedBlocks::cursors() const {
  std::vector<CursorInfo> result;
  result.reserve(cursors_.size());
  for (const Cursor* cursor : cursors_) {
    const uint64_t offset = cursor->offset();
    result.push_back({.name = cursor->name(),
                      .offset = offset,
                      .lag_bytes = cursor->lag_bytes(),
                      .lost = cursor->lost()});
  }
  return result;
}

void SharedBlocks::ring_due() {
  uint64_t next = kNobody;
  for (Cursor* cursor : cursors_) {
    if (cursor->ring_at_ <= written_) ring(*cursor);
    next = std::min(next, cursor->ring_at_);
  }
  ring_at_.store(next, std::memory_order_relaxed);
}

void SharedBlocks::ring(Cursor& cursor) {
  if (std::exchange(cursor.ring_at_, kNobody) != kNobody && cursor.bell_) cursor.bell_();
}

// Who waits at the end with nothing to read goes on waiting.
void SharedBlocks::ring_all() {
  Guard guard(lock);
  uint64_t next = kNobody;
  for (Cursor* cursor : cursors_) {
    if (cursor->offset() < written_) ring(*cursor);
    next = std::min(next, cursor->ring_at_);
  }
  ring_at_.store(next, std::memory_order_relaxed);
}

SharedBlocks::Cursor::Cursor(SharedBlocks& blocks, std::string name, uint64_t offset,
                             uint64_t lag_bytes_max, Bell bell)
    : blocks_(blocks),
      name_(std::move(name)),
      bell_(std::move(bell)),
      lag_bytes_max_(lag_bytes_max),
      offset_(offset) {}

SharedBlocks::Cursor::~Cursor() {
  Guard guard(blocks_.lock);
  std::erase(blocks_.cursors_, this);
}

Result<Bytes> SharedBlocks::Cursor::peek() {
  if (lost()) {
    block_.reset();
    return fail(ErrorCode::kLimit, "the log no longer holds this reader's place");
  }
  const uint64_t offset = offset_.load(std::memory_order_relaxed);
  if (!block_ || offset - block_->start == blocks_.block_bytes_) {
    Guard guard(blocks_.lock);
    if (lost()) return fail(ErrorCode::kLimit, "the log no longer holds this reader's place");
    if (offset == blocks_.written_) return Bytes{};
    const size_t index = (offset - blocks_.blocks_.front()->start) / blocks_.block_bytes_;
    block_ = blocks_.blocks_[index];
  }
  const uint64_t start = offset - block_->start;
  const uint32_t filled = block_->filled.load(std::memory_order_acquire);
  return Bytes(block_->data.get() + start, filled - start);
}

void SharedBlocks::Cursor::advance(size_t count) {
  offset_.store(offset_.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

bool SharedBlocks::Cursor::ring_behind(uint64_t bytes) {
  Guard guard(blocks_.lock);
  const uint64_t offset = offset_.load(std::memory_order_relaxed);
  if (lost() || offset < blocks_.written_) return false;
  ring_at_ = offset + bytes;
  if (ring_at_ < blocks_.ring_at_.load(std::memory_order_relaxed)) {
    blocks_.ring_at_.store(ring_at_, std::memory_order_relaxed);
  }
  return true;
}

void SharedBlocks::Cursor::set_lag_bytes_max(uint64_t bytes) {
  lag_bytes_max_.store(bytes, std::memory_order_relaxed);
  if (bytes != 0 && lag_bytes() > bytes) lose();
}

uint64_t SharedBlocks::Cursor::lag_bytes() const {
  const uint64_t at = offset();
  const uint64_t end = blocks_.end();
  return end > at ? end - at : 0;
}

}  // namespace tandem
