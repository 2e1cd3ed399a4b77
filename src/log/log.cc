// Mechanism. Blocks have one size and follow each other without a gap, so the block of an offset is
// found by division. A reader keeps a reference to one block, the one it reads, and comes back for
// the next one under the lock, once a block. Blocks do not own their successors: a reader that
// stands still pins one block of memory once it is lost.
//
// Publication: an append stores first the log's end, then how far each touched block is filled. A
// reader trusts the block's own mark (a reset may give end_ any value while a reader still looks at
// a block of the former history), and having seen the mark it also sees the end, so a place is
// never beyond the end.
#include "log/log.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace tandem {

struct Log::Block {
  Block(uint64_t start_offset, uint32_t bytes)
      : start(start_offset), data(std::make_unique_for_overwrite<char[]>(bytes)) {}

  const uint64_t start;
  std::atomic<uint32_t> filled{0};
  int64_t sealed_at_ms = 0;  // when a trim first found it full; guarded by the log's lock
  const std::unique_ptr<char[]> data;
};

Log::Log(const LogOptions& options, const ReplicationId& id)
    : block_bytes_(options.block_bytes),
      backlog_bytes_(options.backlog_bytes),
      backlog_ms_(options.backlog_ms) {
  CHECK(block_bytes_ > 0 && block_bytes_ <= (1U << 30), "a log block is 1 byte to 1 GiB");
  history_.id = id;
}

Log::~Log() { CHECK(cursors_.empty(), "a log cursor outlived its log"); }

void Log::activate(const ReplicationId& fresh) {
  Guard guard(lock_);
  if (active()) return;
  history_ = LogHistory{.id = fresh, .id2 = {}, .id2_valid_until = 0};
  context_ = kNoContext;
  active_.store(true, std::memory_order_relaxed);
}

void Log::deactivate() {
  BlockList freed;
  Guard guard(lock_);
  active_.store(false, std::memory_order_relaxed);
  freed = drop_all();
}

uint64_t Log::append(Bytes record, uint32_t context, Bytes context_prefix) {
  if (!active()) return end();
  BlockList freed;  // declared before the guard: memory goes back after the lock is free
  Guard guard(lock_);
  const size_t blocks_before = blocks_.size();
  if (context != context_) {
    write(context_prefix);
    context_ = context;
  }
  write(record);
  const uint64_t result = publish();
  if (blocks_.size() != blocks_before) freed = collect();
  return result;
}

uint64_t Log::append_verbatim(Bytes bytes) {
  if (!active()) return end();
  BlockList freed;
  Guard guard(lock_);
  const size_t blocks_before = blocks_.size();
  write(bytes);
  const uint64_t result = publish();
  if (blocks_.size() != blocks_before) freed = collect();
  return result;
}

void Log::forget_context() { set_context(kNoContext); }

void Log::set_context(uint32_t context) {
  Guard guard(lock_);
  context_ = context;
}

uint32_t Log::context() const {
  Guard guard(lock_);
  return context_;
}

void Log::write(Bytes bytes) {
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

void Log::add_block() { blocks_.push_back(std::make_shared<Block>(written_, block_bytes_)); }

uint64_t Log::publish() {
  const uint64_t before = end_.load(std::memory_order_relaxed);
  if (written_ == before) return written_;
  end_.store(written_, std::memory_order_release);
  for (size_t i = (before - blocks_.front()->start) / block_bytes_; i < blocks_.size(); ++i) {
    const uint64_t filled = std::min<uint64_t>(written_ - blocks_[i]->start, block_bytes_);
    blocks_[i]->filled.store(static_cast<uint32_t>(filled), std::memory_order_release);
  }
  return written_;
}

// Takes out the blocks at the front that neither the backlog nor a cursor wants. The caller frees
// them without the lock.
Log::BlockList Log::collect() {
  uint64_t wanted = written_;
  for (Cursor* cursor : cursors_) {
    if (cursor->lost()) continue;
    const uint64_t offset = cursor->offset();
    const uint64_t lag_bytes_max = cursor->lag_bytes_max();
    if (lag_bytes_max != 0 && written_ - offset > lag_bytes_max) {
      cursor->lose();
      continue;
    }
    wanted = std::min(wanted, offset);
  }
  BlockList freed;
  while (blocks_.size() > 1) {
    const Block& front = *blocks_.front();
    const uint64_t front_end = front.start + block_bytes_;
    const bool beyond_bytes = written_ - front_end >= backlog_bytes_;
    const bool beyond_age = backlog_ms_ > 0 && front.sealed_at_ms != 0 &&
                            trimmed_at_ms_ - front.sealed_at_ms >= backlog_ms_;
    if (front_end > wanted || !(beyond_bytes || beyond_age)) break;
    freed.push_back(std::move(blocks_.front()));
    blocks_.pop_front();
  }
  return freed;
}

Log::BlockList Log::drop_all() {
  for (Cursor* cursor : cursors_) cursor->lose();
  BlockList freed(std::make_move_iterator(blocks_.begin()), std::make_move_iterator(blocks_.end()));
  blocks_.clear();
  return freed;
}

uint64_t Log::first_held() const { return blocks_.empty() ? written_ : blocks_.front()->start; }

LogWindow Log::window() const {
  Guard guard(lock_);
  return {.first = first_held(), .end = written_};
}

LogHistory Log::history() const {
  Guard guard(lock_);
  return history_;
}

Position Log::position() const {
  Guard guard(lock_);
  return {.id = history_.id, .offset = written_};
}

void Log::adopt_id(const ReplicationId& fresh) {
  Guard guard(lock_);
  history_ = LogHistory{.id = fresh, .id2 = history_.id, .id2_valid_until = written_};
}

void Log::set_second_id(const ReplicationId& id2, uint64_t valid_until) {
  Guard guard(lock_);
  history_.id2 = id2;
  history_.id2_valid_until = valid_until;
}

void Log::reset(const Position& position) {
  BlockList freed;
  Guard guard(lock_);
  freed = drop_all();
  history_ = LogHistory{.id = position.id, .id2 = {}, .id2_valid_until = 0};
  context_ = kNoContext;
  written_ = position.offset;
  end_.store(position.offset, std::memory_order_release);
  active_.store(true, std::memory_order_relaxed);
}

Result<std::unique_ptr<Log::Cursor>> Log::open(std::string name, uint64_t offset,
                                               uint64_t lag_bytes_max) {
  Guard guard(lock_);
  if (offset < first_held() || offset > written_) {
    return fail(ErrorCode::kLimit, "the offset is outside what the log holds");
  }
  return register_cursor(std::move(name), offset, lag_bytes_max);
}

std::unique_ptr<Log::Cursor> Log::open_at_end(std::string name, uint64_t lag_bytes_max) {
  Guard guard(lock_);
  return register_cursor(std::move(name), written_, lag_bytes_max);
}

std::unique_ptr<Log::Cursor> Log::register_cursor(std::string name, uint64_t offset,
                                                  uint64_t lag_bytes_max) {
  auto cursor = std::make_unique<Cursor>(Key{}, *this, std::move(name), offset, lag_bytes_max);
  cursors_.push_back(cursor.get());
  return cursor;
}

std::vector<LogCursorInfo> Log::cursors() const {
  Guard guard(lock_);
  std::vector<LogCursorInfo> result;
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

void Log::set_retention(uint64_t backlog_bytes, int64_t backlog_ms) {
  BlockList freed;
  Guard guard(lock_);
  backlog_bytes_ = backlog_bytes;
  backlog_ms_ = backlog_ms;
  freed = collect();
}

void Log::trim(int64_t monotonic_ms) {
  BlockList freed;
  Guard guard(lock_);
  trimmed_at_ms_ = monotonic_ms;
  // Full blocks that no trim has seen yet are at the end, before the one being written.
  for (size_t i = blocks_.size(); i-- > 0;) {
    Block& block = *blocks_[i];
    if (written_ - block.start < block_bytes_) continue;
    if (block.sealed_at_ms != 0) break;
    block.sealed_at_ms = monotonic_ms;
  }
  freed = collect();
}

Log::Cursor::Cursor(Key /*key*/, Log& log, std::string name, uint64_t offset,
                    uint64_t lag_bytes_max)
    : log_(log), name_(std::move(name)), lag_bytes_max_(lag_bytes_max), offset_(offset) {}

Log::Cursor::~Cursor() {
  Guard guard(log_.lock_);
  std::erase(log_.cursors_, this);
}

Result<Bytes> Log::Cursor::peek() {
  if (lost()) {
    block_.reset();
    return fail(ErrorCode::kLimit, "the log no longer holds this reader's place");
  }
  const uint64_t offset = offset_.load(std::memory_order_relaxed);
  if (!block_ || offset - block_->start == log_.block_bytes_) {
    Guard guard(log_.lock_);
    if (lost()) return fail(ErrorCode::kLimit, "the log no longer holds this reader's place");
    if (offset == log_.written_) return Bytes{};
    const size_t index = (offset - log_.blocks_.front()->start) / log_.block_bytes_;
    block_ = log_.blocks_[index];
  }
  const uint64_t start = offset - block_->start;
  const uint32_t filled = block_->filled.load(std::memory_order_acquire);
  return Bytes(block_->data.get() + start, filled - start);
}

void Log::Cursor::advance(size_t count) {
  offset_.store(offset_.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

void Log::Cursor::set_lag_bytes_max(uint64_t bytes) {
  lag_bytes_max_.store(bytes, std::memory_order_relaxed);
  if (bytes != 0 && lag_bytes() > bytes) lose();
}

uint64_t Log::Cursor::lag_bytes() const {
  const uint64_t at = offset();
  const uint64_t end = log_.end();
  return end > at ? end - at : 0;
}

}  // namespace tandem
