#include "server/file_load.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "base/logging.h"
#include "engine/dataset_install.h"
#include "server/snapshot_file.h"

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
  Engine& engine = parts_.engine;
  remove_abandoned_files(parts_.files, ".");
  const std::string path = parts_.options.file_name.get();
  const auto exists = parts_.files.exists(path);
  if (!exists) return std::unexpected(exists.error());
  if (!*exists) return std::nullopt;
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
  DatasetLoad load(engine.keyspace, options, drop);
  if (auto whole = read(**file, load); !whole) return std::unexpected(whole.error());
  const std::optional<DatasetPlace> place = load.place();
  const Installed installed = install_dataset(engine, load, {.place_log = [this, &place] {
                                                if (place && parts_.place_log != nullptr)
                                                  parts_.place_log(*place);
                                              }});
  CHECK(installed == Installed::kDone, "no snapshot runs while the file is loaded");
  log_notice("DB loaded from disk: {:.3f} seconds, {} keys, {} expired",
             static_cast<double>(engine.clock.monotonic_ms() - started_ms_.load()) / kMsPerSecond,
             load.keys(), load.expired_keys());
  return Loaded{place ? std::optional(place->position) : std::nullopt};
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

}  // namespace tandem
