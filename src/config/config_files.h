// The files that a configuration touches, behind an interface so that tests need no disk.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tandem {

class ConfigFiles {
 public:
  virtual ~ConfigFiles() = default;
  virtual Result<std::string> read(const std::string& path) = 0;
  virtual Result<std::string> read_standard_input() = 0;
  // The paths that a shell pattern matches, sorted; the pattern itself when it has no special
  // characters.
  virtual std::vector<std::string> expand(const std::string& pattern) = 0;
  // Replaces the file as a whole: a reader sees the old text or the new, also after a crash.
  virtual Result<void> replace(const std::string& path, const std::string& text) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual std::string absolute(const std::string& path) = 0;
};

}  // namespace tandem
