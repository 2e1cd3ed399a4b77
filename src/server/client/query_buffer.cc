// The second argument is the first key of nearly every command that has keys; no command is
// resolved here. A table may change under another worker's hands, so each step holds the stripe,
// and skips the key if it is not free.
#include "server/client/query_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tandem {

template <class Prefetch>
void Lookahead::for_each_table(Prefetch prefetch) {
  for (size_t at = 0; at < count_; ++at) {
    const auto& [database, place] = targets_[at];
    StripeLock& stripe = keyspace_.stripe(place.stripe());
    if (!stripe.try_lock()) continue;
    if (DatabaseTables* tables = keyspace_.tables(database)) {
      prefetch(tables->partition(place.partition), place.hash);
    }
    stripe.unlock();
  }
}

void Lookahead::add(int database, Bytes key) {
  if (key.empty() || key.size() > kKeyBytesMax) return;
  if (count_ == targets_.size()) fetch();
  const KeyPlace place = keyspace_.place(key);
  targets_[count_++] = {database, place};
  keyspace_.interest().prefetch(place.hash);
  // Only its address counts here, so it needs no lock, and may be gone.
  if (DatabaseTables* tables = keyspace_.tables(database)) {
    __builtin_prefetch(&tables->partition(place.partition));
  }
}

void Lookahead::fetch() {
  if (count_ > 1) {  // one alone has nothing to overlap with
    for_each_table([](const PartitionTable& table, uint64_t) { table.prefetch_directory(); });
    for_each_table([](const PartitionTable& table, uint64_t hash) { table.prefetch(hash); });
    for_each_table([](const PartitionTable& table, uint64_t hash) { table.prefetch_entry(hash); });
  }
  count_ = 0;
}

int Lookahead::prepare(int database, Bytes pipeline) {
  int requests = 0;
  for (; requests < kRequestsMax; ++requests) {
    const std::optional<Bytes> key = skip_request(pipeline);
    if (!key) break;
    add(database, *key);
  }
  fetch();
  return requests;
}

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
