// What `supervised` asks for: whoever started the server learns when it is ready and when it ends.
//
// Threads: made by main before any other; the rest any.
#pragma once

#include <string>
#include <string_view>

#include "config/options.h"

namespace tandem {

class Supervision {
 public:
  // Finds out whom `wanted` means here: nobody, if the environment shows no such one. For upstart
  // the process stops, which is the sign it waits for, until it is continued.
  explicit Supervision(Supervisor wanted);

  // kNone, kUpstart or kSystemd.
  Supervisor by() const { return by_; }

  void ready(bool as_replica) const;
  void stopping() const;

 private:
  void wait_for_upstart(bool is_there);
  void greet_systemd(const char* socket);
  void tell(std::string_view text) const;

  Supervisor by_ = Supervisor::kNone;
  std::string address_;  // of systemd
};

}  // namespace tandem
