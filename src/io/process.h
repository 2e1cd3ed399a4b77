// What a daemon asks of its system: to leave the terminal, more descriptors, to be heard by who
// started it, and a title for ps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem {

// Leaving the terminal: what `daemonize` does.

// Goes on as a child of the calling process, in a session of its own, with its standard streams at
// /dev/null; the calling process ends at once with status 0. Before any other thread is made. The
// error: the system has no process left.
Result<void> go_into_background();

// How many descriptors the system lets this process have open. Any thread.

// Raises the limit in force (the soft one) to `wanted`, or as far as the hard one lets it; gives
// what is in force now, which may be more.
int64_t raise_descriptor_limit(int64_t wanted);

// The socket on which systemd, or whatever starts the server as it does, hears how the server is.

// Sends one message, lines of NAME=VALUE. `address`: a path, or a name behind '@' in the abstract
// namespace, as the environment's NOTIFY_SOCKET gives it. Does not wait.
Result<void> send_notice(const std::string& address, std::string_view text);

// What ps shows in place of the command line.

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
