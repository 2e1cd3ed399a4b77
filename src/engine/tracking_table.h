// Who has read which key: what CLIENT TRACKING remembers in its usual mode. Keys of all databases
// are one here, as in Redis: only names count.
//
// In as many pieces as there are stripes, each with a short lock of its own, under which no other
// lock is taken. Clients are named by their ids, and may be gone: the table does not know.
//
// Threads: any. What concerns one key is called under its stripe, so that a read and a change of it
// meet in their order.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/hash/hash.h>

#include "base/bytes.h"
#include "base/lock.h"
#include "keyspace/keyspace.h"

namespace tandem {

// A map by names that are looked up without making strings of them.
struct NameHash {
  using is_transparent = void;
  size_t operator()(Bytes name) const { return absl::HashOf(name); }
};
template <class Value>
using NameMap = absl::flat_hash_map<std::string, Value, NameHash, std::equal_to<>>;

class TrackingTable {
 public:
  using Readers = absl::btree_set<uint64_t>;
  struct Taken {
    std::string key;
    Readers readers;
  };

  // True: the key has so many readers that some of them may be gone. Then it is time to take it,
  // and to put back who is left.
  bool add(const KeyPlace& place, Bytes key, uint64_t client);
  // The key's readers, which are remembered no more. Nothing: there are none.
  std::optional<Taken> take(const KeyPlace& place, Bytes key);
  void put_back(const KeyPlace& place, Taken taken);
  // Another key's that has the same stripe, or its own if there is no other. Nothing: nor that.
  std::optional<Taken> take_beside(const KeyPlace& place, Bytes key);
  // Some key's. Nothing: the table is empty. REQUIRES: all stripes held.
  std::optional<Taken> take_any();
  void clear();

  int64_t key_count() const { return key_count_.load(std::memory_order_relaxed); }
  // Pairs of a key and a client.
  int64_t item_count() const { return item_count_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kReadersUnasked = 64;  // up to so many may stay although they are gone
  struct Entry {
    Readers readers;
    size_t asked_at = kReadersUnasked;  // add() is true from so many readers on
  };
  using Entries = NameMap<Entry>;
  struct alignas(64) Piece {
    Lock lock;
    Entries entries TANDEM_GUARDED_BY(lock);
  };
  Piece& piece_of(const KeyPlace& place) { return pieces_[static_cast<size_t>(place.stripe())]; }
  Taken take_out(Piece& piece, Entries::iterator at) TANDEM_REQUIRES(piece.lock);

  std::array<Piece, kStripes> pieces_;
  // Changed under the pieces' locks: who holds the stripe of a key that is here never reads 0.
  std::atomic<int64_t> key_count_{0};
  std::atomic<int64_t> item_count_{0};
  std::atomic<uint32_t> next_piece_{0};  // from which take_any() takes
};

}  // namespace tandem
