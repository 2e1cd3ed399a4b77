#include "server/machine_config_files.h"

#include <array>
#include <filesystem>

#include <glob.h>
#include <unistd.h>

namespace tandem {
namespace {

constexpr uint64_t kConfigBytesMax = 64 * 1024 * 1024;

}  // namespace

Result<std::string> MachineConfigFiles::read(const std::string& path) {
  auto text = files_.read_all(path, kConfigBytesMax);
  if (text || text.error().code != ErrorCode::kIo) return text;
  // "open <path>: <reason>": the reader of the message knows the path already.
  const std::string& whole = text.error().text;
  const size_t colon = whole.rfind(": ");
  return fail(ErrorCode::kIo, colon == whole.npos ? whole : whole.substr(colon + 2));
}

Result<std::string> MachineConfigFiles::read_standard_input() {
  std::string text;
  std::array<char, 4096> piece;
  ssize_t count;
  while ((count = ::read(STDIN_FILENO, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<size_t>(count));
    if (text.size() > kConfigBytesMax) {
      return fail(ErrorCode::kLimit, "the configuration on standard input is too long");
    }
  }
  if (count < 0) return fail(ErrorCode::kIo, "can't read the standard input");
  return text;
}

std::vector<std::string> MachineConfigFiles::expand(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

Result<void> MachineConfigFiles::replace(const std::string& path, const std::string& text) {
  return files_.replace_all(path, text);
}

bool MachineConfigFiles::exists(const std::string& path) {
  const auto found = files_.exists(path);
  return found && *found;
}

std::string MachineConfigFiles::absolute(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

}  // namespace tandem
