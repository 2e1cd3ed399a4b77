#include "engine/blocked_clients.h"

namespace tandem {

bool Waiter::end() {
  State now = State::kWaiting;
  while (!state_.compare_exchange_strong(now, State::kOver, std::memory_order_acq_rel)) {
    if (now == State::kOver) return false;
    state_.wait(State::kClaimed, std::memory_order_acquire);
    now = State::kWaiting;
  }
  return true;
}

// A queue is ordered by type and arrival, so who waits for another type than the key now holds is
// passed over without a look. What one waiter leaves behind in the queues of its other keys goes
// with remove(), at a logarithmic price.
void BlockedClients::add(const std::shared_ptr<Waiter>& waiter) {
  const WaitTerms& wait = waiter->wait();
  waiter->arrival = arrivals_.fetch_add(1, std::memory_order_relaxed) + 1;
  for (const std::string& key : wait.keys) {
    queues_.with(wait.database, key, [&](Queue& queue, auto interest) {
      if (queue.waiters.empty()) key_count_.fetch_add(1, std::memory_order_relaxed);
      // False: the same key named twice.
      if (queue.waiters.emplace(Order{wait.type, waiter->arrival}, waiter).second) interest.add();
      if (!wait.further.empty()) queue.with_further.emplace(waiter->arrival, waiter.get());
      if (wait.needs_keys) queue.in_need.emplace(waiter->arrival, waiter);
      return true;
    });
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  if (wait.deadline_ms != 0) timed_count_.fetch_add(1, std::memory_order_relaxed);
}

void BlockedClients::remove(const Waiter& waiter) {
  const WaitTerms& wait = waiter.wait();
  if (wait.keys.empty()) return;
  for (const std::string& key : wait.keys) {
    queues_.with_present(wait.database, key, [&](Queue& queue, auto interest) {
      if (queue.waiters.erase(Order{wait.type, waiter.arrival}) != 0) interest.remove();
      queue.with_further.erase(waiter.arrival);
      queue.in_need.erase(waiter.arrival);
      if (!queue.waiters.empty()) return true;
      key_count_.fetch_sub(1, std::memory_order_relaxed);
      return false;
    });
  }
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (wait.deadline_ms != 0) timed_count_.fetch_sub(1, std::memory_order_relaxed);
}

std::shared_ptr<Waiter> BlockedClients::claim_next(int database, Bytes key, ValueType type,
                                                   uint64_t arrival) {
  std::shared_ptr<Waiter> claimed;
  queues_.with_present(database, key, [&](Queue& queue, auto) {
    for (auto at = queue.waiters.upper_bound(Order{type, arrival});
         at != queue.waiters.end() && at->first.first == type; ++at) {
      if (!at->second->claim()) continue;
      claimed = at->second;
      break;
    }
    return true;
  });
  return claimed;
}

std::shared_ptr<Waiter> BlockedClients::claim_next_without(int database, Bytes key,
                                                           std::optional<ValueType> holds,
                                                           uint64_t arrival) {
  std::shared_ptr<Waiter> claimed;
  queues_.with_present(database, key, [&](Queue& queue, auto) {
    for (auto at = queue.in_need.upper_bound(arrival); at != queue.in_need.end(); ++at) {
      if (holds == at->second->wait().type || !at->second->claim()) continue;
      claimed = at->second;
      break;
    }
    return true;
  });
  return claimed;
}

void BlockedClients::add_further_stripes(int database, Bytes key, StripeSet& out) {
  constexpr size_t kLookedAtMax = 16;
  queues_.with_present(database, key, [&](const Queue& queue, auto) {
    if (queue.with_further.size() > kLookedAtMax) {
      out = StripeSet::all();
    } else {
      for (const auto& [arrival, waiter] : queue.with_further) out.add(waiter->wait().further);
    }
    return true;
  });
}

std::vector<std::string> BlockedClients::keys_waited_for(int database) {
  std::vector<std::string> keys;
  queues_.for_each(database, [&](Bytes key, const Queue&) { keys.emplace_back(key); });
  return keys;
}

void BlockedClients::end_all(const AllStripes& /*all*/, const std::string& reply) {
  std::vector<std::shared_ptr<Waiter>> all;
  for (int database = 0; database < keyspace_.database_count(); ++database) {
    queues_.for_each(database, [&](Bytes, const Queue& queue) {
      for (const auto& [order, waiter] : queue.waiters) all.push_back(waiter);
    });
  }
  for (const auto& waiter : all) {
    if (waiter->end_with_and_close(reply)) remove(*waiter);
  }
}

}  // namespace tandem
