// An argument is never longer than its source, so room for the whole line is reserved once and the
// views into the storage stay true while it fills.
#include "resp/split_arguments.h"

#include "base/bytes.h"

namespace tandem {
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
