#include "server/client_registry.h"

#include <utility>

namespace tandem {

void ClientRegistry::add(Card card) {
  const Guard guard(lock_);
  const uint64_t id = card->id;
  cards_.emplace(id, std::move(card));
  count_.store(cards_.size(), std::memory_order_relaxed);
}

void ClientRegistry::remove(ClientCard& card) {
  card.killed.store(true);
  {
    const Guard guard(lock_);
    cards_.erase(card.id);
    count_.store(cards_.size(), std::memory_order_relaxed);
  }
  card.inbox.close();
  if (leaving_ != nullptr) leaving_(card);
}

bool ClientRegistry::kill(ClientCard& card) {
  if (card.killed.exchange(true)) return false;
  remove(card);
  if (card.wake != nullptr) card.wake();
  return true;
}

std::vector<ClientRegistry::Card> ClientRegistry::list() const {
  const Guard guard(lock_);
  std::vector<Card> found;
  found.reserve(cards_.size());
  for (const auto& [id, card] : cards_) found.push_back(card);
  return found;
}

std::vector<ClientRegistry::Card> ClientRegistry::list(std::span<const uint64_t> ids) const {
  const Guard guard(lock_);
  std::vector<Card> found;
  for (const uint64_t id : ids) {
    const auto at = cards_.find(id);
    if (at != cards_.end()) found.push_back(at->second);
  }
  return found;
}

}  // namespace tandem
