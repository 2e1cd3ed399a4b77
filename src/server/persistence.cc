#include "server/persistence.h"

#include <array>

#include <fmt/format.h>
#include <unistd.h>

#include "base/logging.h"
#include "base/thread.h"
#include "base/version.h"
#include "stats/memory.h"

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr size_t kWriteBytes = 256 * 1024;
constexpr int64_t kRetryMs = 5000;  // after a save that failed
constexpr int kFileVersion = 10;    // what redis-server 7.0 reads, too
constexpr const char* kInProgress = "Background save already in progress";
constexpr const char* kGivenUp = "the save was given up";

}  // namespace

Persistence::Persistence(Parts parts)
    : parts_(std::move(parts)),
      last_save_unix_s_(parts_.engine.clock.unix_ms() / kMsPerSecond),
      thread_([this] { run_background(); }) {}

Persistence::~Persistence() {
  {
    const std::lock_guard guard(lock_);
    ending_.store(true);
  }
  changed_.notify_all();
  thread_.join();
}

std::string Persistence::path() const { return parts_.options.file_name.get(); }

Result<void> Persistence::begin_background() {
  SnapshotTurn::Held turn = parts_.engine.snapshot_turn.try_take();
  if (!turn) return fail(ErrorCode::kRefused, kInProgress);
  {
    const std::lock_guard guard(lock_);
    wanted_ = std::move(turn);
  }
  changed_.notify_all();
  log_notice("Background saving started");
  return {};
}

void Persistence::run_background() {
  name_thread("snapshot-file");
  std::unique_lock guard(lock_);
  while (true) {
    changed_.wait(guard, [this] { return wanted_ || ending_.load(); });
    if (ending_.load()) return;
    SnapshotTurn::Held turn = std::move(wanted_);
    guard.unlock();
    const auto outcome = write_file(std::move(turn), Kind::kBackground);
    if (outcome) {
      log_notice("Background saving terminated with success");
    } else {
      log_warning("Background saving error: {}", outcome.error().text);
    }
    guard.lock();
  }
}

Result<void> Persistence::save() {
  const std::lock_guard guard(foreground_);
  SnapshotTurn::Held turn = parts_.engine.snapshot_turn.try_take();
  if (!turn) return fail(ErrorCode::kRefused, kInProgress);
  return save(std::move(turn));
}

Result<void> Persistence::save(SnapshotTurn::Held turn) {
  const auto outcome = write_file(std::move(turn), Kind::kForeground);
  if (!outcome) log_warning("Error saving DB on disk: {}", outcome.error().text);
  return outcome;
}

Result<void> Persistence::write_file(SnapshotTurn::Held turn, Kind kind) {
  Engine& engine = parts_.engine;
  started_ms_.store(engine.clock.monotonic_ms());
  keys_written_.store(0);
  writing_.store(true);
  RdbSnapshot::Options options;
  options.format = {.version = kFileVersion,
                    .compress = parts_.options.compression.get(),
                    .checksum = parts_.options.checksum.get()};
  options.preamble.server_version = std::string(kRedisVersion);
  options.preamble.created_s = engine.clock.unix_ms() / kMsPerSecond;
  options.preamble.used_memory_bytes = static_cast<uint64_t>(read_memory(parts_.files).used_bytes);
  int64_t changes = 0;
  const auto snapshot = RdbSnapshot::begin(engine, std::move(turn), options, [&] {
    changes = parts_.total_changes();
    flushes_at_cut_.store(engine.keyspace.flushes());
  });
  const auto outcome = write_snapshot(*snapshot, kind);
  if (outcome) {
    changes_at_save_.store(changes);
    flushes_at_save_.store(flushes_at_cut_.load());
  }
  finish(outcome, kind);
  return outcome;
}

Result<void> Persistence::write_snapshot(RdbSnapshot& snapshot, Kind kind) {
  keys_total_.store(snapshot.keys_total());
  const std::string target = path();
  const std::string temporary = fmt::format("temp-{}.rdb", ::getpid());
  auto outcome = [&]() -> Result<void> {
    auto file = parts_.files.open(temporary, OpenMode::kReplace);
    if (!file) return std::unexpected(file.error());
    if (auto pumped = pump(snapshot, **file, kind); !pumped) return pumped;
    if (auto synced = (*file)->sync(); !synced) return synced;
    file->reset();
    if (is_given_up(snapshot, kind)) return fail(ErrorCode::kCancelled, kGivenUp);
    if (auto renamed = parts_.files.rename(temporary, target); !renamed) return renamed;
    return parts_.files.sync_folder(folder_of(target));
  }();
  if (!outcome) (void)parts_.files.remove(temporary);
  return outcome;
}

Result<void> Persistence::pump(RdbSnapshot& snapshot, File& file, Kind kind) {
  std::string piece;
  std::string pending;
  bool more = true;
  while (more) {
    more = snapshot.produce(piece);
    pending += piece;
    keys_written_.store(snapshot.keys_written());
    if (is_given_up(snapshot, kind)) return fail(ErrorCode::kCancelled, kGivenUp);
    if (more && pending.size() < kWriteBytes) continue;
    if (auto written = file.append(pending); !written) return written;
    pending.clear();
  }
  return {};
}

bool Persistence::is_given_up(const RdbSnapshot& snapshot, Kind kind) const {
  return kind == Kind::kBackground && (snapshot.interrupted() || ending_.load() ||
                                       parts_.engine.keyspace.flushes() != flushes_at_cut_.load());
}

// As in Redis a SAVE that failed says so to its client, and leaves the state of the last BGSAVE.
void Persistence::finish(const Result<void>& outcome, Kind kind) {
  const Clock& clock = parts_.engine.clock;
  writing_.store(false);
  last_try_ms_.store(clock.monotonic_ms());
  if (outcome) {
    last_save_unix_s_.store(clock.unix_ms() / kMsPerSecond);
    saves_.fetch_add(1);
    log_notice("DB saved on disk");
  }
  if (kind == Kind::kBackground) {
    last_seconds_.store((clock.monotonic_ms() - started_ms_.load()) / kMsPerSecond);
    if (!outcome && outcome.error().code == ErrorCode::kCancelled) return;
  } else if (!outcome) {
    return;
  }
  last_ok_.store(outcome.has_value());
  settle_gate();
}

void Persistence::settle_gate() {
  parts_.engine.gate.set(Gate::kDiskError, !last_ok_.load() && has_save_points() &&
                                               parts_.options.stop_writes_on_error.get());
}

void Persistence::check() {
  if (is_under_way()) return;
  if (scheduled_.load()) {
    if (begin_background()) scheduled_.store(false);
    return;
  }
  const int64_t now_ms = parts_.engine.clock.monotonic_ms();
  if (!has_save_points() || (!last_ok_.load() && now_ms - last_try_ms_.load() < kRetryMs)) return;
  if (parts_.engine.keyspace.flushes() != flushes_at_save_.load()) {
    (void)begin_background();
    return;
  }
  for (const SavePoint& point : parts_.options.save_points.get()) {
    if (!is_due(point)) continue;
    log_notice("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    (void)begin_background();
    return;
  }
}

bool Persistence::is_due(const SavePoint& point) const {
  const int64_t changes = changes_since_save();
  const int64_t age = parts_.engine.clock.unix_ms() / kMsPerSecond - last_save_unix_s_.load();
  return changes > 0 && changes >= point.changes && age > point.seconds;
}

PersistenceFigures Persistence::figures() const {
  PersistenceFigures figures;
  figures.save_in_progress = is_under_way();
  figures.last_save_unix_s = last_save_unix_s_.load();
  figures.last_save_ok = last_ok_.load();
  figures.last_save_seconds = last_seconds_.load();
  if (writing_.load()) {
    figures.current_save_seconds =
        (parts_.engine.clock.monotonic_ms() - started_ms_.load()) / kMsPerSecond;
    figures.keys_total = keys_total_.load();
    figures.keys_processed = keys_written_.load();
  }
  figures.saves = saves_.load();
  return figures;
}

}  // namespace tandem
