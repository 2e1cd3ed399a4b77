#include "resp/request_writer.h"

#include "base/number.h"

namespace tandem {
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

}  // namespace tandem
