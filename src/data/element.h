// One element of a container as it is stored: text, or an integer where a compact form keeps it in
// binary. Either way text() is what a client sees.
//
// The text of a text element is a view into the container, valid until the container changes. The
// text of an integer lives in the Element itself: keep the Element while its text() is in use.
// Copies are independent.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/number.h"

namespace tandem {

class Element {
 public:
  explicit Element(Bytes text) : text_(text) {}
  explicit Element(int64_t integer) : integer_(integer), is_integer_(true) {}

  bool is_integer() const { return is_integer_; }
  int64_t integer() const { return integer_; }  // only of an integer element

  Bytes text() const& {
    if (!is_integer_) return text_;
    return Bytes(digits_, write_int64(digits_, integer_));
  }
  Bytes text() const&& = delete;  // would dangle for an integer
  std::string copy() const { return is_integer_ ? int64_text(integer_) : std::string(text_); }

 private:
  Bytes text_;
  int64_t integer_ = 0;
  bool is_integer_ = false;
  mutable char digits_[kInt64TextMax];
};

// The sizes at which a value leaves its compact form, as Redis 7.2 ships them. Passed to every call
// that can make a value grow; a change of a limit touches no value until it is written again, as in
// Redis.
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

  // A string: sparse as long as it needs no more.
  size_t hyperloglog_sparse_max_bytes = 3000;

  size_t stream_node_max_bytes = 4096;   // 0: no limit of its own
  size_t stream_node_max_entries = 100;  // 0: no limit

  // The longest string that commands may build: proto-max-bulk-len.
  uint64_t string_bytes_max = 512ull * 1024 * 1024;

  // Not a limit, but chosen in the same place: seeds the hash tables of values as they leave the
  // compact form, against crafted members. A table keeps the seed it was born with.
  uint64_t hash_seed = 0;
};

}  // namespace tandem
