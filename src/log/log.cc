#include "log/log.h"

#include <algorithm>
#include <utility>

namespace tandem {

ReplicationId ReplicationId::generate(Random& random) {
  ReplicationId id;
  const std::string digits = random.hex(kLength);
  std::copy_n(digits.begin(), kLength, id.text_.begin());
  return id;
}

std::optional<ReplicationId> ReplicationId::parse(Bytes text) {
  if (text.size() != kLength) return std::nullopt;
  const bool hexadecimal = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
  if (!hexadecimal) return std::nullopt;
  ReplicationId id;
  std::transform(text.begin(), text.end(), id.text_.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return id;
}

// Mechanism: the bytes lie in SharedBlocks; how they are called, and which database their end has
// selected, is guarded by the same lock, so that both are always seen together.
Log::Log(const LogOptions& options, const ReplicationId& id)
    : blocks_(options.block_bytes, {.bytes = options.backlog_bytes, .age_ms = options.backlog_ms}) {
  history_.id = id;
}

Log::~Log() = default;

void Log::activate(const AllStripes& /*all*/, const ReplicationId& fresh) {
  const Guard guard(blocks_.lock);
  if (active()) return;
  history_ = LogHistory{.id = fresh, .id2 = {}, .id2_valid_until = 0};
  selected_ = kNoDatabase;
  active_.store(true, std::memory_order_relaxed);
}

void Log::deactivate(const AllStripes& /*all*/) {
  SharedBlocks::Freed freed;  // declared before the guard: memory goes back after the lock is free
  const Guard guard(blocks_.lock);
  active_.store(false, std::memory_order_relaxed);
  freed = blocks_.drop_all();
}

uint64_t Log::append(Bytes record, uint32_t database, Bytes select_command) {
  if (!active()) return end();
  SharedBlocks::Freed freed;
  const Guard guard(blocks_.lock);
  if (database != selected_) {
    blocks_.write(select_command);
    selected_ = database;
  }
  blocks_.write(record);
  freed = blocks_.publish();
  return blocks_.written();
}

uint64_t Log::append_verbatim(Bytes bytes, std::optional<uint32_t> selected) {
  if (!active()) return end();
  SharedBlocks::Freed freed;
  const Guard guard(blocks_.lock);
  blocks_.write(bytes);
  if (selected) selected_ = *selected;
  freed = blocks_.publish();
  return blocks_.written();
}

void Log::forget_database() { select_database(kNoDatabase); }

void Log::select_database(uint32_t database) {
  const Guard guard(blocks_.lock);
  selected_ = database;
}

uint32_t Log::selected_database() const {
  const Guard guard(blocks_.lock);
  return selected_;
}

LogWindow Log::window() const {
  const Guard guard(blocks_.lock);
  return blocks_.window();
}

LogHistory Log::history() const {
  const Guard guard(blocks_.lock);
  return history_;
}

Position Log::position() const {
  const Guard guard(blocks_.lock);
  return {.id = history_.id, .offset = blocks_.written()};
}

void Log::adopt_id(const AllStripes& /*all*/, const ReplicationId& fresh) {
  const Guard guard(blocks_.lock);
  history_ = LogHistory{.id = fresh, .id2 = history_.id, .id2_valid_until = blocks_.written()};
}

void Log::set_second_id(const ReplicationId& id2, uint64_t valid_until) {
  const Guard guard(blocks_.lock);
  history_.id2 = id2;
  history_.id2_valid_until = valid_until;
}

void Log::reset(const AllStripes& /*all*/, const Position& position) {
  SharedBlocks::Freed freed;
  const Guard guard(blocks_.lock);
  freed = blocks_.restart(position.offset);
  history_ = LogHistory{.id = position.id, .id2 = {}, .id2_valid_until = 0};
  selected_ = kNoDatabase;
  active_.store(true, std::memory_order_relaxed);
}

Result<std::unique_ptr<LogCursor>> Log::open(std::string name, uint64_t offset,
                                             uint64_t lag_bytes_max, Bell bell) {
  const Guard guard(blocks_.lock);
  const LogWindow window = blocks_.window();
  if (offset < window.first || offset > window.end) {
    return fail(ErrorCode::kLimit, "the offset is outside what the log holds");
  }
  return blocks_.open(std::move(name), offset, lag_bytes_max, std::move(bell));
}

std::unique_ptr<LogCursor> Log::open_at_end(std::string name, uint64_t lag_bytes_max, Bell bell) {
  const Guard guard(blocks_.lock);
  return blocks_.open(std::move(name), blocks_.written(), lag_bytes_max, std::move(bell));
}

std::unique_ptr<LogCursor> Log::open_where(std::string name, uint64_t lag_bytes_max, Bell bell,
                                           const Choose& choose) {
  const Guard guard(blocks_.lock);
  const std::optional<uint64_t> offset = choose(history_, blocks_.window());
  if (!offset) return nullptr;
  return blocks_.open(std::move(name), *offset, lag_bytes_max, std::move(bell));
}

std::vector<LogCursorInfo> Log::cursors() const {
  const Guard guard(blocks_.lock);
  return blocks_.cursors();
}

void Log::set_retention(uint64_t backlog_bytes, int64_t backlog_ms) {
  SharedBlocks::Freed freed;
  const Guard guard(blocks_.lock);
  freed = blocks_.set_retention({.bytes = backlog_bytes, .age_ms = backlog_ms});
}

void Log::trim(int64_t monotonic_ms) {
  SharedBlocks::Freed freed;
  const Guard guard(blocks_.lock);
  freed = blocks_.trim(monotonic_ms);
}

}  // namespace tandem
