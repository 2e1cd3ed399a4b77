// One element of a container as it is stored: text, or an integer where a compact form keeps it in
// binary. Either way text() is what a client sees.
//
// The text of a text element is a view into the container, valid until the container changes. The
// text of an integer lives in the Element itself: keep the Element while its text() is in use.
// Copies are independent.
#pragma once

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

}  // namespace tandem
