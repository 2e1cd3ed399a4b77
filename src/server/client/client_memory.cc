#include "server/client/client_memory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/logging.h"

namespace tandem {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

bool is_counted(const ClientCard& card) {
  return !card.is(kClientReplica) && !card.is(kClientPrimary) && !card.killed.load();
}

}  // namespace

void ClientMemory::apply() {
  constexpr int64_t kPercent = 100;
  const int64_t configured = configured_.get();
  const auto hundredth = static_cast<int64_t>(memory_bytes_.get() / kPercent);
  const int64_t wanted = configured < 0 ? hundredth * -configured : configured;
  const int64_t limit = wanted == 0 ? 0 : std::max(wanted, kLimitBytesMin);
  limit_bytes_.store(limit, kRelaxed);
  if (limit == 0) return;
  for (const ClientRegistry::Card& card : clients_.list()) count(*card);
}

// Who ends a client marks it as killed before it is forgotten: whichever comes last of the two, its
// count is 0 then.
void ClientMemory::count(ClientCard& card) {
  const bool counted = is_counted(card);
  put_down(card, counted ? card.memory_bytes() : 0, counted && !card.is(kClientNoEvict));
  if (card.killed.load()) forget(card);
  if (is_over(limit_bytes_.load(kRelaxed)) && evictable_.load(kRelaxed) > 0) evict();
}

void ClientMemory::forget(ClientCard& card) { put_down(card, 0, false); }

void ClientMemory::put_down(ClientCard& card, int64_t bytes, bool may_be_ended) {
  total_bytes_.fetch_add(bytes - card.counted_bytes.exchange(bytes), kRelaxed);
  const int change = int{may_be_ended} - int{card.counted_evictable.exchange(may_be_ended)};
  if (change != 0) evictable_.fetch_add(change, kRelaxed);
}

void ClientMemory::evict() {
  const Guard guard(evicting_);
  const int64_t limit = limit_bytes_.load(kRelaxed);
  if (!is_over(limit)) return;
  std::vector<std::pair<int64_t, ClientRegistry::Card>> by_size;
  for (const ClientRegistry::Card& card : clients_.list()) {
    if (card->counted_evictable.load(kRelaxed)) {
      by_size.emplace_back(card->counted_bytes.load(kRelaxed), card);
    }
  }
  std::ranges::sort(by_size, std::greater<>(), [](const auto& one) { return one.first; });
  for (const auto& [bytes, card] : by_size) {
    if (!is_over(limit)) return;
    log_notice("Evicting client: {}", describe_client(*card, card->last_active_ms.load()));
    if (clients_.kill(*card)) evicted_.fetch_add(1, kRelaxed);
  }
}

namespace {

constexpr MetricRow<ClientMemory> kMetrics[] = {
    {{.name = "evicted_clients",
      .kind = MetricKind::kCounter,
      .help = "Clients ended because all together held more than maxmemory-clients."},
     metric_read<&ClientMemory::evicted>,
     [](ClientMemory& memory) { memory.reset_evicted(); }},
};

}  // namespace

MetricTable client_memory_metrics(ClientMemory& memory) {
  return MetricTable("stats", kMetrics, memory);
}

}  // namespace tandem
