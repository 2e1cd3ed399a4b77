#include "pubsub/subscription_registry.h"

#include <algorithm>

#include "base/glob.h"
#include "resp/reply_writer.h"

namespace tandem {

std::shared_ptr<const std::string> PublishedMessage::encoded(int protocol) const {
  std::shared_ptr<const std::string>& cached = encoded_[protocol == 2 ? 0 : 1];
  if (cached == nullptr) {
    auto text = std::make_shared<std::string>();
    ReplyWriter reply(*text, protocol);
    reply.push(pattern_ == nullptr ? 3 : 4);
    reply.bulk(pattern_ == nullptr ? "message" : "pmessage");
    if (pattern_ != nullptr) reply.bulk(*pattern_);
    reply.bulk(channel_);
    reply.bulk(payload_);
    cached = std::move(text);
  }
  return cached;
}

namespace {

// Keeps the order of arrival, in which messages are delivered.
template <class Map>
bool remove_receiver(Map& map, Bytes name, const Subscriber* subscriber) {
  const auto found = map.find(name);
  if (found == map.end()) return false;
  std::erase_if(found->second, [&](const auto& member) { return member.get() == subscriber; });
  if (!found->second.empty()) return false;
  map.erase(found);
  return true;
}

void count(Subscriber& subscriber, std::atomic<int64_t>& names, Bytes name, int64_t change) {
  names.fetch_add(change, std::memory_order_relaxed);
  const auto bytes = static_cast<int64_t>(name.size() + sizeof(std::string));
  subscriber.subscriptions.name_bytes.fetch_add(change * bytes, std::memory_order_relaxed);
}

}  // namespace

SubscriptionRegistry::Shard& SubscriptionRegistry::shard(Bytes channel) {
  return shards_[std::hash<Bytes>()(channel) % kShards];
}

const SubscriptionRegistry::Shard& SubscriptionRegistry::shard(Bytes channel) const {
  return shards_[std::hash<Bytes>()(channel) % kShards];
}

bool SubscriptionRegistry::subscribe(const Member& subscriber, Bytes channel) {
  Subscriber::Subscriptions& own = subscriber->subscriptions;
  const Guard own_guard(own.lock);
  if (own.over || !own.channels.emplace(channel).second) return false;
  count(*subscriber, own.channel_count, channel, 1);
  Shard& home = shard(channel);
  const Guard guard(home.lock);
  const auto [place, fresh] = home.channels.try_emplace(std::string(channel));
  place->second.push_back(subscriber);
  if (fresh) channel_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool SubscriptionRegistry::subscribe_pattern(const Member& subscriber, Bytes pattern) {
  Subscriber::Subscriptions& own = subscriber->subscriptions;
  const Guard own_guard(own.lock);
  if (own.over || !own.patterns.emplace(pattern).second) return false;
  count(*subscriber, own.pattern_count, pattern, 1);
  const Guard guard(patterns_lock_);
  const auto [place, fresh] = patterns_.try_emplace(std::string(pattern));
  place->second.push_back(subscriber);
  if (fresh) pattern_count_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool SubscriptionRegistry::unsubscribe(Subscriber& subscriber, Bytes channel) {
  const Guard guard(subscriber.subscriptions.lock);
  return leave_channel(subscriber, channel);
}

bool SubscriptionRegistry::unsubscribe_pattern(Subscriber& subscriber, Bytes pattern) {
  const Guard guard(subscriber.subscriptions.lock);
  return leave_pattern(subscriber, pattern);
}

bool SubscriptionRegistry::leave_channel(Subscriber& subscriber, Bytes channel) {
  const auto named = subscriber.subscriptions.channels.find(channel);
  if (named == subscriber.subscriptions.channels.end()) return false;
  count(subscriber, subscriber.subscriptions.channel_count, channel, -1);
  Shard& home = shard(channel);
  {
    const Guard guard(home.lock);
    if (remove_receiver(home.channels, channel, &subscriber)) {
      channel_count_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  subscriber.subscriptions.channels.erase(named);
  return true;
}

bool SubscriptionRegistry::leave_pattern(Subscriber& subscriber, Bytes pattern) {
  const auto named = subscriber.subscriptions.patterns.find(pattern);
  if (named == subscriber.subscriptions.patterns.end()) return false;
  count(subscriber, subscriber.subscriptions.pattern_count, pattern, -1);
  {
    const Guard guard(patterns_lock_);
    if (remove_receiver(patterns_, pattern, &subscriber)) {
      pattern_count_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  subscriber.subscriptions.patterns.erase(named);
  return true;
}

void SubscriptionRegistry::leave_all(Subscriber& subscriber) {
  while (!subscriber.subscriptions.channels.empty())
    leave_channel(subscriber, *subscriber.subscriptions.channels.begin());
  while (!subscriber.subscriptions.patterns.empty())
    leave_pattern(subscriber, *subscriber.subscriptions.patterns.begin());
}

void SubscriptionRegistry::forget(Subscriber& subscriber) {
  const Guard guard(subscriber.subscriptions.lock);
  leave_all(subscriber);
}

void SubscriptionRegistry::end(Subscriber& subscriber) {
  const Guard guard(subscriber.subscriptions.lock);
  subscriber.subscriptions.over = true;
  leave_all(subscriber);
}

std::vector<std::string> SubscriptionRegistry::channels_of(Subscriber& subscriber) {
  const Guard guard(subscriber.subscriptions.lock);
  return {subscriber.subscriptions.channels.begin(), subscriber.subscriptions.channels.end()};
}

std::vector<std::string> SubscriptionRegistry::patterns_of(Subscriber& subscriber) {
  const Guard guard(subscriber.subscriptions.lock);
  return {subscriber.subscriptions.patterns.begin(), subscriber.subscriptions.patterns.end()};
}

int64_t SubscriptionRegistry::publish(Bytes channel, Bytes payload) {
  // Cut off behind the locks, for whoever goes leaves this registry.
  std::vector<Member> overwhelmed;
  const int64_t receivers = deliver(channel, payload, overwhelmed);
  for (const Member& subscriber : overwhelmed) subscriber->cut_off();
  return receivers;
}

int64_t SubscriptionRegistry::deliver(Bytes channel, Bytes payload,
                                      std::vector<Member>& overwhelmed) {
  const auto hand_out = [&](const std::string* pattern, const Receivers& receivers) {
    const PublishedMessage message(pattern, channel, payload);
    for (const Member& subscriber : receivers) {
      if (!subscriber->deliver(message)) overwhelmed.push_back(subscriber);
    }
    return static_cast<int64_t>(receivers.size());
  };
  Shard& home = shard(channel);
  const Guard guard(home.lock);
  int64_t receivers = 0;
  const auto found = home.channels.find(channel);
  if (found != home.channels.end()) receivers += hand_out(nullptr, found->second);
  if (pattern_count() == 0) return receivers;
  const Guard patterns_guard(patterns_lock_);
  for (const auto& [pattern, subscribers] : patterns_) {
    if (glob_match(pattern, channel)) receivers += hand_out(&pattern, subscribers);
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

namespace {

constexpr MetricRow<SubscriptionRegistry> kMetrics[] = {
    {{.name = "pubsub_channels", .help = "Channels that somebody is subscribed to."},
     metric_read<&SubscriptionRegistry::channel_count>},
    {{.name = "pubsub_patterns", .help = "Patterns that somebody is subscribed to."},
     metric_read<&SubscriptionRegistry::pattern_count>},
};

}  // namespace

MetricTable pubsub_metrics(const SubscriptionRegistry& subscriptions) {
  return MetricTable("stats", kMetrics, subscriptions);
}

}  // namespace tandem
