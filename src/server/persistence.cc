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

}  // namespace

Persistence::Persistence(Parts parts)
    : parts_(std::move(parts)),
      last_save_unix_s_(parts_.engine.clock.unix_ms() / kMsPerSecond),
      thread_([this] { run_background(); }) {}

Persistence::~Persistence() {
  aborting_.store(true);
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string Persistence::path() const { return parts_.options.file_name.get(); }

Result<void> Persistence::begin_background() {
  bool expected = false;
  if (!running_.compare_exchange_strong(expected, true)) {
    return fail(ErrorCode::kRefused, "Background save already in progress");
  }
  {
    const std::lock_guard guard(lock_);
    wanted_ = true;
  }
  changed_.notify_all();
  log_notice("Background saving started");
  return {};
}

void Persistence::run_background() {
  name_thread("snapshot-file");
  std::unique_lock guard(lock_);
  while (true) {
    changed_.wait(guard, [this] { return wanted_ || ending_; });
    if (ending_) return;
    wanted_ = false;
    guard.unlock();
    const auto outcome = write_file();
    if (outcome) {
      log_notice("Background saving terminated with success");
    } else {
      log_warning("Background saving error: {}", outcome.error().text);
    }
    guard.lock();
    running_.store(false);
    changed_.notify_all();
  }
}

Result<void> Persistence::save_now() {
  bool expected = false;
  if (!running_.compare_exchange_strong(expected, true)) {
    return fail(ErrorCode::kRefused, "Background save already in progress");
  }
  const auto outcome = write_file();
  if (!outcome) log_warning("Error saving DB on disk: {}", outcome.error().text);
  const std::lock_guard guard(lock_);
  running_.store(false);
  changed_.notify_all();
  return outcome;
}

void Persistence::abort_background() {
  aborting_.store(true);
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return !running_.load(); });
  aborting_.store(false);
}

Result<void> Persistence::write_file() {
  Engine& engine = parts_.engine;
  const int64_t started_ms = engine.clock.monotonic_ms();
  started_ms_.store(started_ms);
  last_try_ms_.store(started_ms);
  RdbSnapshot::Options options;
  options.format = {.version = kFileVersion,
                    .compress = parts_.options.compression.get(),
                    .checksum = parts_.options.checksum.get()};
  options.preamble.server_version = std::string(kRedisVersion);
  options.preamble.created_s = engine.clock.unix_ms() / kMsPerSecond;
  options.preamble.used_memory_bytes = static_cast<uint64_t>(read_memory(parts_.files).used_bytes);
  int64_t changes = 0;
  auto snapshot = RdbSnapshot::begin(engine, options, [&] { changes = parts_.total_changes(); });
  if (!snapshot) return std::unexpected(snapshot.error());
  auto outcome = write_snapshot(**snapshot, path());
  if (outcome) changes_at_save_.store(changes);
  finish(outcome, started_ms);
  return outcome;
}

Result<void> Persistence::write_snapshot(RdbSnapshot& snapshot, const std::string& target) {
  keys_total_.store(snapshot.keys_total());
  const std::string temporary = fmt::format("temp-{}.rdb", ::getpid());
  auto outcome = [&]() -> Result<void> {
    auto file = parts_.files.open(temporary, OpenMode::kReplace);
    if (!file) return std::unexpected(file.error());
    if (auto pumped = pump(snapshot, **file); !pumped) return pumped;
    if (auto synced = (*file)->sync(); !synced) return synced;
    file->reset();
    if (auto renamed = parts_.files.rename(temporary, target); !renamed) return renamed;
    return parts_.files.sync_folder(folder_of(target));
  }();
  if (!outcome) (void)parts_.files.remove(temporary);
  return outcome;
}

Result<void> Persistence::pump(RdbSnapshot& snapshot, File& file) {
  std::string piece;
  std::string pending;
  bool more = true;
  while (more) {
    more = snapshot.produce(piece);
    pending += piece;
    keys_written_.store(snapshot.keys_written());
    if (aborting_.load()) return fail(ErrorCode::kCancelled, "the save was given up");
    if (more && pending.size() < kWriteBytes) continue;
    if (auto written = file.append(pending); !written) return written;
    pending.clear();
  }
  return {};
}

void Persistence::finish(const Result<void>& outcome, int64_t started_ms) {
  const Clock& clock = parts_.engine.clock;
  last_seconds_.store((clock.monotonic_ms() - started_ms) / kMsPerSecond);
  if (outcome) {
    last_save_unix_s_.store(clock.unix_ms() / kMsPerSecond);
    saves_.fetch_add(1);
    log_notice("DB saved on disk");
  }
  if (!outcome && outcome.error().code == ErrorCode::kCancelled) return;
  last_ok_.store(outcome.has_value());
  parts_.engine.gate.set(
      Gate::kDiskError, !outcome && has_save_points() && parts_.options.stop_writes_on_error.get());
}

void Persistence::check() {
  if (running_.load()) return;
  const int64_t now_ms = parts_.engine.clock.monotonic_ms();
  if (scheduled_.load()) {
    if (begin_background()) scheduled_.store(false);
    return;
  }
  if (!last_ok_.load() && now_ms - last_try_ms_.load() < kRetryMs) return;
  const int64_t changes = changes_since_save();
  const int64_t age = parts_.engine.clock.unix_ms() / kMsPerSecond - last_save_unix_s_.load();
  for (const SavePoint& point : parts_.options.save_points.get()) {
    if (changes < point.changes || changes == 0 || age <= point.seconds) continue;
    log_notice("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    (void)begin_background();
    return;
  }
}

PersistenceFigures Persistence::figures() const {
  PersistenceFigures figures;
  figures.save_in_progress = running_.load();
  figures.last_save_unix_s = last_save_unix_s_.load();
  figures.last_save_ok = last_ok_.load();
  figures.last_save_seconds = last_seconds_.load();
  if (figures.save_in_progress) {
    figures.current_save_seconds =
        (parts_.engine.clock.monotonic_ms() - started_ms_.load()) / kMsPerSecond;
    figures.keys_total = keys_total_.load();
    figures.keys_processed = keys_written_.load();
  }
  figures.saves = saves_.load();
  return figures;
}

}  // namespace tandem
