#include "server/status/latency_texts.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace tandem {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kLines = 4;
constexpr std::string_view kMarks = "_o#";  // the lowest first
constexpr size_t kHeights = kLines * kMarks.size();

struct Column {
  size_t height;  // from 0
  std::string age;
};

std::string age_text(int64_t seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m", seconds / kMinute);
  if (seconds < kDay) return fmt::format("{}h", seconds / kHour);
  return fmt::format("{}d", seconds / kDay);
}

// `line` counts from the bottom.
char mark_of(const Column& column, size_t line) {
  const size_t own_line = column.height / kMarks.size();
  if (line == own_line) return kMarks[column.height % kMarks.size()];
  return line < own_line ? '|' : ' ';
}

void draw(std::string& out, std::span<const Column> columns) {
  for (size_t line = kLines; line-- > 0;) {
    for (const Column& column : columns) out += mark_of(column, line);
    out += '\n';
  }
  out.append(columns.size(), ' ');
  out += '\n';
  size_t longest = 0;
  for (const Column& column : columns) longest = std::max(longest, column.age.size());
  for (size_t letter = 0; letter < longest; ++letter) {
    for (const Column& column : columns) {
      out += letter < column.age.size() ? column.age[letter] : ' ';
    }
    out += '\n';
  }
}

}  // namespace

std::string latency_graph(const LatencyEvent& event, int64_t now_unix_s) {
  const auto [low, high] = std::ranges::minmax(event.samples, {}, &LatencySample::milliseconds);
  const auto range =
      static_cast<uint64_t>(std::max<int64_t>(high.milliseconds - low.milliseconds, 1));
  std::vector<Column> columns;
  for (const LatencySample& sample : event.samples) {
    const auto above = static_cast<uint64_t>(sample.milliseconds - low.milliseconds);
    columns.push_back({std::min(above * kHeights / range, kHeights - 1),
                       age_text(std::max<int64_t>(now_unix_s - sample.unix_s, 0))});
  }
  std::string out = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", event.name,
                                high.milliseconds, low.milliseconds, event.worst_ms);
  out.append(kColumns, '-');
  out += '\n';
  const std::span<const Column> all = columns;
  for (size_t at = 0; at < all.size(); at += kColumns) {
    if (at != 0) out += '\n';
    draw(out, all.subspan(at, std::min(kColumns, all.size() - at)));
  }
  return out;
}

namespace {

struct Advice {
  std::string_view event;
  std::string_view text;
};

constexpr Advice kAdvice[] = {
    {"command",
     "Some commands take long by what they are asked for. SLOWLOG GET shows which, if "
     "slowlog-log-slower-than is as low as the threshold here. KEYS, SORT and ranges over all of a "
     "large collection are usual ones: take them in steps."},
    {"fast-command",
     "Commands that have little to do took long, so something else had the processor: other "
     "programs, a script or a transaction with many commands, or pages that were swapped out."},
    {"expire-cycle",
     "Many keys came to their end at once. Spread their times, where they were all given the same "
     "one."},
    {"eviction-cycle",
     "Much had to be evicted at once to keep maxmemory. A lower maxmemory-eviction-tenacity lets "
     "commands wait for less of it."},
    {"eviction-del",
     "One evicted key took long to delete, though another thread frees what is large. So something "
     "else had the processor, or pages were swapped out."},
    {"command-unblocking",
     "Clients that waited for a key took long to be served. BLMPOP and BZMPOP with a large COUNT "
     "do."},
};

// A sentence on each event.
std::string describe(const LatencyEvent& event) {
  const auto count = static_cast<int64_t>(event.samples.size());
  int64_t sum_ms = 0;
  for (const LatencySample& sample : event.samples) sum_ms += sample.milliseconds;
  const int64_t average_ms = sum_ms / count;
  int64_t off_ms = 0;
  for (const LatencySample& sample : event.samples) {
    off_ms += std::abs(sample.milliseconds - average_ms);
  }
  const int64_t seconds = event.samples.back().unix_s - event.samples.front().unix_s;
  return fmt::format(
      "{}: {} spikes, {} ms on average, off by {} ms, one in {} s; {} ms at worst.\n", event.name,
      count, average_ms, off_ms / count, seconds / count, event.worst_ms);
}

}  // namespace

std::string latency_report(std::span<const LatencyEvent> events, bool monitored) {
  if (events.empty()) {
    return monitored ? "No spikes so far.\n"
                     : "Nothing is watched: CONFIG SET latency-monitor-threshold <milliseconds> "
                       "starts it.\n";
  }
  std::string report;
  for (const LatencyEvent& event : events) report += describe(event);
  report += '\n';
  for (const LatencyEvent& event : events) {
    for (const Advice& advice : kAdvice) {
      if (advice.event == event.name) report += fmt::format("- {}\n", advice.text);
    }
  }
  return report;
}

}  // namespace tandem
