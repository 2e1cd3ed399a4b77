// Files: the disk, behind an interface that a simulation can own. Calls block, so they belong on
// threads of their own or into Loop::offload, never onto a worker's loop. The real one, DiskFiles,
// has no state: any thread; a File is confined to one thread at a time.
//
// What is durable when: a file's bytes after its sync(); its name (create, rename, remove) after
// the sync_folder() of its folder, and not before. Errors: kIo with the operating system's reason;
// kEnd only where said.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

class File {
 public:
  virtual ~File() = default;

  // Behind the last byte. On an error a part may have been written: size() says, truncate() takes
  // it back.
  virtual Result<void> append(std::span<const Bytes> parts) = 0;
  Result<void> append(Bytes bytes) { return append(std::span<const Bytes>(&bytes, 1)); }
  virtual Result<void> write_at(uint64_t offset, Bytes bytes) = 0;
  // As much as there is, up to the buffer's size; 0 at and behind the end.
  virtual Result<size_t> read_at(uint64_t offset, std::span<char> buffer) const = 0;
  virtual Result<uint64_t> size() const = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  // Bytes and size are durable when it returns well. After an error nothing is known: do not try
  // again and believe it.
  virtual Result<void> sync() = 0;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kAppend,     // made when missing; read_at works, too
  kReplace,    // made when missing, emptied when not
};

class Files {
 public:
  virtual ~Files() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // Replaces `to` in one step; both in the same file system.
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  virtual Result<uint64_t> size(const std::string& path) = 0;
  // Fine when it is there already. Its parent must exist.
  virtual Result<void> make_folder(const std::string& path) = 0;
  // Names without the folder's, files and folders, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& folder) = 0;
  virtual Result<void> sync_folder(const std::string& folder) = 0;

  // The whole file; kLimit when it is longer than `bytes_max`.
  Result<std::string> read_all(const std::string& path, uint64_t bytes_max);
  // `bytes` under `path`, durably, in one step: a temporary file beside it, synced, renamed, folder
  // synced.
  Result<void> replace_all(const std::string& path, Bytes bytes);
};

// The reason alone of an error of these, without the call and the path: "Permission denied".
Bytes system_reason(const Error& error);

// The folder part of a path, "." when it has none.
std::string folder_of(const std::string& path);

// The real disk, by system calls. Stateless: any thread.
class DiskFiles final : public Files {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<uint64_t> size(const std::string& path) override;
  Result<void> make_folder(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<void> sync_folder(const std::string& folder) override;
};

}  // namespace tandem
