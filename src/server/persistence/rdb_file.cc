#include "server/persistence/rdb_file.h"

#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/logging.h"
#include "base/number.h"
#include "engine/dataset_load.h"

namespace tandem {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr size_t kReadBytes = 1024 * 1024;

}  // namespace

void FileLoad::start(bool primary, std::function<void(Outcome)> done) {
  CHECK(!std::exchange(started_, true), "a file is loaded once");
  background_->begin([this, primary, tell = std::move(done)] {
    tell(load(primary));
    return false;
  });
}

FileLoad::Outcome FileLoad::load(bool primary) {
  remove_abandoned_files(parts_.files, ".");
  const auto load = read(primary);
  if (!load) return std::unexpected(load.error());
  if (*load == nullptr) return std::nullopt;
  const std::optional<DatasetPlace> place = (*load)->place();
  const Installed installed =
      install_dataset(parts_.engine, **load, {.place_log = [this, &place](const AllStripes& all) {
                        if (place && parts_.place_log != nullptr) parts_.place_log(all, *place);
                      }});
  CHECK(installed == Installed::kDone, "no snapshot runs while the file is loaded");
  tell(**load);
  return Loaded{place ? std::optional(place->position) : std::nullopt};
}

Result<void> FileLoad::reload(bool primary, Former former) {
  const auto load = read(primary);
  if (!load) return std::unexpected(load.error());
  if (*load == nullptr) return fail(ErrorCode::kRefused, "there is no file");
  switch (install_dataset(parts_.engine, **load, {.former = former})) {
    case Installed::kDone:
    case Installed::kUnwanted:
      break;
    case Installed::kSnapshotRuns:
      return fail(ErrorCode::kRefused, "a snapshot of the data is being written");
    case Installed::kClash:
      return fail(ErrorCode::kRefused, "a key is in the file and in memory");
  }
  tell(**load);
  return {};
}

Result<std::unique_ptr<DatasetLoad>> FileLoad::read(bool primary) {
  Engine& engine = parts_.engine;
  const std::string path = parts_.options.file_name.get();
  const auto exists = parts_.files.exists(path);
  if (!exists) return std::unexpected(exists.error());
  if (!*exists) return nullptr;
  auto file = parts_.files.open(path, OpenMode::kRead);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  bytes_total_.store(static_cast<int64_t>(*size));
  started_unix_s_.store(engine.clock.unix_ms() / kMsPerSecond);
  started_ms_.store(engine.clock.monotonic_ms());

  const RdbReadOptions options{.limits = engine.limits,
                               .databases = static_cast<uint32_t>(engine.keyspace.database_count()),
                               .verify_checksum = parts_.options.checksum.get()};
  std::optional<DropExpired> drop;
  if (primary) drop = DropExpired{engine.clock.unix_ms()};
  auto load = std::make_unique<DatasetLoad>(engine.keyspace, options, engine.clock.unix_ms(), drop,
                                            engine.functions);
  if (auto whole = read(**file, *load); !whole) return std::unexpected(whole.error());
  return load;
}

void FileLoad::tell(const DatasetLoad& load) const {
  log_notice(
      "DB loaded from disk: {:.3f} seconds, {} keys, {} expired",
      static_cast<double>(parts_.engine.clock.monotonic_ms() - started_ms_.load()) / kMsPerSecond,
      load.keys(), load.expired_keys());
}

Result<void> FileLoad::read(const File& file, DatasetLoad& load) {
  std::vector<char> piece(kReadBytes);
  uint64_t offset = 0;
  while (!load.ended()) {
    if (given_up_.load()) return fail(ErrorCode::kCancelled, "the load was given up");
    const auto count = file.read_at(offset, piece);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) break;
    if (auto fed = load.feed({piece.data(), *count}); !fed) return std::unexpected(fed.error());
    offset += *count;
    bytes_read_.store(static_cast<int64_t>(offset));
    memory_at_save_.store(load.used_memory_bytes());
    keys_loaded_.store(load.keys());
    keys_expired_.store(load.expired_keys());
  }
  return load.finish();
}

LoadFigures FileLoad::figures() const {
  return {
      .running = parts_.engine.gate.is(Gate::kDatasetLoading),
      .started_unix_s = started_unix_s_.load(),
      .running_seconds = (parts_.engine.clock.monotonic_ms() - started_ms_.load()) / kMsPerSecond,
      .bytes_total = bytes_total_.load(),
      .bytes_read = bytes_read_.load(),
      .memory_bytes_at_save = memory_at_save_.load(),
      .keys_loaded = keys_loaded_.load(),
      .keys_expired = keys_expired_.load()};
}

namespace {

constexpr Bytes kNameStart = "temp-";
constexpr Bytes kNameEnd = ".rdb";

std::string temporary_name(int64_t process_id) {
  return fmt::format("{}{}{}", kNameStart, process_id, kNameEnd);
}

// The process that a temporary file is named for; nothing: it is none of these files.
std::optional<int32_t> process_of(const std::string& name) {
  Bytes digits = name;
  if (!digits.starts_with(kNameStart) || !digits.ends_with(kNameEnd)) return std::nullopt;
  digits.remove_prefix(kNameStart.size());
  if (digits.size() <= kNameEnd.size()) return std::nullopt;
  digits.remove_suffix(kNameEnd.size());
  const auto id = parse_int64(digits);
  if (!id || *id <= 0 || *id > INT32_MAX || temporary_name(*id) != name) return std::nullopt;
  return static_cast<int32_t>(*id);
}

// Of one that we may not signal we know that it is there.
bool lives(int32_t process_id) { return ::kill(process_id, 0) == 0 || errno != ESRCH; }

}  // namespace

SnapshotFile::SnapshotFile(Files& files, std::string path, std::unique_ptr<RdbSnapshot> snapshot,
                           size_t bytes_max)
    : files_(files),
      path_(std::move(path)),
      temporary_(temporary_name(::getpid())),
      bytes_max_(bytes_max),
      snapshot_(std::move(snapshot)) {}

SnapshotFile::~SnapshotFile() {
  file_.reset();
  if (next_ != Next::kOpen && !in_place()) (void)files_.remove(temporary_);
}

// What a crash could leave in another state is a step of its own.
Result<bool> SnapshotFile::step() {
  switch (next_) {
    case Next::kOpen:
      return then(Next::kWrite, open());
    case Next::kWrite: {
      const auto last = write();
      if (!last) return last;
      return then(*last ? Next::kSync : Next::kWrite, {});
    }
    case Next::kSync:
      return then(Next::kRename, file_->sync());
    case Next::kRename:
      file_.reset();
      return then(Next::kSyncFolder, files_.rename(temporary_, path_));
    case Next::kSyncFolder:
      return then(Next::kNothing, files_.sync_folder(folder_of(path_)));
    case Next::kNothing:
      break;
  }
  return false;
}

Result<bool> SnapshotFile::then(Next next, const Result<void>& done) {
  if (!done) return std::unexpected(done.error());
  next_ = next;
  return next != Next::kNothing;
}

Result<void> SnapshotFile::open() {
  auto file = files_.open(temporary_, OpenMode::kReplace);
  if (!file) return std::unexpected(file.error());
  file_ = std::move(*file);
  return {};
}

Result<bool> SnapshotFile::write() {
  const bool more = snapshot_->produce(piece_);
  pending_ += piece_;
  if (more && pending_.size() < bytes_max_) return false;
  if (auto written = file_->append(pending_); !written) return std::unexpected(written.error());
  pending_.clear();
  return !more;
}

void remove_abandoned_files(Files& files, const std::string& folder) {
  const auto names = files.list(folder);
  if (!names) return log_warning("Cannot look for abandoned files: {}", names.error().text);
  for (const std::string& name : *names) {
    const auto process_id = process_of(name);
    if (!process_id || (*process_id != ::getpid() && lives(*process_id))) continue;
    const auto removed = files.remove(folder == "." ? name : folder + "/" + name);
    log_notice("Removed {}, left by a save that was killed{}", name,
               removed ? std::string() : ": " + removed.error().text);
  }
}

}  // namespace tandem
