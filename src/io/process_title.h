// What ps shows in place of the command line.
#pragma once

#include <string_view>

namespace tandem {

// The system shows the memory that the arguments stand in. So a title is written over them, and
// over the environment behind them, which moves away first; it is cut at the length of both.
//
// One a program, made by main before anything else, which must not use its arguments afterwards.
// show() from one thread at a time.
class ProcessTitle {
 public:
  // main's own.
  ProcessTitle(int argc, char** argv);
  ProcessTitle(const ProcessTitle&) = delete;
  ProcessTitle& operator=(const ProcessTitle&) = delete;

  void show(std::string_view title);

 private:
  char* begin_ = nullptr;
  char* end_ = nullptr;  // one behind the last byte
};

}  // namespace tandem
