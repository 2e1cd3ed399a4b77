#include "replication/invariants.h"

#include <algorithm>

#include <fmt/core.h>

namespace tandem {

namespace {

std::string place(const NodeObservation& now) {
  return fmt::format("{} ({}) at {}:{}", now.node, now.replica ? "replica" : "primary",
                     now.history.id.text().substr(0, 8), now.end);
}

}  // namespace

ReplicationInvariants::History* ReplicationInvariants::find(const ReplicationId& id) {
  const auto found = histories_.find(std::string(id.text()));
  return found == histories_.end() ? nullptr : &found->second;
}

std::optional<std::string> ReplicationInvariants::begin(const NodeObservation& now) {
  if (now.replica) return fmt::format("{} follows a history that nobody began", place(now));
  History history{
      .owner = now.node, .start = now.end - now.bytes.size(), .bytes = now.bytes, .digests = {}};
  if (const History* former = find(now.history.id2)) {
    const uint64_t fork = now.history.id2_valid_until;
    if (fork < former->start || fork > former->end() || fork > now.end) {
      return fmt::format("{} forked at {}, outside the history it came from [{}, {}]", place(now),
                         fork, former->start, former->end());
    }
    // What it did since the fork is at the end of the bytes it shows.
    const uint64_t own = std::min<uint64_t>(now.end - fork, now.bytes.size());
    history.start = former->start;
    history.bytes =
        former->bytes.substr(0, fork - former->start) + now.bytes.substr(now.bytes.size() - own);
    history.digests.insert(former->digests.begin(), former->digests.upper_bound(fork));
  }
  histories_.emplace(std::string(now.history.id.text()), std::move(history));
  return std::nullopt;
}

std::optional<std::string> ReplicationInvariants::check_bytes(const NodeObservation& now,
                                                              History& history, uint64_t from) {
  if (from < history.start) {
    return fmt::format("{} holds bytes from before the history's start", place(now));
  }
  const uint64_t known = std::min(now.end, history.end());
  if (from < known &&
      now.bytes.compare(0, known - from, history.bytes, from - history.start, known - from) != 0) {
    return fmt::format("{} holds other bytes in [{}, {}) than the history has", place(now), from,
                       known);
  }
  if (now.end <= history.end()) return std::nullopt;
  if (now.replica || now.node != history.owner) {
    return fmt::format("{} is ahead of its history's end {}", place(now), history.end());
  }
  history.bytes += now.bytes.substr(history.end() - from);
  return std::nullopt;
}

std::optional<std::string> NodeInvariants::observe(const NodeState& now) {
  const uint64_t end = now.window.end;
  if (incarnation_ == now.incarnation && id_ == now.history.id && end < end_) {
    return fmt::format("the log went back from {} to {}", end_, end);
  }
  if (now.window.first > end || now.history.id2_valid_until > end) {
    return fmt::format(
        "the log ends at {}, before its first byte {} or its second history's end {}", end,
        now.window.first, now.history.id2_valid_until);
  }
  for (const LogCursorInfo& cursor : now.cursors) {
    if (cursor.lost || (cursor.offset >= now.window.first && cursor.offset <= end)) continue;
    return fmt::format("{} stands at {}, outside the log's [{}, {}]", cursor.name, cursor.offset,
                       now.window.first, end);
  }
  for (const uint64_t acknowledged : now.acknowledged) {
    if (acknowledged <= end) continue;
    return fmt::format("a replica acknowledged {}, beyond the log's end {}", acknowledged, end);
  }
  if (now.read_only && !now.replica) return "a primary refuses writes as a replica";
  incarnation_ = now.incarnation;
  id_ = now.history.id;
  end_ = end;
  return std::nullopt;
}

std::optional<std::string> ReplicationInvariants::observe(const NodeObservation& now) {
  History* history = find(now.history.id);
  if (history == nullptr) {
    if (auto violation = begin(now)) return violation;
    history = find(now.history.id);
  }
  Seen& before = seen_[now.node];
  const bool same = before.incarnation == now.incarnation && before.id == now.history.id;
  if (same && now.end < before.end) {
    return fmt::format("{} went back from {}", place(now), before.end);
  }
  const uint64_t from = now.end - now.bytes.size();
  if (same && from > before.end) {
    return fmt::format("{} grew by bytes that its log did not show", place(now));
  }
  if (auto violation = check_bytes(now, *history, from)) return violation;

  const auto [digest, fresh] = history->digests.emplace(now.end, now.digest);
  if (!fresh && digest->second != now.digest) {
    return fmt::format("{} holds other data than another node had at this place", place(now));
  }
  for (const uint64_t acknowledged : now.acknowledged) {
    if (acknowledged > now.end) {
      return fmt::format("{}: a replica acknowledged {}", place(now), acknowledged);
    }
  }
  before = {.incarnation = now.incarnation, .id = now.history.id, .end = now.end};
  return std::nullopt;
}

}  // namespace tandem
