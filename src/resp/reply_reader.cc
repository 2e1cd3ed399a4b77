// A stack of open aggregates instead of recursion. Header lines are parsed where they lie when they
// are whole, and gathered in line_ when they come in pieces; a bulk's bytes go straight into its
// reply.
#include "resp/reply_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/number.h"

namespace tandem {
namespace {

// Room made on a header's word alone; more comes as the elements do.
constexpr size_t kReservedElementsMax = 64;

std::unexpected<Error> malformed(std::string text) {
  return fail(ErrorCode::kInvalid, "malformed reply: " + std::move(text));
}

std::unexpected<Error> over_limit(const char* what) {
  return fail(ErrorCode::kLimit, std::string("reply has too many ") + what);
}

Reply text_reply(ReplyKind kind, Bytes text) {
  Reply reply;
  reply.kind = kind;
  reply.text = text;
  return reply;
}

Reply integer_reply(ReplyKind kind, int64_t value) {
  Reply reply;
  reply.kind = kind;
  reply.integer = value;
  return reply;
}

Reply null_reply(bool as_array) {
  Reply reply;
  reply.null_array = as_array;
  return reply;
}

bool all_digits(Bytes text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == Bytes::npos;
}

}  // namespace

bool Reply::is_error(Bytes code) const {
  const Bytes shown(text);
  return kind == ReplyKind::kError && shown.starts_with(code) &&
         (shown.size() == code.size() || shown[code.size()] == ' ');
}

void ReplyReader::reset() {
  ready_ = failed_ = in_bulk_ = false;
  result_ = {};
  stack_.clear();
  line_.clear();
  bulk_ = {};
  bulk_missing_ = elements_ = bytes_ = 0;
}

Reply ReplyReader::take() {
  Reply taken = std::move(result_);
  reset();
  return taken;
}

Result<size_t> ReplyReader::feed(Bytes bytes) {
  if (failed_) return fail(ErrorCode::kInvalid, "the reader met a malformed reply before");
  size_t taken = 0;
  while (!ready_ && taken < bytes.size()) {
    const Bytes rest = bytes.substr(taken);
    Result<size_t> step = in_bulk_ ? feed_bulk(rest) : feed_line(rest);
    if (step) {
      taken += *step;
      bytes_ += *step;
      if (bytes_ > limits_.bytes_max) step = over_limit("bytes");
    }
    if (!step) {
      failed_ = true;
      return step;
    }
  }
  return taken;
}

Result<size_t> ReplyReader::feed_line(Bytes bytes) {
  const size_t newline = bytes.find('\n');
  const size_t length = newline == Bytes::npos ? bytes.size() : newline + 1;
  if (line_.size() + length > limits_.line_bytes_max) return over_limit("bytes in a line");
  if (newline == Bytes::npos) {
    line_.append(bytes);
    return length;
  }
  Bytes whole = bytes.substr(0, length);
  if (!line_.empty()) {
    line_.append(whole);
    whole = line_;
  }
  if (whole.size() < 3 || whole[whole.size() - 2] != '\r') return malformed("bad line end");
  const Result<void> understood = line(whole.substr(0, whole.size() - 2));
  line_.clear();
  if (!understood) return std::unexpected(understood.error());
  return length;
}

Result<size_t> ReplyReader::feed_bulk(Bytes bytes) {
  const size_t length = std::min(bytes.size(), bulk_missing_);
  bulk_.text.append(bytes.substr(0, length));
  bulk_missing_ -= length;
  if (bulk_missing_ == 0) {
    const Result<void> done = finish_bulk();
    if (!done) return std::unexpected(done.error());
  }
  return length;
}

Result<void> ReplyReader::finish_bulk() {
  in_bulk_ = false;
  if (!bulk_.text.ends_with("\r\n")) return malformed("a bulk string without its line end");
  bulk_.text.resize(bulk_.text.size() - 2);
  if (bulk_.kind == ReplyKind::kVerbatim) {
    if (bulk_.text.size() < 4 || bulk_.text[3] != ':') return malformed("verbatim without format");
    bulk_.format = bulk_.text.substr(0, 3);
    bulk_.text.erase(0, 4);
  }
  complete(std::exchange(bulk_, {}));
  return {};
}

Result<void> ReplyReader::start_bulk(ReplyKind kind, Bytes text) {
  if (text == "-1" && kind == ReplyKind::kBulk) {
    complete(null_reply(false));
    return {};
  }
  const std::optional<uint64_t> length = parse_uint64(text);
  if (!length) return malformed("bad bulk length");
  if (*length > limits_.bytes_max) return over_limit("bytes");
  in_bulk_ = true;
  bulk_ = {};
  bulk_.kind = kind;
  bulk_missing_ = static_cast<size_t>(*length) + 2;
  return {};
}

Result<void> ReplyReader::aggregate(ReplyKind kind, Bytes text, size_t per_element,
                                    bool attribute) {
  if (text == "-1" && kind == ReplyKind::kArray) {
    complete(null_reply(true));
    return {};
  }
  const std::optional<uint64_t> count = parse_uint64(text);
  if (!count) return malformed("bad element count");
  if (*count > limits_.elements_max / per_element) return over_limit("elements");
  const auto elements = static_cast<size_t>(*count) * per_element;
  elements_ += elements;
  if (elements_ > limits_.elements_max) return over_limit("elements");
  if (stack_.size() >= limits_.depth_max) return over_limit("levels");
  Reply reply;
  reply.kind = kind;
  if (elements == 0) {
    if (!attribute) complete(std::move(reply));
    return {};
  }
  reply.elements.reserve(std::min(elements, kReservedElementsMax));
  stack_.push_back({std::move(reply), elements, attribute});
  return {};
}

// Puts a whole reply into the aggregate it belongs to, and that one into its own, as long as they
// fill up. An attribute is dropped when whole: the reply it describes is still to come in its
// place.
void ReplyReader::complete(Reply reply) {
  while (!stack_.empty()) {
    Frame& frame = stack_.back();
    frame.reply.elements.push_back(std::move(reply));
    if (--frame.remaining > 0) return;
    const bool dropped = frame.attribute;
    reply = std::move(frame.reply);
    stack_.pop_back();
    if (dropped) return;
  }
  result_ = std::move(reply);
  ready_ = true;
}

Result<void> ReplyReader::line(Bytes whole) {
  const Bytes text = whole.substr(1);
  switch (whole[0]) {
    case '+':
      complete(text_reply(ReplyKind::kSimple, text));
      return {};
    case '-':
      complete(text_reply(ReplyKind::kError, text));
      return {};
    case '$':
      return start_bulk(ReplyKind::kBulk, text);
    case '!':
      return start_bulk(ReplyKind::kError, text);
    case '=':
      return start_bulk(ReplyKind::kVerbatim, text);
    case '*':
      return aggregate(ReplyKind::kArray, text, 1, false);
    case '~':
      return aggregate(ReplyKind::kSet, text, 1, false);
    case '>':
      return aggregate(ReplyKind::kPush, text, 1, false);
    case '%':
      return aggregate(ReplyKind::kMap, text, 2, false);
    case '|':
      return aggregate(ReplyKind::kMap, text, 2, true);
    default:
      return scalar_line(whole[0], text);
  }
}

Result<void> ReplyReader::scalar_line(char type, Bytes text) {
  switch (type) {
    case ':': {
      const std::optional<int64_t> value = parse_int64(text);
      if (!value) return malformed("bad integer");
      complete(integer_reply(ReplyKind::kInteger, *value));
      return {};
    }
    case ',': {
      Reply reply = text_reply(ReplyKind::kDouble, text);
      const std::optional<double> value = parse_double(text);
      if (!value && text != "nan") return malformed("bad double");
      reply.number = value.value_or(std::numeric_limits<double>::quiet_NaN());
      complete(std::move(reply));
      return {};
    }
    case '#':
      if (text != "t" && text != "f") return malformed("bad boolean");
      complete(integer_reply(ReplyKind::kBoolean, text == "t" ? 1 : 0));
      return {};
    case '(':
      if (!all_digits(text)) return malformed("bad big number");
      complete(text_reply(ReplyKind::kBigNumber, text));
      return {};
    case '_':
      if (!text.empty()) return malformed("bad null");
      complete(null_reply(false));
      return {};
    default:
      return malformed("unknown type");
  }
}

Result<Reply> parse_reply(Bytes bytes, ReplyLimits limits) {
  ReplyReader reader(limits);
  const Result<size_t> taken = reader.feed(bytes);
  if (!taken) return std::unexpected(taken.error());
  if (!reader.ready()) return fail(ErrorCode::kEnd, "the reply is cut short");
  if (*taken != bytes.size()) return malformed("bytes behind the reply");
  return reader.take();
}

}  // namespace tandem
