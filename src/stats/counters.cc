#include "stats/counters.h"

namespace tandem {
namespace {

constexpr MetricRow<ErrorCounts> kTotals[] = {
    {{.name = "total_error_replies",
      .kind = MetricKind::kCounter,
      .help = "Errors answered, of all codes."},
     metric_read<&ErrorCounts::total>,
     [](ErrorCounts& errors) { errors.reset(); }},
};

constexpr MetricRow<uint64_t> kCodes[] = {
    {{.name = "count", .kind = MetricKind::kCounter, .help = "Errors of the code."},
     [](const uint64_t& count) -> MetricValue { return count; }},
};

}  // namespace

MetricTables ErrorCounts::metrics() {
  return {
      MetricTable("stats", kTotals, *this),
      MetricTable::labelled<uint64_t>(
          "errorstats", kCodes,
          [this](FunctionRef<void(std::string_view, const uint64_t&)> visit) {
            for (const auto& [code, count] : list()) visit(code, count);
          }),
  };
}

}  // namespace tandem
