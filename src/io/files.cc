#include "io/files.h"

#include <fmt/format.h>

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

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace tandem
