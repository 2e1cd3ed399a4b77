// Who registered for keys; WATCH.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/lock.h"
#include "engine/client_state.h"
#include "keyspace/keyspace.h"

namespace tandem {

// A table from keys, of all databases, to what is registered for them. In as many pieces as there
// are stripes, each with a short lock of its own, which is held for one call and under which no
// other lock is taken.
//
// Threads: any.
template <class Entry>
class Registrations {
 public:
  explicit Registrations(Keyspace& keyspace) : keyspace_(keyspace) {}

  // Calls act(entry, interest) for the key's entry, which is made if there is none, and forgotten
  // if act gives false. `interest` counts registrations for writers (keyspace/interest.h).
  template <class Act>
  void with(int database, Bytes key, Act&& act) {
    const KeyPlace place = keyspace_.place(key);
    Piece& piece = pieces_[static_cast<size_t>(place.stripe())];
    const Guard guard(piece.lock);
    const auto found = piece.entries.try_emplace(Name{database, std::string(key)}).first;
    if (!act(found->second, Marker{keyspace_.interest(), place.hash})) piece.erase(found);
  }
  // The same, for an entry that is there; does nothing otherwise.
  template <class Act>
  void with_present(int database, Bytes key, Act&& act) {
    const KeyPlace place = keyspace_.place(key);
    Piece& piece = pieces_[static_cast<size_t>(place.stripe())];
    const Guard guard(piece.lock);
    const auto found = piece.entries.find(View{database, key});
    if (found == piece.entries.end()) return;
    if (!act(found->second, Marker{keyspace_.interest(), place.hash})) piece.erase(found);
  }
  // Calls act(key, entry) for every entry of a database.
  template <class Act>
  void for_each(int database, Act&& act) {
    for (Piece& piece : pieces_) {
      const Guard guard(piece.lock);
      for (auto& [name, entry] : piece.entries) {
        if (name.first == database) act(Bytes(name.second), entry);
      }
    }
  }

  struct Marker {
    Interest& interest;
    uint64_t hash;
    void add() { interest.add(hash); }
    void remove() { interest.remove(hash); }
  };

 private:
  using Name = std::pair<int, std::string>;
  using View = std::pair<int, Bytes>;
  struct Hash {
    using is_transparent = void;
    size_t operator()(const View& name) const { return absl::HashOf(name.first, name.second); }
    size_t operator()(const Name& name) const { return (*this)(View(name.first, name.second)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const View& a, const View& b) const { return a == b; }
    bool operator()(const Name& a, const View& b) const { return View(a.first, a.second) == b; }
    bool operator()(const View& a, const Name& b) const { return View(b.first, b.second) == a; }
    bool operator()(const Name& a, const Name& b) const { return a == b; }
  };
  using Entries = absl::flat_hash_map<Name, Entry, Hash, Equal>;
  struct Piece {
    void erase(typename Entries::iterator at) TANDEM_REQUIRES(lock) {
      entries.erase(at);
      if (entries.empty()) clear_and_keep(entries, kKeptMax);
    }
    Lock lock;
    Entries entries TANDEM_GUARDED_BY(lock);
  };
  static constexpr size_t kKeptMax = 4;  // entries' room in an empty piece

  Keyspace& keyspace_;
  std::array<Piece, kStripes> pieces_;
};

// WATCH: which keys are watched, and whom to tell. A changed key marks its watchers dirty; EXEC
// looks at the mark.
//
// Threads: any; no call takes a stripe. A change cannot slip in between a look at a key and its
// registration, for add() and the marking happen under the key's stripe.
class WatchTable {
 public:
  explicit WatchTable(Keyspace& keyspace) : watches_(keyspace) {}

  // REQUIRES: the key's stripe held.
  void add(int database, Bytes key, const std::shared_ptr<WatchMark>& mark);
  void remove(int database, Bytes key, const std::shared_ptr<WatchMark>& mark);
  // REQUIRES: the key's stripe held.
  void mark_dirty(int database, Bytes key);
  // A database was flushed, swapped or loaded anew, which concerns the watched keys for which
  // `concerned` is true.
  void mark_database_dirty(const AllStripes& all, int database,
                           FunctionRef<bool(Bytes key)> concerned);

 private:
  using Marks = absl::flat_hash_set<std::shared_ptr<WatchMark>>;
  Registrations<Marks> watches_;
};

}  // namespace tandem
