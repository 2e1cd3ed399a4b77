// Ending the server in good order: no more writes, the data saved if it is to be saved, then the
// main loop stops. Asked for by SHUTDOWN and by signals.
//
// Threads: any; one shutdown at a time.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "config/server_options.h"
#include "engine/gate.h"
#include "server/persistence.h"

namespace tandem {

class Shutdown {
 public:
  struct Parts {
    Gate& gate;
    Persistence& persistence;
    std::function<void()> stop_scripts;  // one may hold everything that a save needs
    std::function<void()> leave;         // makes the program end
  };

  explicit Shutdown(Parts parts) : parts_(std::move(parts)) {}

  // `how`: kShutdownSave and its like, combined; neither save nor nosave: saves if there are save
  // points. An error: the data could not be saved, and the server goes on.
  Result<void> begin(int how);

 private:
  const Parts parts_;
  std::mutex lock_;
  bool over_ = false;  // the program ends; nothing more to do
};

}  // namespace tandem
