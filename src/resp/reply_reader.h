// Reads replies, RESP2 and RESP3, from bytes that come in pieces. Nothing is read twice, nothing is
// allocated on the word of a length before its bytes arrive, and depth, elements and bytes are
// limited. Confined to its owner's thread.
//
//   Result<size_t> taken = reader.feed(bytes);   // stops behind the first whole reply
//   if (taken && reader.ready()) use(reader.take());
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

enum class ReplyKind : uint8_t {
  kSimple,     // text
  kError,      // text, of a simple or a bulk error
  kInteger,    // integer
  kBulk,       // text
  kNull,       // also RESP2's $-1 and *-1
  kArray,      // elements
  kMap,        // elements: key, value, key, value
  kSet,        // elements
  kPush,       // elements
  kDouble,     // number, and the text as it came
  kBoolean,    // integer 0 or 1
  kBigNumber,  // text
  kVerbatim,   // text, without the format; format holds "txt"
};

struct Reply {
  ReplyKind kind = ReplyKind::kNull;
  bool null_array = false;  // a null that came as *-1
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::string format;
  std::vector<Reply> elements;

  bool is_error() const { return kind == ReplyKind::kError; }
  // Text that starts with `code` and a space or the end: is_error("READONLY").
  bool is_error(Bytes code) const;
};

struct ReplyLimits {
  size_t depth_max = 32;
  size_t elements_max = 1 << 20;                        // of a whole reply
  size_t bytes_max = 512ull * 1024 * 1024 + 64 * 1024;  // of a whole reply, on the wire
  size_t line_bytes_max = 64 * 1024;
};

class ReplyReader {
 public:
  explicit ReplyReader(ReplyLimits limits = {}) : limits_(limits) {}

  // Takes bytes up to the end of one reply and says how many. A ready reply must be taken before
  // more is fed. After an error the reader refuses everything until reset().
  Result<size_t> feed(Bytes bytes);
  bool ready() const { return ready_; }
  Reply take();
  void reset();

 private:
  struct Frame {
    Reply reply;
    size_t remaining;
    bool attribute;
  };

  Result<void> line(Bytes text);
  Result<void> scalar_line(char type, Bytes text);
  Result<void> aggregate(ReplyKind kind, Bytes text, size_t per_element, bool attribute);
  Result<void> start_bulk(ReplyKind kind, Bytes text);
  Result<void> finish_bulk();
  void complete(Reply reply);
  Result<size_t> feed_bulk(Bytes bytes);
  Result<size_t> feed_line(Bytes bytes);

  ReplyLimits limits_;
  bool ready_ = false;
  bool failed_ = false;
  Reply result_;
  std::vector<Frame> stack_;
  std::string line_;  // a line that came in part
  bool in_bulk_ = false;
  Reply bulk_;
  size_t bulk_missing_ = 0;  // with the line end
  size_t elements_ = 0;
  size_t bytes_ = 0;
};

// One whole reply and nothing behind it.
Result<Reply> parse_reply(Bytes bytes, ReplyLimits limits = {});

}  // namespace tandem
