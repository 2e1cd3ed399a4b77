#include "migration/arrivals.h"

#include <absl/container/flat_hash_set.h>

namespace tandem {
namespace {

constexpr Bytes kChanged =
    "ERR A key was changed here while it was moved. It stays, and the target has its former value";

bool has_changed(const SentKey& sent) {
  return sent.changed != nullptr && sent.changed->dirty.load(std::memory_order_relaxed);
}

}  // namespace

// A key that is gone by now (it has expired) is neither deleted nor kept; one that was named twice
// is gone after the first time.
void conclude_transfer(Context& c, std::span<const SentKey> sent, const TransferOutcome& outcome,
                       bool keeps_all) {
  std::vector<Bytes> words{"DEL"};
  absl::flat_hash_set<Bytes> named;
  bool changed = false;
  for (size_t at = 0; at < sent.size() && !keeps_all; ++at) {
    const SentKey& key = sent[at];
    if (!outcome.arrived[at] || !c.keys.exists(key.key)) continue;
    changed = changed || has_changed(key);
    if (!has_changed(key) && named.insert(key.key).second) words.emplace_back(key.key);
  }
  const Effect effect{std::span<const Bytes>(words)};
  for (const Bytes key : std::span(words).subspan(1)) c.keys.erase(event::kDel, key, effect);
  if (!outcome.error.empty()) return c.reply.error(outcome.error);
  if (changed) return c.reply.error(kChanged);
  c.reply.ok();
}

}  // namespace tandem
