#include "pubsub/subscription_registry.h"

#include <algorithm>

#include "base/glob.h"

namespace tandem {
namespace {

// Keeps the order of arrival, in which messages are delivered.
template <class Map>
bool remove_receiver(Map& map, Bytes name, const Subscriber* subscriber) {
  const auto found = map.find(name);
  if (found == map.end()) return false;
  std::erase(found->second, subscriber);
  if (!found->second.empty()) return false;
  map.erase(found);
  return true;
}

bool erase_name(Subscriber::NameSet& names, Bytes name) {
  const auto found = names.find(name);
  if (found == names.end()) return false;
  names.erase(found);
  return true;
}

}  // namespace

SubscriptionRegistry::Shard& SubscriptionRegistry::shard(Bytes channel) {
  return shards_[std::hash<Bytes>()(channel) % kShards];
}

const SubscriptionRegistry::Shard& SubscriptionRegistry::shard(Bytes channel) const {
  return shards_[std::hash<Bytes>()(channel) % kShards];
}

bool SubscriptionRegistry::subscribe(Subscriber& subscriber, Bytes channel) {
  if (!subscriber.subscriptions.channels.emplace(channel).second) return false;
  Shard& home = shard(channel);
  const Guard guard(home.lock);
  const auto [place, fresh] = home.channels.try_emplace(std::string(channel));
  place->second.push_back(&subscriber);
  if (fresh) channel_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool SubscriptionRegistry::unsubscribe(Subscriber& subscriber, Bytes channel) {
  if (!erase_name(subscriber.subscriptions.channels, channel)) return false;
  Shard& home = shard(channel);
  const Guard guard(home.lock);
  if (remove_receiver(home.channels, channel, &subscriber)) {
    channel_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  return true;
}

bool SubscriptionRegistry::subscribe_pattern(Subscriber& subscriber, Bytes pattern) {
  if (!subscriber.subscriptions.patterns.emplace(pattern).second) return false;
  const Guard guard(patterns_lock_);
  const auto [place, fresh] = patterns_.try_emplace(std::string(pattern));
  place->second.push_back(&subscriber);
  if (fresh) pattern_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool SubscriptionRegistry::unsubscribe_pattern(Subscriber& subscriber, Bytes pattern) {
  if (!erase_name(subscriber.subscriptions.patterns, pattern)) return false;
  const Guard guard(patterns_lock_);
  if (remove_receiver(patterns_, pattern, &subscriber)) {
    pattern_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  return true;
}

void SubscriptionRegistry::forget(Subscriber& subscriber) {
  while (!subscriber.subscriptions.channels.empty()) {
    unsubscribe(subscriber, std::string(*subscriber.subscriptions.channels.begin()));
  }
  while (!subscriber.subscriptions.patterns.empty()) {
    unsubscribe_pattern(subscriber, std::string(*subscriber.subscriptions.patterns.begin()));
  }
}

int64_t SubscriptionRegistry::publish(Bytes channel, Bytes payload) {
  Shard& home = shard(channel);
  const Guard guard(home.lock);
  int64_t receivers = 0;
  const auto found = home.channels.find(channel);
  if (found != home.channels.end()) {
    const PublishedMessage message(nullptr, channel, payload);
    for (Subscriber* subscriber : found->second) subscriber->deliver(message);
    receivers += static_cast<int64_t>(found->second.size());
  }
  if (pattern_count() == 0) return receivers;
  const Guard patterns_guard(patterns_lock_);
  for (const auto& [pattern, subscribers] : patterns_) {
    if (!glob_match(pattern, channel)) continue;
    const PublishedMessage message(&pattern, channel, payload);
    for (Subscriber* subscriber : subscribers) subscriber->deliver(message);
    receivers += static_cast<int64_t>(subscribers.size());
  }
  return receivers;
}

std::vector<std::string> SubscriptionRegistry::channels(std::optional<Bytes> pattern) const {
  std::vector<std::string> names;
  for (const Shard& part : shards_) {
    const Guard guard(part.lock);
    for (const auto& [channel, receivers] : part.channels) {
      if (!pattern || glob_match(*pattern, channel)) names.push_back(channel);
    }
  }
  return names;
}

int64_t SubscriptionRegistry::subscriber_count(Bytes channel) const {
  const Shard& home = shard(channel);
  const Guard guard(home.lock);
  const auto found = home.channels.find(channel);
  return found == home.channels.end() ? 0 : static_cast<int64_t>(found->second.size());
}

}  // namespace tandem
