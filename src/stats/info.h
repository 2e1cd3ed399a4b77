// INFO: the metrics of the moment as the text that clients and monitoring know, with Redis's
// sections, field names and order. Reads the parts' tables, and knows none of
// the parts.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/metric.h"

namespace tandem {

// Which sections the arguments of INFO ask for, lower case; without arguments the default ones.
std::set<std::string> info_sections(std::span<const Bytes> words);

// Only tables of these sections are read.
std::string info_text(const MetricTables& tables, const std::set<std::string>& sections);

// What the tables of a section say now, by the metric's name; those with labels are left out.
std::map<std::string, MetricValue, std::less<>> read_metrics(const MetricTables& tables,
                                                             std::string_view section);

// "6.47M", as the fields that end in _human show it.
std::string human_bytes(int64_t bytes);

// INFO's sections and lines, in Redis's order: which metric each line shows and how, and what is
// said of things that do not exist here.

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
