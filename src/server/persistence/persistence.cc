// Mechanism: a save is a sequence of steps (advance), each of which writes a piece of the file:
// SAVE and BGSAVE run them in the background, a shutdown on its own thread. The file is written
// under another name and takes the real one when it is whole and on the disk. A save needs the one
// snapshot turn (engine/snapshot_turn.h), which it shares with full syncs.
#include "server/persistence/persistence.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr int64_t kRetryMs = 5000;  // after a save that failed
constexpr int kFileVersion = 10;    // what redis-server 7.0 reads, too
constexpr const char* kInProgress = "Background save already in progress";
constexpr const char* kGivenUp = "the save was given up";

void log_failure(const Result<void>& outcome) {
  if (!outcome) log_warning("Error saving DB on disk: {}", outcome.error().text);
}

}  // namespace

Persistence::Persistence(Parts parts, std::unique_ptr<Background> background)
    : parts_(std::move(parts)),
      last_save_unix_s_(parts_.engine.clock.unix_ms() / kMsPerSecond),
      background_(std::move(background)) {}

std::string Persistence::path() const { return parts_.options.file_name.get(); }

Result<void> Persistence::begin_background() {
  SnapshotTurn::Held turn = parts_.engine.snapshot_turn.try_take();
  if (!turn) return fail(ErrorCode::kRefused, kInProgress);
  log_notice("Background saving started");
  background_->begin(
      [this, save = Save{.turn = std::move(turn), .kind = Kind::kBackground}]() mutable {
        const auto outcome = advance(save);
        if (!outcome) return true;
        if (*outcome) {
          log_notice("Background saving terminated with success");
        } else {
          log_warning("Background saving error: {}", outcome->error().text);
        }
        return false;
      });
  return {};
}

void Persistence::save_for(Ended ended) {
  std::unique_lock guard(awaited_lock_);
  if (awaited_) {
    next_awaited_.push_back(std::move(ended));
    return;
  }
  SnapshotTurn::Held turn = parts_.engine.snapshot_turn.try_take();
  if (!turn) {
    guard.unlock();
    return ended(fail(ErrorCode::kRefused, kInProgress));
  }
  awaited_ = true;
  AwaitedSave awaited;
  awaited.save.emplace(Save{.turn = std::move(turn), .kind = Kind::kForeground});
  awaited.clients.push_back(std::move(ended));
  background_->begin(
      [this, awaited = std::move(awaited)]() mutable { return advance_awaited(awaited); });
}

bool Persistence::advance_awaited(AwaitedSave& awaited) {
  const auto outcome = advance(*awaited.save);
  if (!outcome) return true;
  log_failure(*outcome);
  // Whoever was told of the end may begin the next.
  awaited.save.reset();
  const std::vector<Ended> clients = std::exchange(awaited.clients, {});
  const bool more = begin_next(awaited);
  for (const Ended& ended : clients) ended(*outcome);
  return more;
}

bool Persistence::begin_next(AwaitedSave& awaited) {
  std::unique_lock guard(awaited_lock_);
  awaited.clients = std::exchange(next_awaited_, {});
  awaited_ = !awaited.clients.empty();
  if (!awaited_) return false;
  if (SnapshotTurn::Held turn = parts_.engine.snapshot_turn.try_take()) {
    awaited.save.emplace(Save{.turn = std::move(turn), .kind = Kind::kForeground});
    return true;
  }
  awaited_ = false;
  guard.unlock();
  for (const Ended& ended : awaited.clients) ended(fail(ErrorCode::kRefused, kInProgress));
  return false;
}

void Persistence::in_background(std::function<void()> work) {
  background_->begin([work = std::move(work)] {
    work();
    return false;
  });
}

Result<void> Persistence::save() {
  SnapshotTurn::Held turn = parts_.engine.snapshot_turn.try_take();
  if (!turn) return fail(ErrorCode::kRefused, kInProgress);
  return save(std::move(turn));
}

Result<void> Persistence::save(SnapshotTurn::Held turn) {
  const auto outcome = run({.turn = std::move(turn), .kind = Kind::kForeground});
  log_failure(outcome);
  return outcome;
}

Result<void> Persistence::run(Save save) {
  std::optional<Result<void>> outcome;
  while (!outcome) outcome = advance(save);
  return *outcome;
}

std::optional<Result<void>> Persistence::advance(Save& save) {
  const auto more = step(save);
  if (more && *more) return std::nullopt;
  const Result<void> outcome = more ? Result<void>() : std::unexpected(more.error());
  if (outcome) {
    changes_at_save_.store(save.changes);
    flushes_at_save_.store(flushes_at_cut_.load());
  }
  finish(outcome, save.kind);
  return outcome;
}

// The cut is the whole of the first step.
Result<bool> Persistence::step(Save& save) {
  if (save.file == nullptr) {
    take_cut(save);
    return true;
  }
  if (is_given_up(save)) return fail(ErrorCode::kCancelled, kGivenUp);
  const auto more = save.file->step();
  keys_written_.store(save.file->snapshot().keys_written());
  return more;
}

void Persistence::take_cut(Save& save) {
  Engine& engine = parts_.engine;
  started_ms_.store(engine.clock.monotonic_ms());
  keys_written_.store(0);
  writing_.store(true);
  RdbSnapshot::Options options;
  options.format = {.version = kFileVersion,
                    .compress = parts_.options.compression.get(),
                    .checksum = parts_.options.checksum.get()};
  options.produce_bytes = std::min(options.produce_bytes, parts_.write_bytes);
  auto snapshot = RdbSnapshot::begin(engine, std::move(save.turn), options, [&] {
    save.changes = parts_.total_changes();
    flushes_at_cut_.store(engine.keyspace.flushes());
  });
  keys_total_.store(snapshot->keys_total());
  save.file =
      std::make_unique<SnapshotFile>(parts_.files, path(), std::move(snapshot), parts_.write_bytes);
}

// A file that has its name already is done in a moment, and right as of its cut.
bool Persistence::is_given_up(const Save& save) const {
  return save.kind == Kind::kBackground && !save.file->in_place() &&
         (save.file->snapshot().interrupted() ||
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
  if (is_under_way()) {
    // Perhaps by a full sync whose replica takes its time.
    if (scheduled_.load() || is_a_point_due()) parts_.engine.snapshot_turn.want();
    return;
  }
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

bool Persistence::is_a_point_due() const {
  const std::vector<SavePoint> points = parts_.options.save_points.get();
  return std::ranges::any_of(points, [this](const SavePoint& point) { return is_due(point); });
}

bool Persistence::is_due(const SavePoint& point) const {
  const int64_t changes = changes_since_save();
  const int64_t age = parts_.engine.clock.unix_ms() / kMsPerSecond - last_save_unix_s_.load();
  return changes > 0 && changes >= point.changes && age > point.seconds;
}

PersistenceFigures Persistence::figures() const {
  PersistenceFigures figures;
  figures.changes_since_save = changes_since_save();
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
