// Looks ahead: brings the keys that the next requests name nearer to the processor, all of them at
// once, so that their cache misses overlap instead of following each other. The next requests are
// those of one client's pipeline, and the first ones of all clients that were heard in a turn.
// Changes nothing: a wrong guess about what is a key costs only time.
//
// Confined to its worker's thread; one serves all its sessions.
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "keyspace/keyspace.h"

namespace tandem {

class Lookahead {
 public:
  // As many as a processor has misses under way at once, and some more.
  static constexpr int kRequestsMax = 16;
  // A longer argument takes longer to hash than a miss takes, and is most likely no key.
  static constexpr size_t kKeyBytesMax = 512;

  explicit Lookahead(Keyspace& keyspace) : keyspace_(keyspace) {}

  // The key of a request that is to be executed soon; fetch() brings all that were added. Does so
  // itself when they are many.
  void add(int database, Bytes key);
  void fetch();

  // `pipeline` begins with a request: adds those that follow each other in it, and fetches. Returns
  // how many they were.
  int prepare(int database, Bytes pipeline);

 private:
  struct Target {
    int database = 0;
    KeyPlace place;
    bool operator==(const Target&) const = default;
  };
  template <class Prefetch>
  void for_each_table(Prefetch prefetch);

  Keyspace& keyspace_;
  std::array<Target, kRequestsMax> targets_;
  size_t count_ = 0;
};

}  // namespace tandem
