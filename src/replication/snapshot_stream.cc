// Mechanism. A reader begins in memory. When its cursor there is lost it goes on in the file, from
// its own offset: the file begins at or before the place of the slowest reader in memory, for it
// was filled with all that memory held then. Reads of the file are done off the loop, some hundred
// kilobytes at a time; mostly the system still has the bytes in memory.
//
// A file that cannot be written any more is dropped with its readers. Those in memory go on, and
// the walk waits for them again.
#include "replication/snapshot_stream.h"

#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "base/check.h"
#include "base/logging.h"

namespace tandem {

namespace {

constexpr uint32_t kBlockBytes = 64 * 1024;
constexpr size_t kReadBytes = 256 * 1024;

}  // namespace

SnapshotStream::SnapshotStream(Files* files) : files_(files), memory_(kBlockBytes, {}) {}

void SnapshotStream::append(Bytes piece) {
  if (has_file()) {
    const Guard guard(file_lock_);
    if (auto written = file_->append(piece); !written) lose_file(written.error());
  }
  {
    SharedBlocks::Freed freed;
    const Guard guard(memory_.lock);
    memory_.write(piece);
    freed = memory_.publish();
  }
  end_.fetch_add(piece.size(), std::memory_order_release);
}

Result<void> SnapshotStream::begin_file() {
  const Guard guard(file_lock_);
  auto begun = open_file();
  if (begun) begun = copy_memory();
  if (!begun) {
    lose_file(begun.error());
    return begun;
  }
  has_file_.store(true, std::memory_order_release);
  return {};
}

// Without its name at once: a process that is killed leaves nothing in the folder.
Result<void> SnapshotStream::open_file() {
  if (files_ == nullptr) return fail(ErrorCode::kRefused, "there is no place for a file");
  const std::string path = fmt::format("temp-sync-{}.rdb", ::getpid());
  auto file = files_->open(path, OpenMode::kReplace);
  if (!file) return std::unexpected(file.error());
  file_ = std::move(*file);
  return files_->remove(path);
}

Result<void> SnapshotStream::copy_memory() {
  std::unique_ptr<SharedBlocks::Cursor> cursor;
  {
    const Guard guard(memory_.lock);
    cursor = memory_.open("file", memory_.window().first, 0, {});
  }
  file_begins_at_.store(cursor->offset(), std::memory_order_release);
  for (;;) {
    const auto bytes = cursor->peek();
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return {};
    if (auto written = file_->append(*bytes); !written) return written;
    cursor->advance(bytes->size());
  }
}

void SnapshotStream::lose_file(const Error& why) {
  if (files_ != nullptr) log_warning("A snapshot for replicas cannot be put on disk: {}", why.text);
  has_file_.store(false, std::memory_order_release);
  file_.reset();
}

Result<std::string> SnapshotStream::read_file(uint64_t offset) const {
  const uint64_t begin = file_begins_at_.load(std::memory_order_acquire);
  const Guard guard(file_lock_);
  if (file_ == nullptr || offset < begin) {
    return fail(ErrorCode::kLimit, "it fell behind the others, and its snapshot is not on disk");
  }
  std::string part(kReadBytes, '\0');
  const auto count = file_->read_at(offset - begin, part);
  if (!count) return std::unexpected(count.error());
  part.resize(*count);
  return part;
}

SnapshotStream::Reader::Reader(std::shared_ptr<SnapshotStream> stream, std::string name, bool whole)
    : feed_(std::move(stream)), memory_([&]() -> std::unique_ptr<SharedBlocks::Cursor> {
        if (whole) return nullptr;
        const Guard guard(feed_->memory_.lock);
        return feed_->memory_.open(std::move(name), 0, 0, {});
      }()) {}

Task<Result<Bytes>> SnapshotStream::Reader::next(Loop& loop, StopToken stop) {
  if (taken_ < part_.size()) co_return Bytes(part_).substr(taken_);
  if (memory_) {
    auto bytes = memory_->peek();
    if (bytes) co_return *bytes;
  }
  const uint64_t offset = offset_.load(std::memory_order_relaxed);
  if (offset == feed_->end()) co_return Bytes();
  auto read =
      co_await loop.offload([stream = feed_, offset] { return stream->read_file(offset); }, stop);
  if (!read) co_return std::unexpected(read.error());
  if (!*read) co_return std::unexpected(read->error());
  part_ = std::move(**read);
  taken_ = 0;
  co_return Bytes(part_);
}

void SnapshotStream::Reader::advance(size_t count) {
  if (taken_ < part_.size()) {
    taken_ += count;
  } else {
    memory_->advance(count);
  }
  offset_.fetch_add(count, std::memory_order_release);
}

uint64_t SnapshotStream::Reader::lag_in_memory() const {
  return memory_ && !memory_->lost() ? memory_->lag_bytes() : 0;
}

}  // namespace tandem
