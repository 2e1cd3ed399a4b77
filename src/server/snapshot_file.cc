#include "server/snapshot_file.h"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

namespace tandem {

SnapshotFile::SnapshotFile(Files& files, std::string path, std::unique_ptr<RdbSnapshot> snapshot,
                           size_t bytes_max)
    : files_(files),
      path_(std::move(path)),
      temporary_(fmt::format("temp-{}.rdb", ::getpid())),
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

}  // namespace tandem
