#include "engine/rdb_snapshot.h"

namespace tandem {
namespace {

// Chains under one hold of a stripe: some dozens of microseconds for short values.
constexpr int kChainsPerHold = 8;

}  // namespace

Result<std::unique_ptr<RdbSnapshot>> RdbSnapshot::begin(Engine& engine, const Options& options,
                                                        const std::function<void()>& at_cut) {
  const ExclusiveGuard guard(engine.keyspace);
  if (engine.keyspace.snapshot().sink != nullptr) {
    return fail(ErrorCode::kRefused, "another snapshot is in progress");
  }
  if (at_cut != nullptr) at_cut();
  Options at_position = options;
  if (options.with_position) {
    const Position position = engine.log.position();
    const uint32_t context = engine.log.context();
    at_position.preamble.replication = RdbPreamble::Replication{
        .selected_database = context == Log::kNoContext ? 0 : static_cast<int32_t>(context),
        .id = std::string(position.id.text()),
        .offset = static_cast<int64_t>(position.offset)};
  }
  return std::unique_ptr<RdbSnapshot>(new RdbSnapshot(engine, at_position));
}

RdbSnapshot::RdbSnapshot(Engine& engine, const Options& options)
    : engine_(engine),
      options_(options),
      writer_(out_sink_, options.format),
      walk_(engine.keyspace, *this) {}

RdbSnapshot::~RdbSnapshot() {
  if (!walking_) return;
  // Given up in the middle: what is left is still marked, so that the next snapshot starts clean.
  walk_.abandon();
  while (walk_.step(kPartitionsPerStripe * kChainsPerHold)) {
  }
  finish_walk();
}

void RdbSnapshot::write_chain(int database, const TableBucket& home) {
  Encoded encoded{database, {}};
  StringSink sink(encoded.bytes);
  int64_t keys = 0;
  PartitionTable::for_each_in_chain(home, [&](Entry* entry, bool) {
    char digits[kInt64TextMax];
    std::optional<int64_t> expiry;
    if (entry->has_expiry()) expiry = entry->expiry_ms();
    rdb_encode_entry(sink, entry->key(), entry->ref(digits), expiry, options_.format);
    ++keys;
  });
  if (keys == 0) return;
  keys_written_.fetch_add(keys, std::memory_order_relaxed);
  pending_bytes_.fetch_add(encoded.bytes.size(), std::memory_order_relaxed);
  const Guard guard(lock_);
  pending_.push_back(std::move(encoded));
}

void RdbSnapshot::drain() {
  std::vector<Encoded> pending;
  {
    const Guard guard(lock_);
    pending.swap(pending_);
  }
  for (const Encoded& encoded : pending) {
    writer_.entries(static_cast<uint32_t>(encoded.database), encoded.bytes);
    pending_bytes_.fetch_sub(encoded.bytes.size(), std::memory_order_relaxed);
  }
}

void RdbSnapshot::finish_walk() {
  const ExclusiveGuard guard(engine_.keyspace);
  walk_.end();
  walking_ = false;
}

bool RdbSnapshot::produce(std::string& out) {
  out_.clear();
  if (!begun_) {
    writer_.begin(options_.preamble);
    begun_ = true;
  }
  while (walking_ && out_.size() < options_.produce_bytes) {
    if (!walk_.step(kChainsPerHold)) finish_walk();
    drain();
  }
  if (!walking_ && !finished_ && out_.size() < options_.produce_bytes) {
    drain();
    writer_.finish();
    finished_ = true;
  }
  out.swap(out_);
  return !out.empty();
}

}  // namespace tandem
