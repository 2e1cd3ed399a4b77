// A section is put together from all tables that are filed under it: first the lines of the layout,
// each from the metric that it names, then whatever else the tables tell. Of metrics with labels
// all of a label become one line.
#include "stats/info.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/ascii.h"
#include "stats/info_layout.h"

namespace tandem {
namespace {

std::string shown(const Metric& metric, const MetricValue& value) {
  if (const int64_t* integer = value.integer()) return fmt::format("{}", *integer);
  if (const double* fraction = value.fraction()) {
    return fmt::format("{:.{}f}", *fraction, metric.digits);
  }
  const std::string* text = value.text();
  return text == nullptr ? std::string() : *text;
}

// What one section's tables tell at one moment.
class Readings {
 public:
  Readings(const MetricTables& tables, std::string_view section) {
    for (const MetricTable& table : tables) {
      if (table.section() != section) continue;
      table.read([this](const Metric& metric, const MetricValue& value, std::string_view label) {
        label.empty() ? take(metric, value) : take(metric, value, label);
      });
    }
  }

  struct Reading {
    std::string text;
    int64_t integer = 0;
    bool has_line = false;
  };
  // Null: nothing is told of it now.
  Reading* find(std::string_view name) {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &readings_[found->second].second;
  }
  // In the tables' order.
  const std::vector<std::pair<std::string, Reading>>& all() const { return readings_; }
  const std::vector<std::pair<std::string, std::string>>& labels() const { return labels_; }

 private:
  void take(const Metric& metric, const MetricValue& value) {
    if (value.is_nothing() || places_.contains(metric.name)) return;
    places_.emplace(metric.name, readings_.size());
    const int64_t* integer = value.integer();
    readings_.emplace_back(metric.name, Reading{.text = shown(metric, value),
                                                .integer = integer == nullptr ? 0 : *integer});
  }
  void take(const Metric& metric, const MetricValue& value, std::string_view label) {
    if (labels_.empty() || labels_.back().first != label) labels_.emplace_back(label, "");
    if (value.is_nothing()) return;
    std::string& line = labels_.back().second;
    if (!line.empty()) line += ',';
    line += fmt::format("{}={}", metric.name, shown(metric, value));
  }

  std::vector<std::pair<std::string, Reading>> readings_;
  std::map<std::string, size_t, std::less<>> places_;
  std::vector<std::pair<std::string, std::string>> labels_;
};

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out += fmt::format("{}:{}\r\n", name, value);
}

void add_line(std::string& out, const InfoLine& line, Readings& readings) {
  if (line.form == InfoLine::Form::kConstant) return add_line(out, line.name, line.of);
  Readings::Reading* reading = readings.find(line.of.empty() ? line.name : line.of);
  if (reading == nullptr) return;
  reading->has_line = true;
  switch (line.form) {
    case InfoLine::Form::kHuman:
      return add_line(out, line.name, human_bytes(reading->integer));
    case InfoLine::Form::kPercent:
      return add_line(out, line.name, reading->text + "%");
    default:
      return add_line(out, line.name, reading->text);
  }
}

void add_section(std::string& out, const InfoSection& section, const MetricTables& tables) {
  if (!out.empty()) out += "\r\n";
  out += fmt::format("# {}\r\n", section.title);
  Readings readings(tables, section.word);
  for (const InfoLine& line : section.lines) add_line(out, line, readings);
  for (const auto& [name, reading] : readings.all()) {
    if (!reading.has_line) add_line(out, name, reading.text);
  }
  for (const auto& [label, line] : readings.labels()) {
    add_line(out, fmt::format("{}{}", section.label_prefix, label), line);
  }
}

}  // namespace

std::set<std::string> info_sections(std::span<const Bytes> words) {
  std::set<std::string> wanted;
  for (const Bytes word : words) wanted.insert(to_lower(word));
  const bool all = wanted.contains("all") || wanted.contains("everything");
  const bool defaults = words.empty() || all || wanted.contains("default");
  for (const InfoSection& section : info_layout()) {
    const bool by_default = section.asked == InfoSection::Asked::kByDefault;
    if (by_default ? defaults : all) wanted.emplace(section.word);
  }
  return wanted;
}

std::string info_text(const MetricTables& tables, const std::set<std::string>& sections) {
  std::string out;
  for (const InfoSection& section : info_layout()) {
    if (sections.contains(std::string(section.word))) add_section(out, section, tables);
  }
  return out;
}

std::map<std::string, MetricValue, std::less<>> read_metrics(const MetricTables& tables,
                                                             std::string_view section) {
  std::map<std::string, MetricValue, std::less<>> values;
  for (const MetricTable& table : tables) {
    if (table.section() != section) continue;
    table.read([&](const Metric& metric, const MetricValue& value, std::string_view label) {
      if (label.empty()) values.emplace(metric.name, value);
    });
  }
  return values;
}

std::string human_bytes(int64_t bytes) {
  constexpr double kUnit = 1024.0;
  if (bytes < static_cast<int64_t>(kUnit)) return fmt::format("{}B", bytes);
  double value = static_cast<double>(bytes);
  for (const char unit : {'K', 'M', 'G', 'T', 'P'}) {
    value /= kUnit;
    if (value < kUnit || unit == 'P') return fmt::format("{:.2f}{}", value, unit);
  }
  return "";
}

}  // namespace tandem
