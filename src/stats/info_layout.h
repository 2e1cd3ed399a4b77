// INFO's sections and lines, in Redis's order: which metric each line shows and how, and what is
// said of things that do not exist here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tandem {

struct InfoLine {
  enum class Form : uint8_t {
    kValue,
    kHuman,    // of bytes: "6.47M"
    kPercent,  // with the sign behind it
    kConstant,
  };

  std::string_view name;
  Form form = Form::kValue;
  std::string_view of = {};  // the metric, if its name is another; for a constant its text
};

struct InfoSection {
  enum class Asked : uint8_t { kByDefault, kWithAll };

  std::string_view word;   // lower case, as clients ask for it and as tables are filed
  std::string_view title;  // as it is shown
  Asked asked = Asked::kByDefault;
  // Metrics of the section's tables without a line here stand behind these, in their tables' order.
  std::span<const InfoLine> lines = {};
  // Of sections with a line for each label ("cmdstat_get:calls=1,..."): what is before the label.
  std::string_view label_prefix = {};
};

std::span<const InfoSection> info_layout();

}  // namespace tandem
