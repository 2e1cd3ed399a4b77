// The machine's files, as configuration reads and replaces them.
#pragma once

#include <string>
#include <vector>

#include "config/config_files.h"
#include "io/files.h"

namespace tandem {

// Confined to one thread at a time.
class MachineConfigFiles final : public ConfigFiles {
 public:
  explicit MachineConfigFiles(Files& files) : files_(files) {}
  Result<std::string> read(const std::string& path) override;
  Result<std::string> read_standard_input() override;
  std::vector<std::string> expand(const std::string& pattern) override;
  Result<void> replace(const std::string& path, const std::string& text) override;
  bool exists(const std::string& path) override;
  std::string absolute(const std::string& path) override;

 private:
  Files& files_;
};

}  // namespace tandem
