// CONFIG REWRITE on text: the file's comments, order and unknown lines stay; a directive's lines
// are replaced where they stand, and what has no place yet goes to the end. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

struct RewriteEntry {
  std::string_view name;
  std::string_view alias;  // lines under this name count as the directive's, and get the other name
  std::vector<std::string> lines;  // whole lines, names included
  bool is_default = false;  // then they are written only if the file has the directive already
};

std::string rewrite_config(std::string_view text, std::span<const RewriteEntry> entries);

}  // namespace tandem
