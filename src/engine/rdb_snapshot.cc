// Mechanism: two sources make one stream. The walker comes to each chain of the table in turn; a
// writer that is about to change a chain which the walker has not reached captures it first and
// leaves it in pending_. Either way a chain is captured once, as it was at the cut. Captures become
// RDB in any order: one after the other on the walker's thread, where the current one goes straight
// into the stream, or on the helpers', from where it comes back as a text.
// A large collection is not captured under one hold. Its walk (rdb/rdb_writer.h) is kept in
// large_ and goes on step by step, while writers that change the collection leave the old elements
// to the walk. The key may move meanwhile: moved() follows it to its new stripe. If the key goes,
// its entry is kept by the snapshot until the walk is done.
#include "engine/rdb_snapshot.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/version.h"

namespace tandem {
namespace {

// What one hold of a stripe takes: some dozens of microseconds.
constexpr SnapshotWalk::Hold kHold{.chains = 8, .bytes = 32 * 1024};
constexpr size_t kLargeBytesPerHold = 8 * 1024;
// The room that a chain of short values takes.
constexpr size_t kChainBytes = 512;
// So much is worth handing over to a helper.
constexpr size_t kBatchBytes = 64 * 1024;
// What a helper encodes in one go is not larger.
constexpr size_t kHelpedBytesMax = 1024 * 1024;
constexpr int64_t kMsPerSecond = 1000;

RdbPreamble preamble(const Engine& engine) {
  RdbPreamble head;
  head.server_version = std::string(kRedisVersion);
  head.created_s = engine.clock.unix_ms() / kMsPerSecond;
  return head;
}

RdbPreamble::Replication place_in(const Log& log) {
  const Position position = log.position();
  const uint32_t selected = log.selected_database();
  const LogHistory history = log.history();
  return {.selected_database = selected == Log::kNoDatabase ? 0 : static_cast<int32_t>(selected),
          .id = std::string(position.id.text()),
          .offset = static_cast<int64_t>(position.offset),
          .second_id = history.id2.is_none() ? std::string() : std::string(history.id2.text()),
          .second_offset = static_cast<int64_t>(history.id2_valid_until)};
}

FunctionStore::Codes codes_of(const AllStripes& all, const Engine& engine) {
  return engine.functions == nullptr ? FunctionStore::Codes() : engine.functions->codes(all);
}

}  // namespace

RdbSnapshot::Options RdbSnapshot::with_uses(Options options, const Engine& engine) {
  const MemoryPolicy policy = engine.memory.options().policy.get();
  options.format.uses = {.told = goes_by_recency(policy)     ? RdbUses::Told::kIdleTime
                                 : goes_by_frequency(policy) ? RdbUses::Told::kFrequency
                                                             : RdbUses::Told::kNothing,
                         .now_s = engine.clock.unix_ms() / kMsPerSecond,
                         .decay_minutes = engine.memory.options().frequency_decay_minutes.get()};
  return options;
}

RdbHead head_without_keys(const AllStripes& all, const Engine& engine, bool with_functions) {
  RdbHead head{.preamble = preamble(engine)};
  head.preamble.replication = place_in(engine.log);
  if (with_functions) head.libraries = codes_of(all, engine);
  return head;
}

std::string rdb_without_keys(const RdbHead& head, const RdbWriteOptions& format) {
  std::string bytes;
  StringSink sink(bytes);
  RdbWriter writer(sink, format);
  writer.begin(head.preamble);
  for (const auto& code : head.libraries) writer.library(*code);
  writer.finish();
  return bytes;
}

std::unique_ptr<RdbSnapshot> RdbSnapshot::begin(Engine& engine, SnapshotTurn::Held turn,
                                                const Options& options,
                                                const std::function<void()>& at_cut) {
  CHECK(turn, "a snapshot has its turn");
  RdbHead head{.preamble = preamble(engine)};
  if (engine.used_memory_bytes) {
    head.preamble.used_memory_bytes = static_cast<uint64_t>(engine.used_memory_bytes());
  }
  const ExclusiveGuard all(engine.keyspace);
  if (at_cut != nullptr) at_cut();
  // What was written while nobody read the log has no place in its history.
  if (options.with_position && engine.log.active()) {
    head.preamble.replication = place_in(engine.log);
  }
  head.libraries = codes_of(all, engine);
  return std::unique_ptr<RdbSnapshot>(
      new RdbSnapshot(all, engine, std::move(turn), options, std::move(head)));
}

RdbSnapshot::RdbSnapshot(const AllStripes& all, Engine& engine, SnapshotTurn::Held turn,
                         const Options& options, RdbHead head)
    : turn_(std::move(turn)),
      engine_(engine),
      options_(with_uses(options, engine)),
      head_(std::move(head)),
      writer_(out_sink_, options.format),
      pending_bytes_(engine.memory.snapshot_bytes),
      encoders_(options.format.compress ? engine.snapshot_helpers : 0),
      breather_(engine.clock),
      walk_(all, engine.keyspace, *this) {}

RdbSnapshot::~RdbSnapshot() {
  if (walking_) give_up();
  pending_bytes_.store(0, std::memory_order_relaxed);
}

// In the middle: writers hand in nothing more.
void RdbSnapshot::give_up() {
  {
    const ExclusiveGuard guard(engine_.keyspace);
    given_up_ = true;
  }
  if (walk_.abandon()) {
    while (walk_.mark()) {
    }
  }
  while (first_large() != nullptr) drop_first_large();
  finish_walk();
}

void RdbSnapshot::capture(int database, const TableBucket& home, RdbCapture& to) {
  int64_t keys = 0;
  PartitionTable::for_each_in_chain(home, [&](Entry* entry, bool) {
    ++keys;
    if (!begin_large(database, *entry)) to.add(*entry);
  });
  keys_written_.fetch_add(keys, std::memory_order_relaxed);
}

// By a writer.
void RdbSnapshot::capture_chain(int database, const TableBucket& home) {
  if (given_up_) return;
  SnapshotWalk::bring_near(home);
  Batch batch{database, RdbCapture(options_.format, kChainBytes)};
  capture(database, home, batch.capture);
  if (batch.capture.empty()) return;
  pending_bytes_.fetch_add(batch.capture.bytes(), std::memory_order_relaxed);
  const Guard guard(lock_);
  pending_.push_back(std::move(batch));
}

size_t RdbSnapshot::capture_for_walker(int database, const TableBucket& home) {
  if (captured_.empty() || captured_.back().database != database) {
    captured_.push_back({database, RdbCapture(options_.format, kBatchBytes + kHold.bytes)});
  }
  RdbCapture& to = captured_.back().capture;
  const size_t before = to.copied_bytes();
  capture(database, home, to);
  return to.copied_bytes() - before;
}

// False: it is small.
bool RdbSnapshot::begin_large(int database, const Entry& entry) {
  auto rest = RdbLargeEntry::begin(entry, options_.format, pending_bytes_);
  if (rest == nullptr) return false;
  const void* container = rest->in_place() ? entry.container_id() : nullptr;
  std::unique_ptr<Large> large(new Large{.database = database,
                                         .stripe{engine_.keyspace.place(entry.key()).stripe()},
                                         .container = container,
                                         .rest = std::move(rest)});
  const Guard guard(lock_);
  large_.push_back(std::move(large));
  return true;
}

// The entry has left its table while its container is walked: it goes when the walk is done.
void RdbSnapshot::adopt(Entry* entry) {
  const void* container = entry->container_id();
  const Guard guard(lock_);
  for (const auto& large : large_) {
    if (large->container != container) continue;
    large->orphan = entry;
    return;
  }
  CHECK(false, "a container that is walked has its walk");
}

void RdbSnapshot::moved(const void* container, int stripe) {
  const Guard guard(lock_);
  for (const auto& large : large_) {
    if (large->container == container) large->stripe.store(stripe);
  }
}

// The value may go on under another key, and so under another stripe, as long as its own is not
// held.
template <class Fn>
void RdbSnapshot::under_its_stripe(const Large& large, Fn&& fn) {
  for (;;) {
    const int stripe = large.stripe.load();
    const PatientGuard guard(engine_.keyspace.stripe(stripe), Lock::Purpose::kSnapshot);
    if (large.stripe.load() != stripe) continue;
    return fn();
  }
}

RdbSnapshot::Large* RdbSnapshot::first_large() {
  const Guard guard(lock_);
  return large_.empty() ? nullptr : large_.front().get();
}

void RdbSnapshot::step_large(Large& large) {
  Batch part{large.database, RdbCapture(options_.format)};
  bool more = false;
  if (large.rest->in_place()) {
    under_its_stripe(large, [&] { more = large.rest->step(part.capture, kLargeBytesPerHold); });
  } else {
    more = large.rest->step(part.capture, kLargeBytesPerHold);
  }
  if (!part.capture.empty()) current_ = std::move(part);
  if (!more) drop_first_large();
}

void RdbSnapshot::drop_first_large() {
  std::unique_ptr<Large> large;
  // Under its stripe: nobody finds the walk in its container without finding it here.
  under_its_stripe(*first_large(), [&] {
    const Guard guard(lock_);
    large = std::move(large_.front());
    large_.pop_front();
    if (large->rest->in_place()) large->rest.reset();
  });
  if (large->orphan != nullptr) Entry::destroy(large->orphan);
}

void RdbSnapshot::step_walk() {
  chains_left_ = walk_.step(kHold, [this](int database, const TableBucket& home) {
    return capture_for_walker(database, home);
  });
  hand_over_captured();
}

// Full batches go to the helpers, as long as these keep up with them; else they wait to become
// current.
void RdbSnapshot::hand_over_captured() {
  while (!captured_.empty() && encoders_.has_room()) {
    const size_t bytes = captured_.front().capture.bytes();
    if (bytes < kBatchBytes || bytes > kHelpedBytesMax) return;
    encoders_.add(std::move(captured_.front()));
    captured_.pop_front();
  }
}

bool RdbSnapshot::take_handed_in() {
  const Guard guard(lock_);
  if (pending_.empty()) return false;
  current_ = std::move(pending_.front());
  pending_.pop_front();
  current_pending_bytes_ = current_->capture.bytes();
  return true;
}

// What is to go out next becomes current. False: there is nothing.
bool RdbSnapshot::take_next() {
  if (take_handed_in()) return true;
  const bool enough = captured_.size() > 1 || !chains_left_;
  if (captured_.empty() || (!enough && captured_.front().capture.bytes() < kBatchBytes)) {
    return false;
  }
  current_ = std::move(captured_.front());
  captured_.pop_front();
  return true;
}

void RdbSnapshot::encode_current() {
  const bool pressed = pending_bytes() > kPressureBytes;
  const bool more = current_->capture.encode(
      writer_.entries(static_cast<uint32_t>(current_->database)), pressed ? nullptr : &packing_,
      options_.produce_bytes - std::min(options_.produce_bytes, out_.size()));
  if (more) return;
  current_.reset();
  pending_bytes_.fetch_sub(std::exchange(current_pending_bytes_, 0), std::memory_order_relaxed);
}

// What helpers have encoded; once there is nothing else to do, also what they are at, and what they
// have not come to. False: they have nothing.
bool RdbSnapshot::take_from_helpers() {
  if (const auto batch = encoders_.take_encoded()) {
    writer_.entries(static_cast<uint32_t>(batch->database)).write(batch->encoded);
    return true;
  }
  if (walking_) return false;
  current_ = encoders_.take_waiting();
  return current_ || encoders_.wait();
}

void RdbSnapshot::finish_walk() {
  const ExclusiveGuard all(engine_.keyspace);
  walk_.end(all);
  walking_ = false;
}

// The next part of what comes before the entries. False: there is no more of it.
bool RdbSnapshot::write_head() {
  if (!std::exchange(begun_, true)) {
    writer_.begin(head_.preamble);
  } else if (libraries_written_ < head_.libraries.size()) {
    writer_.library(*head_.libraries[libraries_written_++]);
  } else if (!std::exchange(sizes_written_, true)) {
    for (const SnapshotWalk::Size& size : walk_.sizes_at_cut()) {
      writer_.sizes(static_cast<uint32_t>(size.database), static_cast<uint64_t>(size.keys),
                    static_cast<uint64_t>(size.expiring));
    }
  } else {
    return false;
  }
  return true;
}

// Level-triggered: the parts of a large entry, once it is begun, and the rest of what is current
// come before anything else, for nothing may stand between them.
bool RdbSnapshot::advance() {
  if (write_head()) return true;
  if (current_) {
    encode_current();
  } else if (Large* large = first_large()) {
    step_large(*large);
  } else if (take_next() || take_from_helpers()) {
    return true;
  } else if (chains_left_) {
    step_walk();
  } else if (walking_) {
    finish_walk();
  } else {
    return false;
  }
  return true;
}

bool RdbSnapshot::produce(std::string& out) {
  out_.clear();
  while (!finished_ && out_.size() < options_.produce_bytes) {
    breather_.take_at_times();
    if (advance()) continue;
    writer_.finish();
    finished_ = true;
  }
  out.swap(out_);
  return !out.empty();
}

}  // namespace tandem
