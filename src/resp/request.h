// Requests: taken apart, built, and read from lines as people write them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace tandem {

struct RequestLimits {
  int64_t bulk_bytes_max = 512ll * 1024 * 1024;  // proto-max-bulk-len
  // A client that has yet to authenticate may send 10 arguments of 16 KB.
  bool authenticated = true;
};

enum class ParseStatus { kRequest, kNeedMore, kError };

// What is most likely the first key of the request with which `pipeline` begins: the argument
// behind the command's name, or for a script the one behind its text and the number of its keys;
// empty if there is none. The request is taken off. For who looks ahead in what
// is parsed later: nothing, if the request is not there whole or is unusual (a line, a long
// argument, an error).
std::optional<Bytes> skip_request(Bytes& pipeline);

// The request with which `stream` begins, taken off it and its arguments appended to `args`. False:
// it is not there whole or is unusual, as above; nothing is taken off, and what was appended counts
// for nothing.
bool take_request(Bytes& stream, std::vector<Bytes>& args);

// Takes a client's bytes apart into requests: RESP arrays of bulk strings, or inline lines with
// Redis's quoting. Pure: the owner keeps the bytes, the parser keeps offsets, so the bytes may move
// between calls. A request that comes in pieces is never read twice. Confined to its owner's
// thread.
//
//   while ((status = parser.next(buffer)) == ParseStatus::kRequest) {
//     execute(parser.args());
//     buffer.remove_prefix(parser.raw().size());
//   }
//
// On kNeedMore call again with the same bytes and more behind them. On kError the text is what
// Redis answers (without "-" and the line end); the connection is to be closed after it, and the
// parser stays in error.
class RequestParser {
 public:
  // Of a line without its end.
  static constexpr size_t kInlineBytesMax = 64 * 1024;
  static constexpr int64_t kUnauthenticatedArgumentsMax = 10;
  static constexpr int64_t kUnauthenticatedBulkBytesMax = 16 * 1024;

  explicit RequestParser(RequestLimits limits = {}) : limits_(limits) {}

  // Holds from the next length that is read on.
  void set_limits(RequestLimits limits) { limits_ = limits; }

  // `buffer` begins with the first byte that no request has taken yet.
  ParseStatus next(Bytes buffer);

  // After kRequest, until the next call or until the buffer changes. An empty request (a blank
  // line, "*0") has no arguments and deserves no reply. raw() is the request as it came, always
  // from the buffer's first byte on.
  std::span<const Bytes> args() const { return args_; }
  Bytes raw() const { return raw_; }
  // Came as a line rather than as an array.
  bool is_inline() const { return inline_; }

  // After kError: "ERR Protocol error: ...".
  const std::string& error() const { return error_; }

  // After kNeedMore: how many bytes at least are still to come; worth reserving for a large
  // argument.
  size_t bytes_missing() const { return bytes_missing_; }

  // No request has begun: the next bytes are a request's first.
  bool is_between_requests() const { return state_ == State::kStart; }

  // Forgets a partial request and an error.
  void reset();

 private:
  enum class State : uint8_t { kStart, kArguments, kInline, kFailed };

  ParseStatus parse_start(Bytes buffer);
  ParseStatus parse_arguments(Bytes buffer);
  ParseStatus parse_inline(Bytes buffer);
  // A header line "<type><digits>\r\n" at position_, when it is there whole.
  enum class Line : uint8_t { kWhole, kPartial, kTooLong };
  Line find_line(Bytes buffer, Bytes& line);
  ParseStatus read_bulk_length(Bytes buffer);
  ParseStatus need_more(size_t missing);
  ParseStatus finish(Bytes buffer);
  ParseStatus fail_with(const std::string& reason);
  void rebase(const char* base);

  RequestLimits limits_;
  State state_ = State::kStart;
  bool inline_ = false;
  size_t position_ = 0;         // the next byte to look at
  size_t scanned_ = 0;          // bytes from position_ on that hold no line end
  int64_t remaining_ = 0;       // arguments still to come
  int64_t bulk_length_ = -1;    // of the argument being read, -1 before its length is known
  const char* base_ = nullptr;  // where the buffer lay when args_ was filled
  std::vector<Bytes> args_;
  Bytes raw_;
  size_t bytes_missing_ = 0;
  std::string inline_storage_;
  std::string error_;
};

// Encodes commands as RESP arrays of bulk strings: effects for the log, requests to a primary.

// Each appends one whole command to `out`.
void append_request(std::string& out, std::span<const Bytes> args);
void append_request(std::string& out, std::initializer_list<Bytes> args);
void append_request(std::string& out, std::span<const std::string> args);

// For arguments that come one by one: exactly `count` calls of append_argument follow.
void append_request_header(std::string& out, size_t count);
void append_argument(std::string& out, Bytes argument);

// A line taken apart into arguments, as inline requests, redis-cli and the configuration file write
// them: words,
// "..." with \n \r \t \b \a \xHH and \ before any other character, '...' with only \' escaped.

// Replaces `arguments` with views into `storage`, whose old content goes. False: a quote is not
// closed, or something other than a space follows a closing quote; nothing is in `arguments` then.
// A zero byte ends the line.
bool split_arguments(Bytes line, std::string& storage, std::vector<Bytes>& arguments);

}  // namespace tandem
