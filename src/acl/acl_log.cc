#include "acl/acl_log.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tandem {
namespace {

constexpr size_t kLookedAtMax = 10;
constexpr int64_t kTogetherMs = 60'000;

bool belong_together(const AclEvent& a, const AclEvent& b) {
  return a.kind == b.kind && a.context == b.context && a.object == b.object && a.user == b.user &&
         std::abs(a.unix_ms - b.unix_ms) <= kTogetherMs;
}

}  // namespace

void AclLog::add(AclEvent event, size_t entries_max) {
  counts_[static_cast<size_t>(event.kind)].fetch_add(1, std::memory_order_relaxed);
  const Guard guard(lock_);
  const auto looked_at =
      entries_.begin() + static_cast<ptrdiff_t>(std::min(kLookedAtMax, entries_.size()));
  const auto same = std::find_if(entries_.begin(), looked_at, [&](const Entry& entry) {
    return entries_max != 0 && belong_together(entry.last, event);
  });
  if (same != looked_at) {
    Entry entry = std::move(*same);
    entries_.erase(same);
    entry.last = std::move(event);
    ++entry.count;
    entries_.push_front(std::move(entry));
    return;
  }
  if (entries_max != 0) {
    const int64_t created_ms = event.unix_ms;
    entries_.push_front({.last = std::move(event), .id = next_id_++, .created_ms = created_ms});
  }
  while (entries_.size() > entries_max) entries_.pop_back();
}

std::vector<AclLog::Entry> AclLog::entries(size_t count) const {
  const Guard guard(lock_);
  const auto shown = static_cast<ptrdiff_t>(std::min(count, entries_.size()));
  return {entries_.begin(), entries_.begin() + shown};
}

void AclLog::reset() {
  const Guard guard(lock_);
  entries_.clear();
}

namespace {

template <AclEventKind kKind>
constexpr auto kCount = [](const AclLog& log) -> MetricValue { return log.count(kKind); };

// Redis counts them since its start: CONFIG RESETSTAT leaves them alone.
constexpr MetricRow<AclLog> kMetrics[] = {
    {{.name = "acl_access_denied_auth",
      .kind = MetricKind::kCounter,
      .help = "Logins with a wrong name or password."},
     kCount<AclEventKind::kAuthentication>},
    {{.name = "acl_access_denied_cmd",
      .kind = MetricKind::kCounter,
      .help = "Commands that their user may not run."},
     kCount<AclEventKind::kCommand>},
    {{.name = "acl_access_denied_key",
      .kind = MetricKind::kCounter,
      .help = "Commands whose user may not use one of their keys."},
     kCount<AclEventKind::kKey>},
    {{.name = "acl_access_denied_channel",
      .kind = MetricKind::kCounter,
      .help = "Commands whose user has no right to one of their channels."},
     kCount<AclEventKind::kChannel>},
};

}  // namespace

MetricTable acl_metrics(const AclLog& log) { return MetricTable("stats", kMetrics, log); }

}  // namespace tandem
