// Mechanism: who tracks and how is known under one lock, which is taken once for all the news of an
// execution. Each change asks for prefixes, so each execution has its own reference to the
// immutable set of them, and looks at a number to know whether there is another one by now.
#include "engine/tracking.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace tandem {
namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

std::vector<size_t> lengths_of(const TrackingPrefixes& of) {
  absl::btree_set<size_t> lengths;
  for (const auto& [prefix, members] : of.members) lengths.insert(prefix.size());
  return {lengths.begin(), lengths.end()};
}

}  // namespace

void TrackingNews::add(uint64_t changed_by, TrackingTable::Taken taken) {
  const auto [at, fresh] =
      taken_.try_emplace(Change{changed_by, std::move(taken.key)}, std::move(taken.readers));
  if (!fresh) at->second.insert(taken.readers.begin(), taken.readers.end());
}

void TrackingNews::clear() {
  taken_.clear();
  broadcast_.clear();
  everything_ = false;
}

// Messages on their way, and who gets which.
class Tracking::Mail {
 public:
  // The next message is this one, and goes to those who are added.
  void begin(Invalidation message) { messages_.push_back(std::move(message)); }
  void add(uint64_t client) { letters_.push_back({client, messages_.size() - 1}); }

  void hand_over(InvalidationReceiver& to) const {
    for (const Letter& letter : letters_) {
      to.invalidate(letter.client, messages_[letter.message]);
    }
  }

 private:
  struct Letter {
    uint64_t client;
    size_t message;
  };
  std::vector<Invalidation> messages_;
  std::vector<Letter> letters_;
};

void Tracking::begin(uint64_t client, TrackingMode mode, std::span<const std::string> prefixes) {
  const Guard guard(lock_);
  const auto [at, fresh] = clients_.try_emplace(client);
  if (fresh) client_count_.fetch_add(1, kRelaxed);
  Client after{mode, at->second.prefixes};
  after.prefixes.insert(prefixes.begin(), prefixes.end());
  if (mode.broadcast && prefixes.empty()) after.prefixes.insert("");
  change_prefixes(client, at->second, after);
  at->second = std::move(after);
}

void Tracking::end(uint64_t client) {
  const Guard guard(lock_);
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  client_count_.fetch_sub(1, kRelaxed);
  change_prefixes(client, found->second, {});
  clients_.erase(found);
  // Nobody notes changes any more.
  if (clients_.empty()) table_.clear();
}

void Tracking::change_prefixes(uint64_t client, const Client& before, const Client& after) {
  if (before.prefixes.empty() && after.prefixes.empty()) return;
  auto next = std::make_shared<TrackingPrefixes>(*prefixes_);
  for (const std::string& prefix : before.prefixes) {
    const auto found = next->members.find(prefix);
    std::erase_if(found->second, [&](const auto& member) { return member.client == client; });
    if (found->second.empty()) next->members.erase(found);
  }
  for (const std::string& prefix : after.prefixes) {
    next->members[prefix].push_back({client, after.mode.spares_own});
  }
  next->lengths = lengths_of(*next);
  prefixes_ = std::move(next);
  prefixes_version_.fetch_add(1, std::memory_order_release);
}

std::vector<std::string> Tracking::prefixes_of(uint64_t client) const {
  const Guard guard(lock_);
  const auto found = clients_.find(client);
  if (found == clients_.end()) return {};
  return {found->second.prefixes.begin(), found->second.prefixes.end()};
}

int64_t Tracking::prefix_count() const {
  const Guard guard(lock_);
  return static_cast<int64_t>(prefixes_->members.size());
}

// Who began to track before it read a key that is now changed did so before the stripe was taken:
// the number says so.
void Tracking::prepare(TrackingNews& news) const {
  if (prefixes_version_.load(std::memory_order_acquire) == news.prefixes_version_) [[likely]]
    return;
  const Guard guard(lock_);
  news.prefixes_ = prefixes_;
  news.prefixes_version_ = prefixes_version_.load(kRelaxed);
}

void Tracking::remember(uint64_t client, const KeyPlace& place, Bytes key, TrackingNews& news) {
  if (table_.add(place, key, client)) [[unlikely]]
    forget_gone_readers(place, key);
  while (is_crowded()) [[unlikely]] {
    auto taken = table_.take_beside(place, key);
    if (!taken) return;
    news.add(kNobody, std::move(*taken));
  }
}

void Tracking::forget_gone_readers(const KeyPlace& place, Bytes key) {
  auto taken = table_.take(place, key);
  if (!taken) return;
  {
    const Guard guard(lock_);
    TrackingTable::Readers& readers = taken->readers;
    for (auto at = readers.begin(); at != readers.end();) {
      at = clients_.contains(*at) ? std::next(at) : readers.erase(at);
    }
  }
  table_.put_back(place, std::move(*taken));
}

void Tracking::note_change(uint64_t changed_by, const KeyPlace& place, Bytes key,
                           TrackingNews& news) {
  if (auto taken = table_.take(place, key)) news.add(changed_by, std::move(*taken));
  if (news.prefixes_ == nullptr) return;
  for (const size_t length : news.prefixes_->lengths) {
    if (length > key.size()) return;
    const auto found = news.prefixes_->members.find(key.substr(0, length));
    if (found == news.prefixes_->members.end()) continue;
    news.broadcast_.insert({changed_by, found->first, std::string(key)});
  }
}

void Tracking::tell(TrackingNews& news) {
  if (news.everything_) table_.clear();
  const Mail mail = mail_of(news);
  news.clear();
  CHECK(receiver != nullptr, "who tracks can be told");
  mail.hand_over(*receiver);
}

Tracking::Mail Tracking::mail_of(const TrackingNews& news) const {
  Mail mail;
  const Guard guard(lock_);
  if (news.everything_) {
    mail.begin(Invalidation());
    for (const auto& [client, how] : clients_) mail.add(client);
    return mail;
  }
  for (const auto& [change, readers] : news.taken_) {
    mail.begin(Invalidation({change.key}));
    for (const uint64_t client : readers) {
      const auto found = clients_.find(client);
      // Who has changed to broadcast mode since is told of this change that way.
      if (found == clients_.end() || found->second.mode.broadcast) continue;
      if (found->second.mode.spares_own && client == change.changed_by) continue;
      mail.add(client);
    }
  }
  // What one client has changed below one prefix is one message.
  for (auto at = news.broadcast_.begin(); at != news.broadcast_.end();) {
    const auto first = at;
    std::vector<std::string> keys;
    for (; at != news.broadcast_.end() && at->is_told_with(*first); ++at) keys.push_back(at->key);
    const auto named = prefixes_->members.find(first->prefix);
    if (named == prefixes_->members.end()) continue;  // by nobody any more
    mail.begin(Invalidation(std::move(keys)));
    for (const auto& member : named->second) {
      if (!member.spares_own || member.client != first->changed_by) mail.add(member.client);
    }
  }
  return mail;
}

void Tracking::invalidate_everything() {
  if (!any()) return;
  TrackingNews news;
  news.add_everything();
  tell(news);
}

void Tracking::make_room() {
  constexpr int kToldTogether = 1024;
  while (is_crowded()) {
    TrackingNews news;
    for (int count = 0; count < kToldTogether && is_crowded(); ++count) {
      auto taken = table_.take_any();
      if (!taken) break;
      news.add(kNobody, std::move(*taken));
    }
    deliver(news);
  }
}

}  // namespace tandem
