// INFO: the metrics of the moment as the text that clients and monitoring know, with Redis's
// sections, field names and order (stats/info_layout.h). Reads the parts' tables, and knows none of
// the parts.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

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

}  // namespace tandem
