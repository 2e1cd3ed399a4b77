// SimFiles: a disk in memory that loses what was not synced. Bytes that were not synced, and names
// whose folder was not, may be gone after lose_power(), wholly or from some point on, with a torn
// write at that point. Outlives the process; a killed process loses nothing. Refuses and fails on
// demand. Deterministic by its seed. The folders "/" and "." are always there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "io/files.h"

namespace tandem {

class SimInode;

class SimFiles final : public Files {
 public:
  explicit SimFiles(uint64_t seed) : random_(seed) {}
  ~SimFiles() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<uint64_t> size(const std::string& path) override;
  Result<void> make_folder(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<void> sync_folder(const std::string& folder) override;

  // The process is gone: what its destructors still ask for fails and changes nothing.
  void set_cut_off(bool cut_off) noexcept { cut_off_ = cut_off; }
  // Only what was durable is sure to be left. With `keep_part` the seed decides how much of the
  // rest survived; without, nothing of it did. Files that are still open must not be used again.
  void lose_power(bool keep_part = true);

  // Faults. Bytes on the disk beyond the capacity are refused after a part of the write was done.
  void set_capacity_bytes(uint64_t bytes) noexcept { capacity_bytes_ = bytes; }
  uint64_t used_bytes() const;
  void fail_next_reads(int count) noexcept { failing_reads_ = count; }
  void fail_next_writes(int count) noexcept { failing_writes_ = count; }
  // The bytes of a sync that failed are never made durable by a later one, as on Linux.
  void fail_next_syncs(int count) noexcept { failing_syncs_ = count; }
  // Something that happens at the very moment when this file is opened, before it.
  void at_open_of(std::string path, std::function<void()> happens) {
    at_open_[std::move(path)] = std::move(happens);
  }
  // Rots one byte of a file, on the disk itself. False when there is no such byte.
  bool flip_byte(const std::string& path, uint64_t offset);

 private:
  class OpenFile;
  using Inode = std::shared_ptr<SimInode>;
  // One step of a folder's names: all of it is durable or none.
  using NameChange = std::vector<std::pair<std::string, Inode>>;  // null: removed

  bool folder_exists(const std::string& folder) const;
  Inode find(const std::string& path) const;
  void change_names(const std::string& folder, NameChange change);
  static bool take_fault(int& count) noexcept { return count > 0 && count-- > 0; }
  uint64_t room_bytes() const;

  Random random_;
  std::map<std::string, Inode> names_;
  std::map<std::string, Inode> durable_names_;
  std::map<std::string, std::vector<NameChange>> pending_names_;  // by folder
  bool cut_off_ = false;
  uint64_t capacity_bytes_ = UINT64_MAX;
  int failing_reads_ = 0;
  int failing_writes_ = 0;
  int failing_syncs_ = 0;
  std::map<std::string, std::function<void()>> at_open_;
};

}  // namespace tandem
