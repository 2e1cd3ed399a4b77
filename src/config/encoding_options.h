// The limits of the compact encodings as configured. The data itself reads a plain EncodingLimits,
// which changes only while every stripe is held; limits() is what goes there.
#pragma once

#include <cstdint>

#include "base/option.h"
#include "data/encoding_limits.h"

namespace tandem {

struct EncodingOptions {
  Option<int64_t> list_max_listpack_size = -2;
  Option<int64_t> set_max_intset_entries = 512;
  Option<int64_t> set_max_listpack_entries = 128;
  Option<int64_t> set_max_listpack_value_bytes = 64;
  Option<int64_t> hash_max_listpack_entries = 512;
  Option<int64_t> hash_max_listpack_value_bytes = 64;
  Option<int64_t> sorted_set_max_listpack_entries = 128;
  Option<int64_t> sorted_set_max_listpack_value_bytes = 64;
  Option<int64_t> stream_node_max_bytes = 4096;
  Option<int64_t> stream_node_max_entries = 100;

  EncodingLimits limits(uint64_t hash_seed) const {
    const auto size = [](const Option<int64_t>& option) {
      return static_cast<size_t>(option.get());
    };
    return {.list_max_listpack_size = list_max_listpack_size.get(),
            .set_max_intset_entries = size(set_max_intset_entries),
            .set_max_listpack_entries = size(set_max_listpack_entries),
            .set_max_listpack_value_bytes = size(set_max_listpack_value_bytes),
            .hash_max_listpack_entries = size(hash_max_listpack_entries),
            .hash_max_listpack_value_bytes = size(hash_max_listpack_value_bytes),
            .sorted_set_max_listpack_entries = size(sorted_set_max_listpack_entries),
            .sorted_set_max_listpack_value_bytes = size(sorted_set_max_listpack_value_bytes),
            .stream_node_max_bytes = size(stream_node_max_bytes),
            .stream_node_max_entries = size(stream_node_max_entries),
            .hash_seed = hash_seed};
  }
};

}  // namespace tandem
