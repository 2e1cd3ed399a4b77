#include "resp/reply_writer.h"

#include <string>

#include "base/bytes.h"

namespace tandem {

void ReplyWriter::line(char type, Bytes text) {
  constexpr size_t kAroundBytes = 3;  // the type, and the line's end
  if (!has_room(text.size() + kAroundBytes)) return;
  out_->push_back(type);
  const size_t from = out_->size();
  out_->append(text);
  for (size_t i = from; i < out_->size(); ++i) {
    char& c = (*out_)[i];
    if (c == '\r' || c == '\n') c = ' ';
  }
  out_->append("\r\n", 2);
}

void ReplyWriter::simple(Bytes text) { line('+', text); }

void ReplyWriter::error(Bytes text) {
  ++errors_;
  // Redis cuts line ends off, too, so that echoed arguments read as they do there.
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  line('-', text);
}

void ReplyWriter::boolean(bool value) {
  if (protocol_ == 2) {
    integer(value ? 1 : 0);
  } else {
    raw(value ? "#t\r\n" : "#f\r\n");
  }
}

void ReplyWriter::number_text(Bytes text) { protocol_ == 2 ? bulk(text) : line(',', text); }

void ReplyWriter::number(double value) {
  char text[kDoubleTextMax];
  number_text({text, write_double(text, value)});
}

void ReplyWriter::long_number(long double value) { number_text(long_double_text(value)); }

void ReplyWriter::big_number(Bytes digits) {
  if (protocol_ == 2) {
    bulk(digits);
  } else {
    line('(', digits);
  }
}

void ReplyWriter::verbatim(Bytes text, Bytes format) {
  if (protocol_ == 2) {
    bulk(text);
    return;
  }
  constexpr size_t kHeaderBytesMax = kInt64TextMax + 9;  // with the format, and the line's end
  if (!has_room(text.size() + kHeaderBytesMax)) return;
  header('=', static_cast<int64_t>(text.size() + 4));
  out_->append(format.substr(0, 3));
  out_->push_back(':');
  out_->append(text);
  out_->append("\r\n", 2);
}

void ReplyWriter::bulk_integer(int64_t value) {
  char text[kInt64TextMax];
  bulk(Bytes(text, write_int64(text, value)));
}

void ReplyWriter::end_map(Mark at, int64_t count) {
  if (protocol_ == 2) {
    insert_header(at, '*', count * 2);
  } else {
    insert_header(at, '%', count);
  }
}

void write_help(ReplyWriter& reply, Bytes container, std::span<const Bytes> lines) {
  constexpr size_t kOwnLines = 3;
  reply.array(static_cast<int64_t>(lines.size() + kOwnLines));
  reply.simple(to_upper(container) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const Bytes line : lines) reply.simple(line);
  reply.simple("HELP");
  reply.simple("    Print this help.");
}

}  // namespace tandem
