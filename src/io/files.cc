#include "io/files.h"

#include <algorithm>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/result.h"

namespace tandem {

Result<std::string> Files::read_all(const std::string& path, uint64_t bytes_max) {
  Result<std::unique_ptr<File>> file = open(path, OpenMode::kRead);
  if (!file) return std::unexpected(file.error());
  Result<uint64_t> size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > bytes_max) {
    return fail(ErrorCode::kLimit, fmt::format("{}: longer than {} bytes", path, bytes_max));
  }
  std::string bytes(*size, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    Result<size_t> count = (*file)->read_at(filled, std::span(bytes).subspan(filled));
    if (!count) return std::unexpected(count.error());
    if (*count == 0) break;
    filled += *count;
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> Files::replace_all(const std::string& path, Bytes bytes) {
  const std::string temporary = path + ".tmp";
  Result<std::unique_ptr<File>> file = open(temporary, OpenMode::kReplace);
  if (!file) return std::unexpected(file.error());
  if (auto written = (*file)->append(bytes); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  file->reset();
  if (auto renamed = rename(temporary, path); !renamed) return renamed;
  return sync_folder(folder_of(path));
}

Bytes system_reason(const Error& error) {
  const Bytes whole = error.text;
  const size_t colon = whole.rfind(": ");
  return colon == whole.npos ? whole : whole.substr(colon + 2);
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Calls are restarted when a signal interrupts them and repeated when they do a part; a write that
// does nothing at all is an error.

namespace {

constexpr mode_t kFilePermissions = 0644;
constexpr mode_t kFolderPermissions = 0755;
constexpr size_t kPartsMax = 64;

class DiskFile final : public File {
 public:
  DiskFile(int descriptor, uint64_t end, std::string path)
      : descriptor_(descriptor), end_(end), path_(std::move(path)) {}
  DiskFile(const DiskFile&) = delete;
  DiskFile& operator=(const DiskFile&) = delete;
  ~DiskFile() override { ::close(descriptor_); }

  Result<void> append(std::span<const Bytes> parts) override {
    while (!parts.empty()) {
      const auto batch = parts.first(std::min(parts.size(), kPartsMax));
      if (auto done = append_batch(batch); !done) return done;
      parts = parts.subspan(batch.size());
    }
    return {};
  }

  Result<void> write_at(uint64_t offset, Bytes bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return fail_here("write", count);
      bytes.remove_prefix(static_cast<size_t>(count));
      offset += static_cast<uint64_t>(count);
      end_ = std::max(end_, offset);
    }
    return {};
  }

  Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const override {
    size_t filled = 0;
    while (filled < buffer.size()) {
      const ssize_t count = ::pread(descriptor_, buffer.data() + filled, buffer.size() - filled,
                                    static_cast<off_t>(offset + filled));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return fail_here("read", count);
      if (count == 0) break;
      filled += static_cast<size_t>(count);
    }
    return filled;
  }

  Result<uint64_t> size() const override {
    struct stat about{};
    if (::fstat(descriptor_, &about) != 0) return fail_here("stat", -1);
    return static_cast<uint64_t>(about.st_size);
  }

  Result<void> truncate(uint64_t size) override {
    int code;
    do {
      code = ::ftruncate(descriptor_, static_cast<off_t>(size));
    } while (code != 0 && errno == EINTR);
    if (code != 0) return fail_here("truncate", code);
    end_ = size;
    return {};
  }

  Result<void> sync() override {
    int code;
    do {
      code = ::fdatasync(descriptor_);
    } while (code != 0 && errno == EINTR);
    if (code != 0) return fail_here("fsync", code);
    return {};
  }

 private:
  std::unexpected<Error> fail_here(const char* what, ssize_t returned) const {
    const int code = returned < 0 ? errno : ENOSPC;
    return fail_system(fmt::format("{} {}", what, path_), code);
  }

  Result<void> append_batch(std::span<const Bytes> parts) {
    iovec vectors[kPartsMax];
    for (size_t i = 0; i < parts.size(); i++) {
      vectors[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    }
    std::span<iovec> left(vectors, parts.size());
    for (;;) {
      while (!left.empty() && left.front().iov_len == 0) left = left.subspan(1);
      if (left.empty()) return {};
      const ssize_t count = ::pwritev(descriptor_, left.data(), static_cast<int>(left.size()),
                                      static_cast<off_t>(end_));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return fail_here("write", count);
      end_ += static_cast<uint64_t>(count);
      skip(left, static_cast<size_t>(count));
    }
  }

  static void skip(std::span<iovec>& left, size_t count) {
    while (count > 0) {
      const size_t part = std::min(count, left.front().iov_len);
      left.front().iov_base = static_cast<char*>(left.front().iov_base) + part;
      left.front().iov_len -= part;
      count -= part;
      if (left.front().iov_len == 0) left = left.subspan(1);
    }
  }

  int descriptor_;
  uint64_t end_;  // where append writes; O_APPEND would misplace write_at
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<File>> DiskFiles::open(const std::string& path, OpenMode mode) {
  int flags = O_CLOEXEC;
  switch (mode) {
    case OpenMode::kRead:
      flags |= O_RDONLY;
      break;
    case OpenMode::kReadWrite:
      flags |= O_RDWR;
      break;
    case OpenMode::kAppend:
      flags |= O_RDWR | O_CREAT;
      break;
    case OpenMode::kReplace:
      flags |= O_RDWR | O_CREAT | O_TRUNC;
      break;
  }
  const int descriptor = ::open(path.c_str(), flags, kFilePermissions);
  if (descriptor < 0) return fail_system(fmt::format("open {}", path));
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) {
    const int code = errno;
    ::close(descriptor);
    return fail_system(fmt::format("stat {}", path), code);
  }
  return std::make_unique<DiskFile>(descriptor, static_cast<uint64_t>(about.st_size), path);
}

Result<void> DiskFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return fail_system(fmt::format("rename {} to {}", from, to));
  }
  return {};
}

Result<void> DiskFiles::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return fail_system(fmt::format("remove {}", path));
  return {};
}

Result<bool> DiskFiles::exists(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_system(fmt::format("look for {}", path));
}

Result<uint64_t> DiskFiles::size(const std::string& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return fail_system(fmt::format("stat {}", path));
  return static_cast<uint64_t>(about.st_size);
}

Result<void> DiskFiles::make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kFolderPermissions) == 0) return {};
  const int code = errno;
  struct stat about{};
  if (code == EEXIST && ::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) return {};
  return fail_system(fmt::format("make folder {}", path), code);
}

Result<std::vector<std::string>> DiskFiles::list(const std::string& folder) {
  DIR* directory = ::opendir(folder.c_str());
  if (!directory) return fail_system(fmt::format("list {}", folder));
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int code = errno;
  ::closedir(directory);
  if (code != 0) return fail_system(fmt::format("list {}", folder), code);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> DiskFiles::sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fail_system(fmt::format("open {}", folder));
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (code != 0) return fail_system(fmt::format("fsync {}", folder), code);
  return {};
}

}  // namespace tandem
