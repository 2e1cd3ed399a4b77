// Looks ahead in a client's pipeline: parses the next requests and brings the keys they name nearer
// to the processor, all of them at once, so that their cache misses overlap instead of following
// each other. Changes nothing: a wrong guess about what is a key costs only time.
//
// Confined to its worker's thread; one serves all its sessions.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "keyspace/keyspace.h"
#include "resp/request_parser.h"

namespace tandem {

class Lookahead {
 public:
  // As many as a processor has misses under way at once, and some more.
  static constexpr int kRequestsMax = 16;

  explicit Lookahead(Keyspace& keyspace) : keyspace_(keyspace) {}

  // `bytes` begins with a request. Returns how many requests were looked at.
  int prepare(int database, Bytes bytes);

 private:
  int parse(Bytes bytes);
  template <class Prefetch>
  void for_each_table(int database, Prefetch prefetch);

  Keyspace& keyspace_;
  RequestParser parser_;
  std::array<KeyPlace, kRequestsMax> places_;
  size_t place_count_ = 0;
};

}  // namespace tandem
