// Writes replies behind a string that the owner keeps, in RESP2 or RESP3; what RESP2 lacks is
// written as Redis does (a map as a flat array, a double as a bulk string, null as $-1). Confined
// to one thread.
//
// The output may have a bound. What would pass it is dropped with everything behind it, and
// is_full() says so from then on: such an output is good for nothing but to be thrown away. Whoever
// writes in a long loop may ask and stop.
//
// A reply whose length is not known beforehand: `auto array = reply.begin_array(); ...
// reply.end_array(array, count);` A reply taken back: `auto mark = reply.mark(); ...
// reply.discard_to(mark);`
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/number.h"

namespace tandem {

class ReplyWriter {
 public:
  // A place in the output; valid until something before it is discarded.
  struct Mark {
    size_t size;
    uint64_t errors;
    const std::string* out;
  };

  explicit ReplyWriter(std::string& out, int protocol = 2)
      : out_(&out), own_(&out), protocol_(protocol) {}

  // Replies go to `elsewhere` until resume(); what is no reply does not.
  void divert(std::string& elsewhere) { out_ = &elsewhere; }
  void resume() { out_ = own_; }
  // For confirmations of subscriptions, which come even where replies are switched off. They are
  // few, and have no bound.
  ReplyWriter out_of_band() const { return ReplyWriter(*own_, protocol_); }

  // How long the string may become. Short fixed words (OK, null) pass it, all else does not.
  void set_bound(size_t bytes_max) {
    bytes_max_ = bytes_max;
    full_ = false;
  }
  bool is_full() const { return full_; }

  int protocol() const { return protocol_; }
  void set_protocol(int protocol) { protocol_ = protocol; }

  void ok() { out_->append("+OK\r\n", 5); }
  // Line ends inside the text become spaces.
  void simple(Bytes text);
  // The text with its code: "ERR syntax error", "WRONGTYPE Operation ...".
  void error(Bytes text);
  void integer(int64_t value) { header(':', value); }
  void bulk(Bytes bytes);
  void null() { protocol_ == 2 ? raw("$-1\r\n") : raw("_\r\n"); }
  void null_array() { protocol_ == 2 ? raw("*-1\r\n") : raw("_\r\n"); }
  void boolean(bool value);
  void number(double value);
  // With all its decimals, 17 at most (base/number.h): coordinates.
  void long_number(long double value);
  // Digits with an optional sign.
  void big_number(Bytes digits);
  // `format` has three characters, "txt" or "mkd".
  void verbatim(Bytes text, Bytes format = "txt");
  // An integer as a bulk string, as INCRBYFLOAT's and OBJECT's relatives answer.
  void bulk_integer(int64_t value);

  // Headers: `count` replies follow (for a map, twice as many).
  void array(int64_t count) { header('*', count); }
  void map(int64_t count) { protocol_ == 2 ? header('*', count * 2) : header('%', count); }
  void set(int64_t count) { header(protocol_ == 2 ? '*' : '~', count); }
  void attribute(int64_t count) { header('|', count); }  // not in RESP2
  void push(int64_t count) { header(protocol_ == 2 ? '*' : '>', count); }

  // The header is put in afterwards; such replies may nest.
  Mark begin_array() const { return mark(); }
  void end_array(Mark at, int64_t count) { insert_header(at, '*', count); }
  void end_map(Mark at, int64_t count);
  void end_set(Mark at, int64_t count) { insert_header(at, protocol_ == 2 ? '*' : '~', count); }

  // Bytes that are already a reply.
  void raw(Bytes reply) {
    if (has_room(reply.size())) out_->append(reply);
  }

  Mark mark() const { return {out_->size(), errors_, out_}; }
  void discard_to(Mark mark) {
    out_->resize(mark.size);
    errors_ = mark.errors;
  }
  // What was written since `mark`, valid until the next write; nothing if replies have gone
  // elsewhere since.
  Bytes written_since(Mark mark) const {
    return mark.out == out_ ? Bytes(*out_).substr(mark.size) : Bytes();
  }
  // Errors written so far, for statistics and for callers that must know how a command ended.
  uint64_t errors() const { return errors_; }

 private:
  static size_t write_header(char* out, char type, int64_t value) {
    out[0] = type;
    size_t length;
    if (value >= 0 && value < 10) {
      out[1] = static_cast<char>('0' + value);
      length = 2;
    } else {
      length = 1 + write_int64(out + 1, value);
    }
    out[length] = '\r';
    out[length + 1] = '\n';
    return length + 2;
  }
  void header(char type, int64_t value) {
    char text[kInt64TextMax + 3];
    const size_t length = write_header(text, type, value);
    if (has_room(length)) out_->append(text, length);
  }
  void insert_header(Mark at, char type, int64_t value) {
    char text[kInt64TextMax + 3];
    out_->insert(at.size, text, write_header(text, type, value));
  }
  void line(char type, Bytes text);
  void number_text(Bytes text);
  bool has_room(size_t bytes) {
    if (out_->size() + bytes <= bytes_max_) [[likely]]
      return true;
    fill();
    return false;
  }
  // Nothing behind a dropped piece may get in, be it ever so short.
  void fill() {
    full_ = true;
    bytes_max_ = 0;
  }

  std::string* out_;
  std::string* own_;
  size_t bytes_max_ = std::numeric_limits<size_t>::max();
  int protocol_;
  bool full_ = false;
  uint64_t errors_ = 0;
};

inline void ReplyWriter::bulk(Bytes bytes) {
  char text[kInt64TextMax + 3];
  const size_t prefix = write_header(text, '$', static_cast<int64_t>(bytes.size()));
  const size_t before = out_->size();
  const size_t after = before + prefix + bytes.size() + 2;
  if (after > bytes_max_) [[unlikely]]
    return fill();
  out_->resize_and_overwrite(after, [&](char* data, size_t) {
    char* to = data + before;
    std::memcpy(to, text, prefix);
    if (!bytes.empty()) std::memcpy(to + prefix, bytes.data(), bytes.size());
    to[prefix + bytes.size()] = '\r';
    to[prefix + bytes.size() + 1] = '\n';
    return after;
  });
}

// The reply of "CONTAINER HELP": a title, the lines about its subcommands, and HELP's own.

// `lines` are those between the title and HELP's own; `container` in any case.
void write_help(ReplyWriter& reply, Bytes container, std::span<const Bytes> lines);

}  // namespace tandem
