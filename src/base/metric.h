// Statistics as tables. A part that counts something exports a table of what it counts: each row
// says what the number is called, what kind of number it is, in which unit, what it means, how it
// is read, and how CONFIG RESETSTAT takes it back. Whoever shows statistics (INFO, MEMORY STATS)
// or resets them reads tables and knows no part; so one more statistic is one more row:
//
//   constexpr MetricRow<Reclaimer> kMetrics[] = {
//       {{.name = "lazyfree_pending_objects", .help = "Keys that wait to be freed."},
//        metric_read<&Reclaimer::pending>},
//       {{.name = "lazyfreed_objects", .kind = MetricKind::kCounter, .help = "Keys freed so far."},
//        metric_read<&Reclaimer::freed>, [](Reclaimer& reclaimer) { reclaimer.reset_freed(); }}};
//   ...
//   MetricTable("memory", kMetrics, reclaimer)
//
// A table reads its source once and its rows from that one look, so that numbers that belong
// together agree. Rows are constants; a table refers to its source, which outlives it.
//
// Threads: a table is immutable. It may be read and reset by any thread if its source may.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/function_ref.h"

namespace tandem {

enum class MetricKind : uint8_t {
  kGauge,    // goes up and down
  kCounter,  // only grows, until it is reset
  kText,     // no number
};

enum class MetricUnit : uint8_t {
  kCount,
  kBytes,
  kSeconds,
  kMilliseconds,
  kMicroseconds,
  kUnixSeconds,
  kUnixMicroseconds,
  kRatio,
  kPercent,
  kPerSecond,
  kKibPerSecond,
};

struct Metric {
  std::string_view name;  // INFO's
  MetricKind kind = MetricKind::kGauge;
  MetricUnit unit = MetricUnit::kCount;
  std::string_view help = {};  // one sentence
  int digits = 2;              // behind the point, where a fraction is shown as text
};

// Nothing: the metric has no meaning at the moment (the progress of what does not run) and is not
// shown.
class MetricValue {
 public:
  MetricValue() = default;
  template <std::integral T>
  MetricValue(T number)  // NOLINT(google-explicit-constructor): a row's function returns numbers
      : value_(static_cast<int64_t>(number)) {}
  MetricValue(double number) : value_(number) {}              // NOLINT(google-explicit-constructor)
  MetricValue(std::string text) : value_(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  MetricValue(const char* text)
      : value_(std::string(text)) {}  // NOLINT(google-explicit-constructor)

  bool is_nothing() const { return std::holds_alternative<std::monostate>(value_); }
  const int64_t* integer() const { return std::get_if<int64_t>(&value_); }
  const double* fraction() const { return std::get_if<double>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }

  // Numbers add up; of texts the first stays.
  void add(const MetricValue& other) {
    if (is_nothing()) {
      value_ = other.value_;
    } else if (integer() != nullptr && other.integer() != nullptr) {
      value_ = *integer() + *other.integer();
    } else if (fraction() != nullptr && other.fraction() != nullptr) {
      value_ = *fraction() + *other.fraction();
    }
  }

 private:
  std::variant<std::monostate, int64_t, double, std::string> value_;
};

template <class Source>
struct MetricRow {
  Metric metric;
  MetricValue (*read)(const Source&);
  void (*reset)(Source&) = nullptr;  // null: CONFIG RESETSTAT leaves it as it is
};

// A row's functions for a plain member of its source, a number, an atomic or a counter, or for a
// function without arguments.
template <auto kWhere>
inline constexpr auto metric_read = [](const auto& source) -> MetricValue {
  const auto& found = std::invoke(kWhere, source);
  if constexpr (requires { found.get(); }) {
    return found.get();
  } else if constexpr (requires { found.load(); }) {
    return found.load();
  } else {
    return found;
  }
};
template <auto kWhere>
inline constexpr auto metric_reset = [](auto& source) {
  auto& found = std::invoke(kWhere, source);
  if constexpr (requires { found.reset(); }) {
    found.reset();
  } else {
    found.store(0);
  }
};

class MetricTable {
 public:
  // `label` tells apart what there is many of (the command, the database); it is empty otherwise.
  // What is handed over lives as long as the call.
  using Visit =
      FunctionRef<void(const Metric& metric, const MetricValue& value, std::string_view label)>;

  // For what fits no row. Without `reset` nothing of it is ever taken back.
  MetricTable(std::string_view section, std::function<void(Visit)> read,
              std::function<void()> reset = nullptr)
      : section_(section), read_(std::move(read)), reset_(std::move(reset)) {}

  // Of one source.
  template <class Source, size_t kCount>
  MetricTable(std::string_view section, const MetricRow<Source> (&rows)[kCount], Source& source)
      : MetricTable(summed<Source>(section, rows, [&source](auto visit) { visit(source); })) {}
  template <class Source, size_t kCount>
  MetricTable(std::string_view section, const MetricRow<Source> (&rows)[kCount],
              const Source& source)
      : MetricTable(
            looked_at<Source>(section, rows, [&source]() -> const Source& { return source; })) {}

  // Of what `look` returns, anew each time.
  template <class Source, size_t kCount>
  static MetricTable looked_at(std::string_view section, const MetricRow<Source> (&rows)[kCount],
                               auto look) {
    return MetricTable(section, [&rows, look = std::move(look)](Visit visit) {
      const Source& source = look();
      for (const MetricRow<Source>& row : rows) visit(row.metric, row.read(source), {});
    });
  }

  // Of several sources of a kind (one a worker), whose numbers add up: `each` calls with all.
  template <class Source, size_t kCount>
  static MetricTable summed(std::string_view section, const MetricRow<Source> (&rows)[kCount],
                            std::function<void(FunctionRef<void(Source&)>)> each) {
    return MetricTable(
        section,
        [&rows, each](Visit visit) {
          std::vector<MetricValue> sums(kCount);
          each([&](Source& source) {
            for (size_t at = 0; at < kCount; ++at) sums[at].add(rows[at].read(source));
          });
          for (size_t at = 0; at < kCount; ++at) visit(rows[at].metric, sums[at], {});
        },
        [&rows, each] {
          each([&](Source& source) {
            for (const MetricRow<Source>& row : rows) {
              if (row.reset != nullptr) row.reset(source);
            }
          });
        });
  }

  // Of many of a kind, each shown by itself: `each` calls with a label and a source for all.
  template <class Source, size_t kCount>
  static MetricTable labelled(
      std::string_view section, const MetricRow<Source> (&rows)[kCount],
      std::function<void(FunctionRef<void(std::string_view label, const Source&)>)> each,
      std::function<void()> reset = nullptr) {
    return MetricTable(
        section,
        [&rows, each](Visit visit) {
          each([&](std::string_view label, const Source& source) {
            for (const MetricRow<Source>& row : rows) {
              visit(row.metric, row.read(source), label);
            }
          });
        },
        std::move(reset));
  }

  // INFO's section, as a client names it: "stats".
  std::string_view section() const { return section_; }
  void read(Visit visit) const { read_(visit); }
  void reset() const {
    if (reset_ != nullptr) reset_();
  }

 private:
  std::string_view section_;
  std::function<void(Visit)> read_;
  std::function<void()> reset_;
};

using MetricTables = std::vector<MetricTable>;

// Adds tables to others.
inline void add_tables(MetricTables& tables, MetricTables more) {
  for (MetricTable& table : more) tables.push_back(std::move(table));
}

}  // namespace tandem
