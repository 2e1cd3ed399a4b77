// A file is its bytes as processes see them, its bytes as they are surely on the disk, and the
// writes between the two in order. Names are kept the same way, per folder. Losing power replays a
// part of what lies between.
#include "sim/files.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/check.h"
#include "base/result.h"

namespace tandem {

class SimInode {
 public:
  explicit SimInode(bool is_folder) : is_folder_(is_folder) {}

  bool is_folder() const { return is_folder_; }
  const std::string& bytes() const { return bytes_; }

  void write(uint64_t offset, Bytes bytes) {
    apply_write(bytes_, offset, bytes);
    pending_.push_back({offset, std::string(bytes), false});
  }
  void truncate(uint64_t size) {
    bytes_.resize(size);
    pending_.push_back({size, {}, true});
  }
  void sync() {
    for (const Change& change : pending_) apply(durable_, change);
    pending_.clear();
  }
  void forget_pending() { pending_.clear(); }

  void lose_power(Random& random, bool keep_part) {
    size_t kept = keep_part ? random.below(pending_.size() + 1) : 0;
    for (size_t i = 0; i < kept; i++) apply(durable_, pending_[i]);
    if (keep_part && kept < pending_.size() && !pending_[kept].truncates) {
      // The write at which the power went is torn.
      Change torn = pending_[kept];
      torn.bytes.resize(random.below(torn.bytes.size() + 1));
      if (!torn.bytes.empty()) apply(durable_, torn);
    }
    pending_.clear();
    bytes_ = durable_;
  }

  bool flip(uint64_t offset) {
    if (offset >= bytes_.size()) return false;
    bytes_[offset] = static_cast<char>(bytes_[offset] ^ 0x20);
    if (offset < durable_.size()) durable_[offset] = bytes_[offset];
    return true;
  }

 private:
  struct Change {
    uint64_t offset;  // or the new size
    std::string bytes;
    bool truncates;
  };

  static void apply_write(std::string& to, uint64_t offset, Bytes bytes) {
    if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
    to.replace(offset, bytes.size(), bytes);
  }
  static void apply(std::string& to, const Change& change) {
    if (change.truncates) {
      to.resize(change.offset);
    } else {
      apply_write(to, change.offset, change.bytes);
    }
  }

  bool is_folder_;
  std::string bytes_;
  std::string durable_;
  std::vector<Change> pending_;
};

class SimFiles::OpenFile final : public File {
 public:
  OpenFile(SimFiles& disk, std::shared_ptr<SimInode> inode, std::string path, bool may_write)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), may_write_(may_write) {}

  Result<void> append(std::span<const Bytes> parts) override {
    for (const Bytes& part : parts) {
      if (auto written = write_at(inode_->bytes().size(), part); !written) return written;
    }
    return {};
  }

  Result<void> write_at(uint64_t offset, Bytes bytes) override {
    if (!may_write_) return fail_system("write " + path_, EBADF);
    if (disk_.cut_off_) return fail_system("write " + path_, EIO);
    if (bytes.empty()) return {};
    if (SimFiles::take_fault(disk_.failing_writes_)) return fail_system("write " + path_, EIO);
    const uint64_t size = inode_->bytes().size();
    const uint64_t grows = offset + bytes.size() > size ? offset + bytes.size() - size : 0;
    const uint64_t room = disk_.room_bytes();
    if (grows <= room) {
      inode_->write(offset, bytes);
      return {};
    }
    const uint64_t missing = grows - room;
    if (missing < bytes.size()) inode_->write(offset, bytes.substr(0, bytes.size() - missing));
    return fail_system("write " + path_, ENOSPC);
  }

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const override {
    if (SimFiles::take_fault(disk_.failing_reads_)) return fail_system("read " + path_, EIO);
    const std::string& bytes = inode_->bytes();
    if (offset >= bytes.size()) return 0;
    return bytes.copy(buffer.data(), buffer.size(), offset);
  }

  Result<uint64_t> size() const override { return inode_->bytes().size(); }

  Result<void> truncate(uint64_t size) override {
    if (!may_write_) return fail_system("truncate " + path_, EBADF);
    if (disk_.cut_off_) return fail_system("truncate " + path_, EIO);
    inode_->truncate(size);
    return {};
  }

  Result<void> sync() override {
    if (disk_.cut_off_) return fail_system("fsync " + path_, EIO);
    if (SimFiles::take_fault(disk_.failing_syncs_)) {
      inode_->forget_pending();
      return fail_system("fsync " + path_, EIO);
    }
    inode_->sync();
    return {};
  }

 private:
  SimFiles& disk_;
  std::shared_ptr<SimInode> inode_;
  std::string path_;
  bool may_write_;
};

SimFiles::~SimFiles() = default;

bool SimFiles::folder_exists(const std::string& folder) const {
  if (folder == "/" || folder == ".") return true;
  const Inode inode = find(folder);
  return inode && inode->is_folder();
}

SimFiles::Inode SimFiles::find(const std::string& path) const {
  auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

void SimFiles::change_names(const std::string& folder, NameChange change) {
  for (const auto& [path, inode] : change) {
    if (inode) {
      names_[path] = inode;
    } else {
      names_.erase(path);
    }
  }
  pending_names_[folder].push_back(std::move(change));
}

Result<std::unique_ptr<File>> SimFiles::open(const std::string& path, OpenMode mode) {
  if (cut_off_) return fail_system("open " + path, EIO);
  if (const auto happens = at_open_.extract(path)) happens.mapped()();
  Inode inode = find(path);
  if (inode && inode->is_folder()) return fail_system("open " + path, EISDIR);
  const bool may_make = mode == OpenMode::kAppend || mode == OpenMode::kReplace;
  if (!inode) {
    if (!may_make || !folder_exists(folder_of(path))) return fail_system("open " + path, ENOENT);
    if (room_bytes() == 0) return fail_system("open " + path, ENOSPC);
    inode = std::make_shared<SimInode>(false);
    change_names(folder_of(path), {{path, inode}});
  } else if (mode == OpenMode::kReplace) {
    inode->truncate(0);
  }
  return std::make_unique<OpenFile>(*this, std::move(inode), path, mode != OpenMode::kRead);
}

Result<void> SimFiles::rename(const std::string& from, const std::string& to) {
  if (cut_off_) return fail_system("rename " + from, EIO);
  const Inode inode = find(from);
  if (!inode || !folder_exists(folder_of(to))) return fail_system("rename " + from, ENOENT);
  CHECK(!inode->is_folder(), "the simulated disk renames files only");
  if (from == to) return {};
  if (folder_of(from) == folder_of(to)) {
    change_names(folder_of(to), {{from, nullptr}, {to, inode}});
  } else {
    change_names(folder_of(to), {{to, inode}});
    change_names(folder_of(from), {{from, nullptr}});
  }
  return {};
}

Result<void> SimFiles::remove(const std::string& path) {
  if (cut_off_) return fail_system("remove " + path, EIO);
  const Inode inode = find(path);
  if (!inode) return fail_system("remove " + path, ENOENT);
  if (inode->is_folder()) return fail_system("remove " + path, EISDIR);
  change_names(folder_of(path), {{path, nullptr}});
  return {};
}

Result<bool> SimFiles::exists(const std::string& path) {
  return folder_exists(path) || find(path) != nullptr;
}

Result<uint64_t> SimFiles::size(const std::string& path) {
  const Inode inode = find(path);
  if (!inode) return fail_system("stat " + path, ENOENT);
  return inode->bytes().size();
}

Result<void> SimFiles::make_folder(const std::string& path) {
  if (cut_off_) return fail_system("make folder " + path, EIO);
  if (folder_exists(path)) return {};
  if (find(path)) return fail_system("make folder " + path, EEXIST);
  if (!folder_exists(folder_of(path))) return fail_system("make folder " + path, ENOENT);
  change_names(folder_of(path), {{path, std::make_shared<SimInode>(true)}});
  return {};
}

Result<std::vector<std::string>> SimFiles::list(const std::string& folder) {
  if (!folder_exists(folder)) return fail_system("list " + folder, ENOENT);
  std::vector<std::string> found;
  for (const auto& [path, inode] : names_) {
    if (folder_of(path) == folder) found.push_back(path.substr(path.rfind('/') + 1));
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> SimFiles::sync_folder(const std::string& folder) {
  if (cut_off_) return fail_system("fsync " + folder, EIO);
  if (!folder_exists(folder)) return fail_system("open " + folder, ENOENT);
  if (take_fault(failing_syncs_)) return fail_system("fsync " + folder, EIO);
  for (const NameChange& change : std::exchange(pending_names_[folder], {})) {
    for (const auto& [path, inode] : change) {
      if (inode) {
        durable_names_[path] = inode;
      } else {
        durable_names_.erase(path);
      }
    }
  }
  return {};
}

void SimFiles::lose_power(bool keep_part) {
  for (auto& [folder, changes] : pending_names_) {
    const size_t kept = keep_part ? random_.below(changes.size() + 1) : 0;
    changes.resize(kept);
  }
  for (const auto& [folder, changes] : std::exchange(pending_names_, {})) {
    for (const NameChange& change : changes) {
      for (const auto& [path, inode] : change) {
        if (inode) {
          durable_names_[path] = inode;
        } else {
          durable_names_.erase(path);
        }
      }
    }
  }
  // What lies in a folder whose own name was lost is lost with it.
  names_.clear();
  for (const auto& [path, inode] : durable_names_) {
    if (folder_exists(folder_of(path))) names_.emplace(path, inode);
  }
  durable_names_ = names_;
  // A file with two names, as after half a rename between folders, loses its bytes once.
  std::set<SimInode*> done;
  for (const auto& [path, inode] : names_) {
    if (done.insert(inode.get()).second) inode->lose_power(random_, keep_part);
  }
}

uint64_t SimFiles::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [path, inode] : names_) used += inode->bytes().size();
  return used;
}

uint64_t SimFiles::room_bytes() const {
  const uint64_t used = used_bytes();
  return used < capacity_bytes_ ? capacity_bytes_ - used : 0;
}

bool SimFiles::flip_byte(const std::string& path, uint64_t offset) {
  const Inode inode = find(path);
  return inode && inode->flip(offset);
}

}  // namespace tandem
