#include "server/snapshot_file.h"

#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/logging.h"
#include "base/number.h"

namespace tandem {
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
