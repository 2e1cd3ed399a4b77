#include "engine/rdb_encoders.h"

#include <limits>
#include <utility>

#include "base/bytes.h"

namespace tandem {
namespace {

// Batches of one thread: one that it is at, and one so that it need not wait for the next.
constexpr size_t kBatchesPerThread = 2;

}  // namespace

RdbEncoders::~RdbEncoders() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  work_.notify_all();
  for (Thread& thread : threads_) thread.join();
}

bool RdbEncoders::has_room() {
  const std::lock_guard guard(lock_);
  return waiting_.size() + under_way_ < kBatchesPerThread * threads_max_;
}

void RdbEncoders::add(Batch batch) {
  {
    const std::lock_guard guard(lock_);
    waiting_.push_back(std::move(batch));
  }
  work_.notify_one();
  if (threads_.size() == threads_max_) return;
  // A thread that cannot be had is no loss: what it would do, the walker does.
  auto thread = Thread::start("rdb-encoder", [this] { run(); });
  if (thread) threads_.push_back(std::move(*thread));
}

std::optional<RdbEncoders::Batch> RdbEncoders::take_encoded() {
  const std::lock_guard guard(lock_);
  if (encoded_.empty()) return std::nullopt;
  Batch batch = std::move(encoded_.front());
  encoded_.pop_front();
  return batch;
}

std::optional<RdbEncoders::Batch> RdbEncoders::take_waiting() {
  const std::lock_guard guard(lock_);
  if (waiting_.empty()) return std::nullopt;
  Batch batch = std::move(waiting_.front());
  waiting_.pop_front();
  return batch;
}

bool RdbEncoders::wait() {
  std::unique_lock guard(lock_);
  done_.wait(guard, [this] { return !encoded_.empty() || under_way_ == 0; });
  return !encoded_.empty();
}

// Hands in what it has encoded and takes the next; false: the end.
bool RdbEncoders::next(std::optional<Batch>& batch) {
  std::unique_lock guard(lock_);
  if (batch) {
    encoded_.push_back(std::move(*batch));
    --under_way_;
    done_.notify_one();
    batch.reset();
  }
  work_.wait(guard, [this] { return ending_ || !waiting_.empty(); });
  if (ending_) return false;
  batch = std::move(waiting_.front());
  waiting_.pop_front();
  ++under_way_;
  return true;
}

void RdbEncoders::run() {
  give_way_to_others();
  RdbPacking packing;
  for (std::optional<Batch> batch; next(batch);) {
    StringSink sink(batch->encoded);
    batch->capture.encode(sink, &packing, std::numeric_limits<size_t>::max());
  }
}

}  // namespace tandem
