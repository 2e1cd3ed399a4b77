// CLIENT TRACKING: clients keep copies of what they have read, and are told when a key is not any
// more what it was.
//
// Two modes. In the usual one the server remembers who has read which key (engine/tracking_table.h)
// and tells its readers of the key's next change, once. In broadcast mode a client names prefixes
// and is told of every change of a key that begins with one of them; nothing is remembered.
//
// How that stands on many threads:
//
//   a read     under the key's stripe: the reply is written, then the client is remembered
//   a change   under the key's stripe: its readers leave the table for the execution's TrackingNews
//              still under it, behind all changes: deliver() puts messages into their inboxes
//
// Never lost: a read and a change of one key both hold its stripe, so one comes first. A change
// that comes after the read finds the reader in the table; a read that comes after the change sees
// the new value.
//
// Never too early: a client is remembered by the thread that serves it, once its reply is written,
// and that thread takes messages out of its inbox only between two commands. So the message stands
// behind the reply that it makes void. (Of a blocked read another thread makes the reply: messages
// wait for it.)
//
// Never behind the times: messages are in the inboxes before the key's stripe is let go, and a
// client's inbox is looked into before each of its commands. Who hears of a change from who made
// it, or of one that came later, and asks then, is told first. (Were the stripe free before that, a
// second change, whose maker finds no reader in the table, could be answered before the first one
// is told.) A key that leaves the table without a change is one of the same stripe as that which
// came for it, so that it is told before it can change.
//
// Twice, or in vain, does no harm: a message that was under way while its client read the key anew
// costs that client one more read. Messages say only what to forget, so their order does not
// matter.
//
// What it costs: while nobody tracks, a look at one number an execution and a branch a change. As
// soon as somebody does, each change looks into the table (a short lock, which only others with the
// same stripe want) and, if there are prefixes, notes its key. A client that tracks pays for its
// reads. Messages are encoded once.
//
// How much is kept: at most `keys_max` keys. What comes beyond makes another leave, whose readers
// are told as if it had changed. The ids of clients that are gone stay with a key until it changes,
// or has twice as many readers as when it was looked at last (at least 64).
//
// Threads: any. No call takes a stripe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include "base/bytes.h"
#include "base/lock.h"
#include "base/option.h"
#include "engine/client_state.h"
#include "engine/invalidation.h"
#include "engine/tracking_table.h"

namespace tandem {

// The prefixes that clients in broadcast mode have named. Immutable: a change makes another one.
struct TrackingPrefixes {
  struct Member {
    uint64_t client;
    bool spares_own;
  };
  NameMap<std::vector<Member>> members;
  std::vector<size_t> lengths;  // of the prefixes, in ascending order, each once
};

// What the changes of one execution leave to be told. Belongs to the thread that executes; used
// again and again. However often a key changes in one execution, it is told once.
class TrackingNews {
 public:
  bool empty() const { return taken_.empty() && broadcast_.empty() && !everything_; }
  // Whatever anybody has read is old.
  void add_everything() { everything_ = true; }

 private:
  friend class Tracking;

  struct Change {
    uint64_t changed_by;  // a client's id, or Tracking::kNobody
    std::string key;
    auto operator<=>(const Change&) const = default;
  };
  struct Broadcast {
    uint64_t changed_by;
    std::string prefix;
    std::string key;
    auto operator<=>(const Broadcast&) const = default;
    bool is_told_with(const Broadcast& other) const {
      return changed_by == other.changed_by && prefix == other.prefix;
    }
  };
  void add(uint64_t changed_by, TrackingTable::Taken taken);
  void clear();

  absl::btree_map<Change, TrackingTable::Readers> taken_;
  absl::btree_set<Broadcast> broadcast_;
  bool everything_ = false;
  // Those by which changes are noted now; null: there are none.
  std::shared_ptr<const TrackingPrefixes> prefixes_;
  uint64_t prefixes_version_ = 0;
};

class Tracking {
 public:
  static constexpr uint64_t kNobody = 0;  // no client's id
  static constexpr int64_t kKeysMaxDefault = 1'000'000;

  Tracking() = default;
  Tracking(const Tracking&) = delete;
  Tracking& operator=(const Tracking&) = delete;

  // Set before the first client tracks; outlives this.
  InvalidationReceiver* receiver = nullptr;
  // tracking-table-max-keys; 0: no limit.
  Option<int64_t> keys_max = kKeysMaxDefault;

  // ---- Who tracks. ----
  // Also for who does already: the mode is replaced, prefixes are added. In broadcast mode none
  // means all keys.
  void begin(uint64_t client, TrackingMode mode, std::span<const std::string> prefixes);
  // The keys that it has read are forgotten with their next change.
  void end(uint64_t client);
  bool any() const { return client_count_.load(std::memory_order_relaxed) != 0; }
  // In their order.
  std::vector<std::string> prefixes_of(uint64_t client) const;

  // ---- Of an execution, under its stripes. ----
  // Before its first change, and where it may itself have changed who tracks.
  void prepare(TrackingNews& news) const;
  // The client has read the key, and its reply is written. May be news: of a key that leaves.
  void remember(uint64_t client, const KeyPlace& place, Bytes key, TrackingNews& news);
  void note_change(uint64_t changed_by, const KeyPlace& place, Bytes key, TrackingNews& news);

  // Behind its last change. Tells the news, and empties them.
  void deliver(TrackingNews& news) {
    if (!news.empty()) [[unlikely]]
      tell(news);
  }

  // ---- Under all stripes. ----
  // Another dataset has taken the place of the one that was read.
  void invalidate_everything();
  // Makes keys leave, as many as are too many after keys_max was set.
  void make_room();

  int64_t client_count() const { return client_count_.load(std::memory_order_relaxed); }
  int64_t key_count() const { return table_.key_count(); }
  int64_t item_count() const { return table_.item_count(); }
  int64_t prefix_count() const;

 private:
  struct Client {
    TrackingMode mode;
    absl::btree_set<std::string> prefixes;
  };
  class Mail;

  bool is_crowded() const {
    const int64_t most = keys_max.get();
    return most != 0 && table_.key_count() > most;
  }
  // Keeps of the key's readers those that still track.
  void forget_gone_readers(const KeyPlace& place, Bytes key);
  void tell(TrackingNews& news);
  Mail mail_of(const TrackingNews& news) const;
  void change_prefixes(uint64_t client, const Client& before, const Client& after)
      TANDEM_REQUIRES(lock_);

  TrackingTable table_;
  mutable Lock lock_;
  absl::flat_hash_map<uint64_t, Client> clients_ TANDEM_GUARDED_BY(lock_);
  std::shared_ptr<const TrackingPrefixes> prefixes_ TANDEM_GUARDED_BY(lock_) =
      std::make_shared<TrackingPrefixes>();
  // Changed seldom, looked at by each execution.
  alignas(64) std::atomic<int64_t> client_count_{0};
  std::atomic<uint64_t> prefixes_version_{0};
};

}  // namespace tandem
