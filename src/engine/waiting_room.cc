#include "engine/waiting_room.h"

#include <algorithm>

#include "base/number.h"

namespace tandem {

std::string WaitingRoom::name(int database, Bytes key) {
  std::string text = int64_text(database);
  text.push_back(':');
  return text.append(key);
}

void WaitingRoom::add(const std::shared_ptr<Waiter>& waiter) {
  for (const std::string& key : waiter->keys) {
    const int stripe = keyspace_.place(key).stripe();
    Queue& queue = queues_[static_cast<size_t>(stripe)][name(waiter->database, key)];
    if (!queue.empty() && queue.back() == waiter) continue;  // the same key named twice
    if (queue.empty()) key_count_.fetch_add(1, std::memory_order_relaxed);
    queue.push_back(waiter);
    ++keyspace_.interest(stripe);
    wide_[static_cast<size_t>(stripe)] += waiter->stripes.size() > 1;
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  if (waiter->deadline_ms != 0) timed_count_.fetch_add(1, std::memory_order_relaxed);
}

void WaitingRoom::remove(const std::shared_ptr<Waiter>& waiter) {
  for (const std::string& key : waiter->keys) {
    const int stripe = keyspace_.place(key).stripe();
    const Guard guard(keyspace_.stripe(stripe));
    leave(waiter, key, stripe);
  }
  discount(*waiter);
}

void WaitingRoom::remove_held(const std::shared_ptr<Waiter>& waiter) {
  for (const std::string& key : waiter->keys) leave(waiter, key, keyspace_.place(key).stripe());
  discount(*waiter);
}

void WaitingRoom::discount(const Waiter& waiter) {
  if (waiter.keys.empty()) return;
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (waiter.deadline_ms != 0) timed_count_.fetch_sub(1, std::memory_order_relaxed);
}

void WaitingRoom::leave(const std::shared_ptr<Waiter>& waiter, const std::string& key, int stripe) {
  Queues& queues = queues_[static_cast<size_t>(stripe)];
  const auto found = queues.find(name(waiter->database, key));
  if (found == queues.end()) return;
  const auto removed = static_cast<uint32_t>(std::erase(found->second, waiter));
  keyspace_.interest(stripe) -= removed;
  if (waiter->stripes.size() > 1) wide_[static_cast<size_t>(stripe)] -= removed;
  if (!found->second.empty()) return;
  queues.erase(found);
  key_count_.fetch_sub(1, std::memory_order_relaxed);
}

void WaitingRoom::add_further_stripes(int stripe, std::vector<int>& out) const {
  if (wide_[static_cast<size_t>(stripe)] == 0) return;
  for (const auto& [name, queue] : queues_[static_cast<size_t>(stripe)]) {
    for (const auto& waiter : queue) {
      if (waiter->stripes.size() > 1) {
        out.insert(out.end(), waiter->stripes.begin(), waiter->stripes.end());
      }
    }
  }
}

std::vector<std::shared_ptr<Waiter>> WaitingRoom::waiting_for(int database, Bytes key) {
  const Queues& queues = queues_[static_cast<size_t>(keyspace_.place(key).stripe())];
  const auto found = queues.find(name(database, key));
  if (found == queues.end()) return {};
  return {found->second.begin(), found->second.end()};
}

bool WaitingRoom::anybody_waits_for(int database, Bytes key) {
  return queues_[static_cast<size_t>(keyspace_.place(key).stripe())].contains(name(database, key));
}

std::vector<std::string> WaitingRoom::keys_waited_for(int database) {
  const std::string prefix = name(database, {});
  std::vector<std::string> keys;
  for (const Queues& queues : queues_) {
    for (const auto& [text, queue] : queues) {
      if (text.starts_with(prefix)) keys.push_back(text.substr(prefix.size()));
    }
  }
  return keys;
}

}  // namespace tandem
