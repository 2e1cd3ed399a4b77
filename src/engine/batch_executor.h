// Executes batches of a primary's stream (engine/stream_batch.h), by several threads where that is
// worth it, so that all others see a batch as a whole or not at all:
//
//   take      the stripes of all its keys
//   judge     the role, the pauses, the end of the log, and who waits for a key: under them
//   append    the primary's bytes, as one piece
//   apply     lane by lane; helpers and the caller take the next lane each
//   let go    of all stripes, to who waited for them
//
// Nobody can tell that the bytes are in the log a moment before the data are there: whoever looks
// at what the batch changes waits for its end. The log's end never moves into a batch. So a reader
// of any keys, one by one or together, sees the data of one place in the stream, and never of an
// earlier one afterwards: whoever has seen what a batch changed comes to its other keys when it is
// over.
//
// Threads: belongs to the thread of the link. Its counters may be read by any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/crew.h"
#include "base/function_ref.h"
#include "base/random.h"
#include "engine/announcer.h"
#include "engine/command_stats.h"
#include "engine/engine.h"
#include "engine/key_locks.h"
#include "engine/stream_batch.h"
#include "resp/reply_writer.h"

namespace tandem {

// A command that failed. Which, and the answer.
struct BatchFailure {
  size_t at;
  std::string reply;
};

// What one thread needs to execute its share of a batch.
class BatchHand {
 public:
  BatchHand(Engine& engine, uint64_t random_seed);

  void begin(const StreamBatch& batch, const StripeSet& held, int64_t now_ms);
  void execute_all();
  void execute_lane(std::span<const uint16_t> lane);
  // Clients that cache what has changed are told, under the stripes.
  void tell() { announcer_.tell(); }
  // REQUIRES: no stripe held.
  void end();

  // Since begin().
  const KeyAccess::Counters& keys() { return access_.counters(); }
  std::span<const BatchFailure> failures() const { return failures_; }

 private:
  void execute(size_t at);
  template <class At>
  void execute_range(size_t count, At at, bool is_near);
  // A step of the lookups of a command's keys (data/hash_table.h).
  void look_ahead(size_t at, int step) const;

  Engine& engine_;
  Random random_;
  const StreamBatch* batch_ = nullptr;
  Effects effects_;
  KeyAccess access_;
  Announcer announcer_;
  std::string reply_text_;
  ReplyWriter reply_{reply_text_};
  std::vector<BatchFailure> failures_;
};

class BatchExecutor {
 public:
  // Batches that take longer than it takes to wake a thread are shared.
  static constexpr size_t kSharedCommandsMin = 200;

  // `counters`: of the stream. `crew` outlives this; null: nobody helps.
  BatchExecutor(Engine& engine, ExecutorCounters& counters, Crew* crew, uint64_t random_seed);

  // How many commands the next batch is to have: whoever reads what it changes waits for its end,
  // so it is to take about kHoldUs, as the last ones went.
  size_t commands_max() const;
  static constexpr int64_t kHoldUs = 200;
  static constexpr size_t kCommandsMin = 256;  // what a batch costs by itself is little beside that
  // Whether batches may be applied: this is a replica of this generation, nothing holds the stream
  // back, and nobody wants to see each command (MONITOR, SLOWLOG with a low threshold) or to hear
  // of keys in the stream's order (notify-keyspace-events). Stable while stripes are held; before,
  // a hint that spares the work.
  bool may_apply(uint64_t role_generation) const;
  // What can be done before apply(), beside the batch before.
  void prepare(StreamBatch& batch) const;
  // Applies a batch, or as much of it as nobody waits for; says so by taking the rest off. Nothing
  // of it is left, and nothing has happened, where it may not be applied now: then its commands are
  // to be executed one by one, which finds out why. `meanwhile` is called, once, while helpers are
  // at work, or not at all.
  void apply(StreamBatch& batch, uint64_t role_generation, FunctionRef<void()> meanwhile);

  // Whether several threads were to apply the last batch.
  bool shared() const { return shared_; }
  // Of the last batch, in the order of the stream.
  std::span<const BatchFailure> failures() const { return failures_; }

 private:
  void append(const StreamBatch& batch);
  void execute(StreamBatch& batch, FunctionRef<void()> meanwhile);
  bool is_large(const StreamBatch& batch) const;
  void end_hands(size_t used);
  void account(const StreamBatch& batch, int64_t duration_us);
  void learn_pace(size_t commands, int64_t duration_us);

  Engine& engine_;
  ExecutorCounters& counters_;
  Crew* const crew_;
  KeyLocks locks_;
  std::vector<std::unique_ptr<BatchHand>> hands_;  // the caller's, then the helpers'
  bool shared_ = false;
  int64_t command_ns_ = 0;  // about so long one takes
  std::vector<BatchFailure> failures_;
  std::vector<uint32_t> calls_;  // by Command::id; all 0 between batches
  std::vector<size_t> met_;      // the ids of a batch's commands
};

}  // namespace tandem
