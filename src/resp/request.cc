// Two loops over the buffer: a hot one for arrays whose headers are short and whole, and a slow one
// for everything else (headers in pieces, long or wrong lengths), which also finds the error's
// text. Between calls of a partial request only offsets survive; the arguments found so far are
// moved along when the buffer has moved.
#include "resp/request.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/bytes.h"
#include "base/number.h"

namespace tandem {
namespace {

// One request with very many arguments must not keep its memory for the life of a connection.
constexpr size_t kKeptArgumentsMax = 4096;
constexpr size_t kKeptInlineBytesMax = 16 * 1024;

bool line_end(char c) { return c == '\r' || c == '\n'; }

// Headers are short: a type, up to four digits without a leading zero, and the line end. Gives the
// byte behind one; null, if it is not there whole or is of another form. The type is not looked at.
const char* read_short_header(const char* at, const char* end, uint32_t& number) {
  constexpr int kDigitsMax = 4;
  if (end - at < 1 + kDigitsMax + 2) return nullptr;
  const auto digit = [](char c) { return static_cast<uint32_t>(static_cast<uint8_t>(c) - '0'); };
  number = digit(at[1]);
  if (number > 9) return nullptr;
  if (at[2] == '\r') return at + 4;
  if (number == 0) return nullptr;
  for (int i = 2; i <= kDigitsMax; ++i) {
    if (digit(at[i]) > 9) return nullptr;
    number = number * 10 + digit(at[i]);
    if (at[i + 1] == '\r') return at + i + 3;
  }
  return nullptr;
}

}  // namespace

namespace {

// take(i, argument) for each argument of the request with which `bytes` begin; takes it off. False:
// not there whole, or unusual.
template <class Take>
bool walk_request(Bytes& bytes, Take&& take) {
  const char* const end = bytes.data() + bytes.size();
  const char* at = bytes.data();
  uint32_t count = 0;
  if (bytes.empty() || *at != '*') return false;
  if (at = read_short_header(at, end, count); at == nullptr) return false;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t length = 0;
    const char* const text = read_short_header(at, end, length);
    if (text == nullptr || *at != '$' || end - text < ptrdiff_t{length} + 2) return false;
    take(i, Bytes(text, length));
    at = text + length + 2;
  }
  bytes.remove_prefix(static_cast<size_t>(at - bytes.data()));
  return true;
}

// EVAL, EVALSHA, FCALL and their relatives.
bool runs_script(Bytes name) {
  const Bytes begin = name.substr(0, 4);
  return equal_ignore_case(begin, "eval") || equal_ignore_case(begin, "fcal");
}

}  // namespace

std::optional<Bytes> skip_request(Bytes& pipeline) {
  Bytes key;
  uint32_t key_at = 1;
  const bool whole = walk_request(pipeline, [&](uint32_t i, Bytes argument) {
    if (i == 0 && runs_script(argument)) key_at = 3;
    if (i == key_at) key = argument;
  });
  return whole ? std::optional(key) : std::nullopt;
}

bool take_request(Bytes& stream, std::vector<Bytes>& args) {
  return walk_request(stream, [&](uint32_t, Bytes argument) { args.push_back(argument); });
}

ParseStatus RequestParser::next(Bytes buffer) {
  switch (state_) {
    case State::kStart:
      return parse_start(buffer);
    case State::kArguments:
      if (buffer.data() != base_) rebase(buffer.data());
      return parse_arguments(buffer);
    case State::kInline:
      return parse_inline(buffer);
    case State::kFailed:
      break;
  }
  return ParseStatus::kError;
}

void RequestParser::reset() {
  state_ = State::kStart;
  position_ = scanned_ = 0;
  remaining_ = 0;
  bulk_length_ = -1;
  args_.clear();
  raw_ = {};
  error_.clear();
}

ParseStatus RequestParser::need_more(size_t missing) {
  bytes_missing_ = missing;
  return ParseStatus::kNeedMore;
}

ParseStatus RequestParser::finish(Bytes buffer) {
  raw_ = buffer.substr(0, position_);
  state_ = State::kStart;
  return ParseStatus::kRequest;
}

ParseStatus RequestParser::fail_with(const std::string& reason) {
  state_ = State::kFailed;
  args_.clear();
  error_ = "ERR Protocol error: " + reason;
  return ParseStatus::kError;
}

void RequestParser::rebase(const char* base) {
  const auto from = reinterpret_cast<uintptr_t>(base_);
  for (Bytes& arg : args_) {
    arg = Bytes(base + (reinterpret_cast<uintptr_t>(arg.data()) - from), arg.size());
  }
  base_ = base;
}

RequestParser::Line RequestParser::find_line(Bytes buffer, Bytes& line) {
  const Bytes rest = buffer.substr(position_);
  const size_t end = rest.find('\r', scanned_);
  if (end == Bytes::npos) {
    scanned_ = rest.size();
    return rest.size() > kInlineBytesMax ? Line::kTooLong : Line::kPartial;
  }
  if (end > kInlineBytesMax) return Line::kTooLong;
  scanned_ = end;
  if (end + 2 > rest.size()) return Line::kPartial;
  scanned_ = 0;
  line = rest.substr(0, end);
  position_ += end + 2;
  return Line::kWhole;
}

ParseStatus RequestParser::parse_start(Bytes buffer) {
  if (args_.capacity() > kKeptArgumentsMax) std::vector<Bytes>().swap(args_);
  args_.clear();
  if (buffer.empty()) return need_more(1);
  inline_ = buffer[0] != '*';
  if (inline_) {
    position_ = scanned_ = 0;
    state_ = State::kInline;
    return parse_inline(buffer);
  }
  base_ = buffer.data();
  bulk_length_ = -1;
  if (buffer.size() >= 4 && ascii_digit(buffer[1]) && buffer[2] == '\r') {
    remaining_ = buffer[1] - '0';
    position_ = 4;
    scanned_ = 0;
  } else {
    Bytes line;
    position_ = 0;
    switch (find_line(buffer, line)) {
      case Line::kTooLong:
        return fail_with("too big mbulk count string");
      case Line::kPartial:
        return need_more(1);
      case Line::kWhole:
        break;
    }
    const std::optional<int64_t> count = parse_int64(line.substr(1));
    if (!count || *count > std::numeric_limits<int32_t>::max()) {
      return fail_with("invalid multibulk length");
    }
    if (*count > kUnauthenticatedArgumentsMax && !limits_.authenticated) {
      return fail_with("unauthenticated multibulk length");
    }
    remaining_ = *count;
  }
  if (remaining_ <= 0) return finish(buffer);
  state_ = State::kArguments;
  return parse_arguments(buffer);
}

ParseStatus RequestParser::parse_arguments(Bytes buffer) {
  const char* const begin = buffer.data();
  const char* const end = begin + buffer.size();
  const char* at = begin + position_;
  const int64_t unquestioned_max = std::min(kUnauthenticatedBulkBytesMax, limits_.bulk_bytes_max);
  int64_t remaining = remaining_;
  int64_t length = bulk_length_;
  const auto stop_at = [&](int64_t length_read) {
    position_ = static_cast<size_t>(at - begin);
    remaining_ = remaining;
    bulk_length_ = length_read;
  };
  for (; remaining > 0; --remaining) {
    if (length < 0) {
      uint32_t short_length = 0;
      const char* const text = read_short_header(at, end, short_length);
      if (text != nullptr && *at == '$' && short_length <= unquestioned_max) [[likely]] {
        length = short_length;
        at = text;
        scanned_ = 0;
      } else {
        stop_at(-1);
        const ParseStatus status = read_bulk_length(buffer);
        if (status != ParseStatus::kRequest) return status;
        length = bulk_length_;
        at = begin + position_;
      }
    }
    const auto needed = static_cast<size_t>(length) + 2;
    const auto there = static_cast<size_t>(end - at);
    if (there < needed) {
      stop_at(length);
      return need_more(needed - there);
    }
    args_.emplace_back(at, static_cast<size_t>(length));
    at += needed;
    length = -1;
  }
  stop_at(-1);
  return finish(buffer);
}

// kRequest stands for "the length is read" here.
ParseStatus RequestParser::read_bulk_length(Bytes buffer) {
  Bytes line;
  switch (find_line(buffer, line)) {
    case Line::kTooLong:
      return fail_with("too big bulk count string");
    case Line::kPartial:
      return need_more(1);
    case Line::kWhole:
      break;
  }
  const char type = line.empty() ? '\r' : line[0];
  if (type != '$') {
    return fail_with(std::string("expected '$', got '") + (line_end(type) ? ' ' : type) + "'");
  }
  const std::optional<int64_t> length = parse_int64(line.substr(1));
  if (!length || *length < 0 || *length > limits_.bulk_bytes_max) {
    return fail_with("invalid bulk length");
  }
  if (*length > kUnauthenticatedBulkBytesMax && !limits_.authenticated) {
    return fail_with("unauthenticated bulk length");
  }
  bulk_length_ = *length;
  return ParseStatus::kRequest;
}

ParseStatus RequestParser::parse_inline(Bytes buffer) {
  const size_t newline = buffer.find('\n', scanned_);
  Bytes line = buffer.substr(0, newline);
  if (line.ends_with('\r')) line.remove_suffix(1);
  // However it was cut; Redis looks no more once the end is there, so that luck decides.
  if (line.size() > kInlineBytesMax) return fail_with("too big inline request");
  if (newline == Bytes::npos) {
    scanned_ = buffer.size();
    return need_more(1);
  }
  if (inline_storage_.capacity() > kKeptInlineBytesMax) std::string().swap(inline_storage_);
  if (!split_arguments(line, inline_storage_, args_)) {
    return fail_with("unbalanced quotes in request");
  }
  position_ = newline + 1;
  scanned_ = 0;
  return finish(buffer);
}

namespace {

void append_header(std::string& out, char type, size_t value) {
  char text[kInt64TextMax + 3];
  text[0] = type;
  size_t length = 1 + write_uint64(text + 1, value);
  text[length++] = '\r';
  text[length++] = '\n';
  out.append(text, length);
}

template <class Range>
void append_all(std::string& out, const Range& args) {
  append_header(out, '*', args.size());
  for (const auto& arg : args) append_argument(out, arg);
}

}  // namespace

void append_request(std::string& out, std::span<const Bytes> args) { append_all(out, args); }
void append_request(std::string& out, std::initializer_list<Bytes> args) { append_all(out, args); }
void append_request(std::string& out, std::span<const std::string> args) { append_all(out, args); }

void append_request_header(std::string& out, size_t count) { append_header(out, '*', count); }

void append_argument(std::string& out, Bytes argument) {
  append_header(out, '$', argument.size());
  out.append(argument);
  out.append("\r\n", 2);
}

// An argument is never longer than its source, so room for the whole line is reserved once and the
// views into the storage stay true while it fills.

namespace {

class Splitter {
 public:
  Splitter(Bytes line, std::string& out) : line_(line.substr(0, line.find('\0'))), out_(out) {}

  void skip_spaces() {
    while (!done() && ascii_space(line_[at_])) ++at_;
  }
  bool done() const { return at_ == line_.size(); }

  // Appends one argument; false when its quotes are unbalanced.
  bool argument() {
    while (!done() && !word_end(line_[at_])) {
      const char c = line_[at_++];
      if (c == '"' || c == '\'') {
        if (!(c == '"' ? double_quoted() : single_quoted())) return false;
        // A closing quote ends the argument.
        return done() || ascii_space(line_[at_]);
      }
      out_.push_back(c);
    }
    return true;
  }

 private:
  static bool word_end(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

  bool double_quoted() {
    while (!done()) {
      const char c = line_[at_++];
      if (c == '"') return true;
      if (c == '\\' && !done()) {
        escaped();
      } else {
        out_.push_back(c);
      }
    }
    return false;
  }

  void escaped() {
    const char c = line_[at_++];
    if (c == 'x' && at_ + 2 <= line_.size()) {
      const int high = ascii_hex_value(line_[at_]);
      const int low = ascii_hex_value(line_[at_ + 1]);
      if (high >= 0 && low >= 0) {
        out_.push_back(static_cast<char>(high * 16 + low));
        at_ += 2;
        return;
      }
    }
    switch (c) {
      case 'n':
        out_.push_back('\n');
        break;
      case 'r':
        out_.push_back('\r');
        break;
      case 't':
        out_.push_back('\t');
        break;
      case 'b':
        out_.push_back('\b');
        break;
      case 'a':
        out_.push_back('\a');
        break;
      default:
        out_.push_back(c);
    }
  }

  bool single_quoted() {
    while (!done()) {
      const char c = line_[at_++];
      if (c == '\'') return true;
      if (c == '\\' && !done() && line_[at_] == '\'') {
        out_.push_back(line_[at_++]);
      } else {
        out_.push_back(c);
      }
    }
    return false;
  }

  Bytes line_;
  std::string& out_;
  size_t at_ = 0;
};

}  // namespace

bool split_arguments(Bytes line, std::string& storage, std::vector<Bytes>& arguments) {
  storage.clear();
  storage.reserve(line.size());
  arguments.clear();
  Splitter splitter(line, storage);
  for (splitter.skip_spaces(); !splitter.done(); splitter.skip_spaces()) {
    const size_t from = storage.size();
    if (!splitter.argument()) {
      arguments.clear();
      return false;
    }
    arguments.emplace_back(storage.data() + from, storage.size() - from);
  }
  return true;
}

}  // namespace tandem
