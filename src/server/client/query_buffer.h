// The bytes that a client has sent and that are not executed yet, and the requests in them.
//
//   room(), took()  ->  parse(), args()  ->  executed  ->  consume()  ->  tidy(), behind a batch
//
// The views that args() and raw() give, and what unread() gives, hold until consume(), room() or
// tidy().
// What grew for one large request is given back behind it; what is idle holds nothing at all.
// Confined to its session's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "resp/request.h"

namespace tandem {

class QueryBuffer {
 public:
  // Where bytes may be read to; never empty. `busy`: the last read filled what it got.
  std::span<char> room(bool busy);
  void took(size_t count) { end_ += count; }

  // The next request. Asked again before consume(), it answers the same.
  ParseStatus parse(const RequestLimits& limits);
  std::span<const Bytes> args() const { return parser_.args(); }
  // As it came; empty if it came as a line.
  Bytes raw() const { return parser_.is_inline() ? Bytes() : parser_.raw(); }
  const std::string& error() const { return parser_.error(); }
  void consume();
  // It stays, to be parsed anew.
  void postpone();

  bool is_empty() const { return begin_ == end_; }
  Bytes unread() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void clear() { begin_ = end_ = 0; }

  void tidy();
  // The client is idle.
  void rest();

  // For people.
  int64_t bytes() const { return static_cast<int64_t>(end_ - begin_); }
  int64_t free_bytes() const { return static_cast<int64_t>(capacity_ - end_); }

 private:
  void move_to(size_t capacity);

  RequestParser parser_;
  ParseStatus parsed_ = ParseStatus::kNeedMore;  // a request or an error waits to be taken
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace tandem
