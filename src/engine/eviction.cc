#include "engine/eviction.h"

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;
// In a row; then somebody holds much, as a script does, or keys come and go faster than this.
constexpr int kMissesMax = 16;

}  // namespace

// By equal steps up to the usual time, then by 15 percent more each; 100 is as long as it takes.
int64_t Eviction::budget_us() const {
  constexpr int64_t kUsual = 10;
  constexpr int64_t kUsualUs = 500;
  constexpr int64_t kMost = 100;
  constexpr double kStep = 1.15;
  const int64_t tenacity = engine_.memory.options().tenacity.get();
  if (tenacity >= kMost) return std::numeric_limits<int64_t>::max() / 2;
  if (tenacity <= kUsual) return kUsualUs / kUsual * tenacity;
  return static_cast<int64_t>(kUsualUs * std::pow(kStep, static_cast<double>(tenacity - kUsual)));
}

bool Eviction::may_evict() const {
  const uint32_t bits = engine_.gate.bits();
  if ((bits & (Gate::kPausedWrites | Gate::kPausedAll | Gate::kDatasetLoading)) != 0) return false;
  return (bits & Gate::kReplica) == 0 || !engine_.memory.options().replica_ignores.get();
}

bool Eviction::make_room() {
  MemoryLimit& memory = engine_.memory;
  evicted_ = 0;
  const Room room = may_evict() ? evict_to_limit() : Room::kThere;
  const bool none = room == Room::kNone;
  if (engine_.gate.is(Gate::kOutOfMemory) != none) engine_.gate.set(Gate::kOutOfMemory, none);
  room == Room::kThere ? memory.note_kept() : memory.note_exceeded();
  if (evicted_ > 0) {
    accounts_.counters.evicted_keys.add(evicted_);
    if (serving_.has_more()) serving_.finish();
    clock_.advance();  // the time was not the command's
  }
  if (room == Room::kNotYet) memory.want_help();
  return room == Room::kNotYet && evicted_ > 0;
}

Eviction::Room Eviction::evict_to_limit() {
  MemoryLimit& memory = engine_.memory;
  if (memory.excess_bytes() <= 0) return Room::kThere;
  memory.refresh_if_old();
  if (memory.excess_bytes() <= 0) return Room::kThere;
  const MemoryPolicy policy = memory.options().policy.get();
  if (policy == MemoryPolicy::kNoEviction) return Room::kNone;
  if (std::exchange(policy_, policy) != policy) pool_.clear();  // its scores mean something else
  const int64_t begun_us = engine_.clock.monotonic_us();
  const Room room = evict_in_time(begun_us + budget_us());
  accounts_.step("eviction-cycle", engine_.clock.monotonic_us() - begun_us, clock_.unix_us());
  return room;
}

Eviction::Room Eviction::evict_in_time(int64_t deadline_us) {
  constexpr uint64_t kKeysPerLook = 16;  // at the clock
  MemoryLimit& memory = engine_.memory;
  for (int misses = 0; misses < kMissesMax;) {
    switch (evict_one()) {
      case Outcome::kEvicted:
        misses = 0;
        break;
      case Outcome::kMissed:
        ++misses;
        break;
      case Outcome::kNothing:
        // What is on its way out may be enough.
        return memory.is_anything_leaving() ? Room::kNotYet : Room::kNone;
    }
    if (memory.excess_bytes() <= 0) return Room::kThere;
    if (evicted_ % kKeysPerLook == 0 && engine_.clock.monotonic_us() > deadline_us) break;
  }
  return Room::kNotYet;
}

DatabaseTables::Which Eviction::which() const {
  return is_volatile(policy_) ? DatabaseTables::Which::kExpiring : DatabaseTables::Which::kAll;
}

bool Eviction::has_keys_to_evict() const {
  const Keyspace& keyspace = engine_.keyspace;
  for (int database = 0; database < keyspace.database_count(); ++database) {
    if ((is_volatile(policy_) ? keyspace.expiring(database) : keyspace.keys(database)) > 0) {
      return true;
    }
  }
  return false;
}

Eviction::Outcome Eviction::evict_one() {
  return goes_by_chance(policy_) ? evict_by_chance() : evict_best();
}

bool Eviction::take_stripe(int stripe, KeyLocks& locks) {
  step_.declare_nothing();
  step_.declare_visit(stripe);
  return locks.take_if_free(step_.stripes());
}

Eviction::Outcome Eviction::evict_by_chance() {
  const int databases = engine_.keyspace.database_count();
  for (int tried = 0; tried < databases; ++tried) {
    const int database = next_database_;
    next_database_ = (next_database_ + 1) % databases;
    const std::optional<int> stripe = engine_.keyspace.draw_stripe(database, random_, which());
    if (!stripe) continue;
    KeyLocks locks(engine_.keyspace);
    if (!take_stripe(*stripe, locks)) return Outcome::kMissed;
    DatabaseTables* tables = engine_.keyspace.tables(database);
    if (tables == nullptr) return Outcome::kMissed;
    std::optional<std::string> key;
    uint64_t met = 0;
    tables->sample(*stripe, which(), 1, random_, [&](const Entry& entry) {
      if (random_.below(++met) == 0) key = entry.key();
    });
    if (!key || !may_evict()) return Outcome::kMissed;
    evict(locks, database, *key);
    return Outcome::kEvicted;
  }
  return Outcome::kNothing;
}

Eviction::Outcome Eviction::evict_best() {
  look_for_candidates();
  if (pool_.empty()) return has_keys_to_evict() ? Outcome::kMissed : Outcome::kNothing;
  while (!pool_.empty()) {
    if (evict_candidate(pool_.take_best())) return Outcome::kEvicted;
  }
  return Outcome::kMissed;
}

// Of each database that has some. Where keys are few a stripe may have one or none: then it takes
// several stripes to see as many as there should be.
void Eviction::look_for_candidates() {
  const auto samples = static_cast<int>(engine_.memory.options().samples.get());
  for (int database = 0; database < engine_.keyspace.database_count(); ++database) {
    int left = samples;
    for (int turn = 0; turn < samples && left > 0; ++turn) {
      const std::optional<int> stripe = engine_.keyspace.draw_stripe(database, random_, which());
      if (!stripe) break;
      KeyLocks locks(engine_.keyspace);
      if (!take_stripe(*stripe, locks)) continue;
      DatabaseTables* tables = engine_.keyspace.tables(database);
      if (tables == nullptr) break;
      tables->sample(*stripe, which(), left, random_, [&](const Entry& entry) {
        --left;
        const uint64_t score = *score_of(entry);
        if (pool_.takes(score)) pool_.offer(score, database, engine_.keyspace.place(entry.key()));
      });
    }
  }
}

// Nothing: the policy does not allow it.
std::optional<uint64_t> Eviction::score_of(const Entry& entry) const {
  if (is_volatile(policy_) && !entry.has_expiry()) return std::nullopt;
  if (policy_ == MemoryPolicy::kVolatileTtl) {
    return std::numeric_limits<uint64_t>::max() - static_cast<uint64_t>(entry.expiry_ms());
  }
  const int64_t now_s = clock_.unix_ms() / kMsPerSecond;
  if (goes_by_recency(policy_)) return idle_seconds(entry.use(), now_s);
  constexpr uint64_t kFrequencyMax = 255;
  const int64_t decay_minutes = engine_.memory.options().frequency_decay_minutes.get();
  return kFrequencyMax - frequency(entry.use(), now_s, decay_minutes);
}

// False: it is gone, held by somebody, or was used since it was looked at.
bool Eviction::evict_candidate(const EvictionCandidate& candidate) {
  KeyLocks locks(engine_.keyspace);
  if (!take_stripe(candidate.place.stripe(), locks)) return false;
  const Entry* entry = find(candidate);
  if (entry == nullptr) return false;
  const std::optional<uint64_t> score = score_of(*entry);
  // The role or a pause may have come since.
  if (!score || *score < candidate.score || !may_evict()) return false;
  evict(locks, candidate.database, std::string(entry->key()));
  return true;
}

const Entry* Eviction::find(const EvictionCandidate& candidate) const {
  DatabaseTables* tables = engine_.keyspace.tables(candidate.database);
  if (tables == nullptr) return nullptr;
  const TableBucket* home =
      tables->partition(candidate.place.partition).home_bucket(candidate.place.hash);
  if (home == nullptr) return nullptr;
  PartitionTable::prefetch_chain(*home);
  const Entry* found = nullptr;
  PartitionTable::for_each_in_chain(*home, [&](const Entry* entry, bool) {
    if (engine_.keyspace.traits().hash(*entry) == candidate.place.hash) found = entry;
  });
  return found;
}

void Eviction::evict(KeyLocks& locks, int database, Bytes key) {
  // Until what it frees is told, whoever finds no key to evict sees that something is leaving.
  const auto leaving = engine_.memory.begin_leaving(1);
  // What is over goes as well, though on a replica it is hidden.
  const int64_t begun_us = engine_.clock.monotonic_us();
  const bool replica = engine_.gate.is(Gate::kReplica);
  step_.begin(locks, Tracking::kNobody, clock_.unix_ms(),
              replica ? ExpiryMode::kIgnore : ExpiryMode::kDelete);
  View view(step_.access(), database);
  const Bytes word = engine_.memory.options().lazy.get() ? "UNLINK" : "DEL";
  view.erase(event::kEvicted, key, {word, key}, 0);
  step_.commit();
  accounts_.keys(step_.access().counters());
  locks.release();
  step_.end();
  share_.tell();
  accounts_.step("eviction-del", engine_.clock.monotonic_us() - begun_us, clock_.unix_us());
  if (!step_.ready().empty()) serving_.serve_later(step_.ready());
  ++evicted_;
}

}  // namespace tandem
