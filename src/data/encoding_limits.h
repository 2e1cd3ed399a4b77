// The sizes at which a value leaves its compact form, as Redis 7.2 ships them. Passed to every call
// that can make a value grow; a change of a limit touches no value until it is written again, as in
// Redis.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem {

struct EncodingLimits {
  // Bytes of a list node by class: -1 is 4 KB, -2 is 8 KB, ... -5 is 64 KB; a positive number
  // counts elements, and then a node still holds at most 8 KB.
  int64_t list_max_listpack_size = -2;

  size_t set_max_intset_entries = 512;
  size_t set_max_listpack_entries = 128;
  size_t set_max_listpack_value_bytes = 64;

  size_t hash_max_listpack_entries = 512;  // fields
  size_t hash_max_listpack_value_bytes = 64;

  size_t sorted_set_max_listpack_entries = 128;  // members
  size_t sorted_set_max_listpack_value_bytes = 64;

  size_t stream_node_max_bytes = 4096;   // 0: no limit of its own
  size_t stream_node_max_entries = 100;  // 0: no limit

  // The longest string that commands may build: proto-max-bulk-len.
  uint64_t string_bytes_max = 512ull * 1024 * 1024;

  // Not a limit, but chosen in the same place: seeds the hash tables of values as they leave the
  // compact form, against crafted members. A table keeps the seed it was born with.
  uint64_t hash_seed = 0;
};

}  // namespace tandem
