#include "pubsub/subscription_registry.h"

#include <algorithm>

#include "base/glob.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// Words of the protocol, by kind.
constexpr Bytes kMessageWords[] = {"message", "pmessage", "smessage"};

}  // namespace

std::shared_ptr<const std::string> PublishedMessage::encoded(int protocol) const {
  std::shared_ptr<const std::string>& cached = encoded_[protocol == 2 ? 0 : 1];
  if (cached == nullptr) {
    auto text = std::make_shared<std::string>();
    ReplyWriter reply(*text, protocol);
    reply.push(pattern_ == nullptr ? 3 : 4);
    reply.bulk(kMessageWords[static_cast<size_t>(kind_)]);
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

void count(Subscriber::Subscriptions& own, SubscriptionKind kind, Bytes name, int64_t change) {
  own.counts[static_cast<size_t>(kind)].fetch_add(change, std::memory_order_relaxed);
  const auto bytes = static_cast<int64_t>(name.size() + sizeof(std::string));
  own.name_bytes.fetch_add(change * bytes, std::memory_order_relaxed);
}

}  // namespace

bool SubscriptionRegistry::subscribe(Kind kind, const Member& subscriber, Bytes name) {
  Subscriber::Subscriptions& own = subscriber->subscriptions;
  const Guard own_guard(own.lock);
  if (own.over || !own.names[static_cast<size_t>(kind)].emplace(name).second) return false;
  count(own, kind, name, 1);
  Part& home = part(kind, name);
  const Guard guard(home.lock);
  const auto [place, fresh] = home.receivers.try_emplace(std::string(name));
  place->second.push_back(subscriber);
  if (fresh) name_counts_[static_cast<size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool SubscriptionRegistry::unsubscribe(Kind kind, Subscriber& subscriber, Bytes name) {
  const Guard guard(subscriber.subscriptions.lock);
  return leave(kind, subscriber, name);
}

bool SubscriptionRegistry::leave(Kind kind, Subscriber& subscriber, Bytes name) {
  Subscriber::NameSet& names = subscriber.subscriptions.names[static_cast<size_t>(kind)];
  const auto named = names.find(name);
  if (named == names.end()) return false;
  count(subscriber.subscriptions, kind, name, -1);
  Part& home = part(kind, name);
  {
    const Guard guard(home.lock);
    if (remove_receiver(home.receivers, name, &subscriber)) {
      name_counts_[static_cast<size_t>(kind)].fetch_sub(1, std::memory_order_relaxed);
    }
  }
  names.erase(named);
  return true;
}

void SubscriptionRegistry::leave_all(Subscriber& subscriber) {
  for (const Kind kind : kSubscriptionKinds) {
    Subscriber::NameSet& names = subscriber.subscriptions.names[static_cast<size_t>(kind)];
    while (!names.empty()) leave(kind, subscriber, *names.begin());
  }
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

std::vector<std::string> SubscriptionRegistry::names_of(Kind kind, Subscriber& subscriber) {
  const Guard guard(subscriber.subscriptions.lock);
  const Subscriber::NameSet& names = subscriber.subscriptions.names[static_cast<size_t>(kind)];
  return {names.begin(), names.end()};
}

namespace {

// To all who have one subscription; gives their number.
int64_t hand_out(const std::vector<SubscriptionRegistry::Member>& receivers,
                 const PublishedMessage& message,
                 std::vector<SubscriptionRegistry::Member>& overwhelmed) {
  for (const auto& subscriber : receivers) {
    if (!subscriber->deliver(message)) overwhelmed.push_back(subscriber);
  }
  return static_cast<int64_t>(receivers.size());
}

// Behind the locks, for whoever goes leaves the registry.
void cut_off(const std::vector<SubscriptionRegistry::Member>& overwhelmed) {
  for (const auto& subscriber : overwhelmed) subscriber->cut_off();
}

}  // namespace

int64_t SubscriptionRegistry::publish(Bytes channel, Bytes payload) {
  std::vector<Member> overwhelmed;
  const int64_t receivers = deliver(Kind::kChannel, channel, payload, overwhelmed);
  cut_off(overwhelmed);
  return receivers;
}

int64_t SubscriptionRegistry::publish_to_shard(Bytes channel, Bytes payload) {
  std::vector<Member> overwhelmed;
  const int64_t receivers = deliver(Kind::kShardChannel, channel, payload, overwhelmed);
  cut_off(overwhelmed);
  return receivers;
}

int64_t SubscriptionRegistry::deliver(Kind kind, Bytes channel, Bytes payload,
                                      std::vector<Member>& overwhelmed) {
  Part& home = part(kind, channel);
  const Guard guard(home.lock);
  int64_t receivers = 0;
  if (const auto found = home.receivers.find(channel); found != home.receivers.end()) {
    receivers +=
        hand_out(found->second, PublishedMessage(kind, nullptr, channel, payload), overwhelmed);
  }
  if (kind == Kind::kChannel && name_count(Kind::kPattern) != 0) {
    receivers += deliver_to_patterns(channel, payload, overwhelmed);
  }
  return receivers;
}

int64_t SubscriptionRegistry::deliver_to_patterns(Bytes channel, Bytes payload,
                                                  std::vector<Member>& overwhelmed) {
  int64_t receivers = 0;
  Part& patterns = part(Kind::kPattern, {});
  const Guard guard(patterns.lock);
  for (const auto& [pattern, subscribers] : patterns.receivers) {
    if (!glob_match(pattern, channel)) continue;
    const PublishedMessage message(Kind::kPattern, &pattern, channel, payload);
    receivers += hand_out(subscribers, message, overwhelmed);
  }
  return receivers;
}

std::vector<std::string> SubscriptionRegistry::names(Kind kind,
                                                     std::optional<Bytes> pattern) const {
  std::vector<std::string> all;
  for (const Part& part : parts_[static_cast<size_t>(kind)]) {
    const Guard guard(part.lock);
    for (const auto& [name, receivers] : part.receivers) {
      if (!pattern || glob_match(*pattern, name)) all.push_back(name);
    }
  }
  return all;
}

int64_t SubscriptionRegistry::subscriber_count(Kind kind, Bytes name) const {
  const Part& home = part(kind, name);
  const Guard guard(home.lock);
  const auto found = home.receivers.find(name);
  return found == home.receivers.end() ? 0 : static_cast<int64_t>(found->second.size());
}

namespace {

template <SubscriptionKind kKind>
constexpr auto kNames = [](const SubscriptionRegistry& subscriptions) -> MetricValue {
  return subscriptions.name_count(kKind);
};

constexpr MetricRow<SubscriptionRegistry> kMetrics[] = {
    {{.name = "pubsub_channels", .help = "Channels that somebody is subscribed to."},
     kNames<SubscriptionKind::kChannel>},
    {{.name = "pubsub_patterns", .help = "Patterns that somebody is subscribed to."},
     kNames<SubscriptionKind::kPattern>},
    {{.name = "pubsubshard_channels", .help = "Channels of shards that somebody is subscribed to."},
     kNames<SubscriptionKind::kShardChannel>},
};

}  // namespace

MetricTable pubsub_metrics(const SubscriptionRegistry& subscriptions) {
  return MetricTable("stats", kMetrics, subscriptions);
}

}  // namespace tandem
