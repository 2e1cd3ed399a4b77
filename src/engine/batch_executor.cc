// Mechanism: all stripes of a batch are held by the thread of the link; the helpers work under its
// hold. Their pieces of the keyspace are disjoint, since a lane is a group of stripes, and what
// they write becomes the caller's with the end of Crew::share().
#include "engine/batch_executor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/context.h"

namespace tandem {
namespace {

// A command that is reported for taking so little has to be timed alone.
constexpr int64_t kBriefUsMax = 1000;
// Of a reply only an error is read, and long ones need not be built.
constexpr size_t kReplyBytesMax = 1024;
// Each step of a lookup is a likely cache miss (data/hash_table.h), so it is taken for this many
// commands before the next one is: as many misses as a processor has under way, and some.
constexpr size_t kTogether = 32;
// Of fewer stripes there is no fair share.
constexpr int kSharedStripesMin = 2;

}  // namespace

BatchHand::BatchHand(Engine& engine, uint64_t random_seed)
    : engine_(engine),
      random_(random_seed),
      access_(engine.keyspace, engine.limits, effects_),
      announcer_(engine) {}

void BatchHand::begin(const StreamBatch& batch, const StripeSet& held, int64_t now_ms) {
  batch_ = &batch;
  failures_.clear();
  effects_.begin(false);  // the primary has stated them
  access_.begin(now_ms, ExpiryMode::kIgnore, {}, held);
  access_.listen(announcer_.begin(Tracking::kNobody));
}

void BatchHand::look_ahead(size_t at, int step) const {
  const StreamBatch::Item& item = batch_->items()[at];
  DatabaseTables* tables = engine_.keyspace.tables(item.database);
  if (tables == nullptr) return;
  for (const DeclaredKey& key : batch_->keys(item)) {
    tables->partition(key.place.partition).prefetch_step(step, key.place.hash);
  }
}

template <class At>
void BatchHand::execute_range(size_t count, At at, bool is_near) {
  for (size_t first = 0; first < count; first += kTogether) {
    const size_t end = std::min(count, first + kTogether);
    for (int step = is_near ? StreamBatch::kFetchSteps : 0; step < StreamBatch::kFetchSteps;
         ++step) {
      for (size_t i = first; i < end; ++i) batch_->prefetch_step(step, at(i));
    }
    for (int step = 0; step < PartitionTable::kLookupSteps; ++step) {
      for (size_t i = first; i < end; ++i) look_ahead(at(i), step);
    }
    for (size_t i = first; i < end; ++i) execute(at(i));
    access_.free_garbage();
  }
}

void BatchHand::execute_all() {
  execute_range(batch_->size(), [](size_t i) { return i; }, true);
}

void BatchHand::execute_lane(std::span<const uint16_t> lane) {
  execute_range(lane.size(), [lane](size_t i) { return size_t{lane[i]}; }, false);
}

void BatchHand::execute(size_t at) {
  const StreamBatch::Item& item = batch_->items()[at];
  if (item.key_count == 0) return;
  access_.declare(batch_->keys(item));
  reply_text_.clear();
  reply_.set_bound(kReplyBytesMax);
  const uint64_t errors = reply_.errors();
  View view(access_, item.database);
  Context context{.command = *item.command,
                  .args = batch_->arguments(item),
                  .keys = view,
                  .reply = reply_,
                  .random = random_,
                  .now_ms = access_.now_ms(),
                  .from_primary = true};
  item.command->row.handler(context);
  if (reply_.errors() != errors) [[unlikely]]
    failures_.push_back({at, reply_text_});
}

void BatchHand::end() {
  DCHECK(!access_.has_outcome(), "nobody waits for what a batch changes");
  access_.free_garbage();
  if (!access_.large_garbage().empty()) [[unlikely]] {
    engine_.discard(std::exchange(access_.large_garbage(), Garbage()));
  }
}

BatchExecutor::BatchExecutor(Engine& engine, ExecutorCounters& counters, Crew* crew,
                             uint64_t random_seed)
    : engine_(engine),
      counters_(counters),
      crew_(crew),
      locks_(engine.keyspace),
      calls_(engine.registry.id_count()) {
  const int hands = 1 + (crew_ == nullptr ? 0 : crew_->helpers_max());
  for (int i = 0; i < hands; ++i) {
    hands_.push_back(std::make_unique<BatchHand>(engine, random_seed + static_cast<uint64_t>(i)));
  }
}

void BatchExecutor::apply(StreamBatch& batch, uint64_t role_generation,
                          FunctionRef<void()> meanwhile) {
  failures_.clear();
  locks_.take_behind_others(batch.stripes(), Lock::Purpose::kStream);
  if (may_apply(role_generation)) {
    batch.drop_waited_for();
  } else {
    batch.drop_all();
  }
  if (batch.empty()) return locks_.release();
  const int64_t started_us = engine_.clock.monotonic_us();
  execute(batch, meanwhile);
  locks_.release_to_others(Lock::Purpose::kStream);
  const int64_t duration_us = engine_.clock.monotonic_us() - started_us;
  learn_pace(batch.size(), duration_us);
  account(batch, duration_us);
}

size_t BatchExecutor::commands_max() const {
  const auto commands = static_cast<size_t>(kHoldUs * 1000 / std::max<int64_t>(command_ns_, 1));
  return std::clamp(commands, kCommandsMin, StreamBatch::kCommandsMax);
}

// A batch of a few commands tells nothing. One that was interrupted does, but the next ones take
// its word back.
void BatchExecutor::learn_pace(size_t commands, int64_t duration_us) {
  if (commands < kCommandsMin / 2) return;
  constexpr int64_t kRemembered = 8;
  const int64_t last_ns = duration_us * 1000 / static_cast<int64_t>(commands);
  command_ns_ += (last_ns - command_ns_) / kRemembered;
}

// Once the stripes are held none of it can change: whoever changes it takes all stripes afterwards.
// (MONITOR and SLOWLOG do not: they begin with some batch or other.)
bool BatchExecutor::may_apply(uint64_t role_generation) const {
  const int64_t slow_us = engine_.slow_command_us.load(std::memory_order_relaxed);
  if (slow_us >= 0 && slow_us < kBriefUsMax) return false;
  if (engine_.event_choice.get().tells_any()) return false;
  constexpr uint32_t kOneByOne = Gate::kPausedAll | Gate::kPausedWrites | Gate::kMonitored;
  return engine_.is_replica_since(role_generation) && !engine_.journal.closed() &&
         (engine_.gate.bits() & kOneByOne) == 0;
}

void BatchExecutor::append(const StreamBatch& batch) {
  engine_.journal.append_stream(locks_, batch.bytes(), batch.database());
}

void BatchExecutor::execute(StreamBatch& batch, FunctionRef<void()> meanwhile) {
  const int64_t now_ms = engine_.clock.unix_ms();
  prepare(batch);
  // A lane that is nearly all of the batch keeps the others idle.
  shared_ = is_large(batch) && batch.longest_lane() <= batch.size() / 4 * 3;
  if (!shared_) {
    append(batch);
    hands_[0]->begin(batch, locks_.held(), now_ms);
    hands_[0]->execute_all();
    return end_hands(1);
  }
  for (const auto& hand : hands_) hand->begin(batch, locks_.held(), now_ms);
  crew_->share(
      batch.lanes().size(),
      [&](int hand, size_t lane) {
        hands_[static_cast<size_t>(hand)]->execute_lane(batch.lanes()[lane]);
      },
      [&] {
        append(batch);
        meanwhile();
      });
  end_hands(hands_.size());
}

bool BatchExecutor::is_large(const StreamBatch& batch) const {
  return crew_ != nullptr && crew_->is_worth_sharing(batch.size()) &&
         batch.stripes().count() >= kSharedStripesMin;
}

void BatchExecutor::prepare(StreamBatch& batch) const {
  if (is_large(batch)) batch.sort_into_lanes();
}

void BatchExecutor::end_hands(size_t used) {
  for (size_t i = 0; i < used; ++i) {
    BatchHand& hand = *hands_[i];
    hand.tell();
    const KeyAccess::Counters& keys = hand.keys();
    counters_.keyspace_hits.add(keys.hits);
    counters_.keyspace_misses.add(keys.misses);
    counters_.changes.add(keys.changes);
    std::ranges::copy(hand.failures(), std::back_inserter(failures_));
  }
  std::ranges::sort(failures_, {}, &BatchFailure::at);
}

// The commands of a batch share its time: each is brief, and no clock is read for it.
void BatchExecutor::account(const StreamBatch& batch, int64_t duration_us) {
  for (size_t i = 0; i < hands_.size(); ++i) hands_[i]->end();
  const auto total = static_cast<int64_t>(batch.size());
  counters_.commands.add(batch.size());
  counters_.command_us.add(static_cast<uint64_t>(duration_us));
  met_.clear();
  for (const StreamBatch::Item& item : batch.items()) {
    const auto id = static_cast<size_t>(item.command->id);
    if (calls_[id]++ == 0) met_.push_back(id);
  }
  int64_t counted = 0;
  for (const size_t id : met_) {
    const uint32_t calls = std::exchange(calls_[id], 0);
    const int64_t before_us = duration_us * counted / total;
    counted += calls;
    CommandCounters& command = counters_.by_command[id];
    command.calls.add(calls);
    command.microseconds.add(static_cast<uint64_t>(duration_us * counted / total - before_us));
    if (engine_.track_latency.load(std::memory_order_relaxed)) {
      command.latency.record(duration_us / total, calls);
    }
  }
  for (const BatchFailure& failure : failures_) {
    const Command& command = *batch.items()[failure.at].command;
    counters_.by_command[static_cast<size_t>(command.id)].failed.add(1);
    if (engine_.observer != nullptr) engine_.observer->error_reply(failure.reply);
  }
}

}  // namespace tandem
