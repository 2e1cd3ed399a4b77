#include "server/client_registry.h"

#include <utility>

namespace tandem {

void ClientRegistry::add(Card card) {
  const Guard guard(lock_);
  const uint64_t id = card->id;
  cards_.emplace(id, std::move(card));
  count_.store(cards_.size(), std::memory_order_relaxed);
}

void ClientRegistry::remove(uint64_t id) {
  const Guard guard(lock_);
  cards_.erase(id);
  count_.store(cards_.size(), std::memory_order_relaxed);
}

std::vector<ClientRegistry::Card> ClientRegistry::list() const {
  const Guard guard(lock_);
  std::vector<Card> found;
  found.reserve(cards_.size());
  for (const auto& [id, card] : cards_) found.push_back(card);
  return found;
}

}  // namespace tandem
