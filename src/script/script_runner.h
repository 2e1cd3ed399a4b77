// How a script or a function runs: as one command that holds every stripe. Nothing runs beside it,
// and what its calls state as effects becomes one record of the log, a MULTI and EXEC where there
// are several.
//
// Threads: run() belongs to whoever holds all stripes, so there is one run at a time; kill() and
// control() to any thread.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/option.h"
#include "engine/context.h"
#include "engine/gate.h"
#include "script/script_host.h"
#include "script/script_vm.h"

namespace tandem {

class ScriptRunner {
 public:
  struct Parts {
    Gate& gate;
    const Clock& clock;
    // busy-reply-threshold; 0 or less: a script is never called slow.
    const Option<int64_t>& busy_after_ms;
    // Called on the script's thread now and then while Gate::kBusyScript is set: the moment to tell
    // waiting clients.
    std::function<void()> while_busy;  // NOLINT: default is empty
  };

  explicit ScriptRunner(Parts parts) : parts_(std::move(parts)), control_(parts_.gate) {}
  ScriptRunner(const ScriptRunner&) = delete;
  ScriptRunner& operator=(const ScriptRunner&) = delete;

  struct Job {
    ScriptVm& vm;
    int function;  // its number there
    Bytes name;    // for errors, and for people
    bool is_function;
    bool has_flags = true;
    uint32_t flags = 0;  // ScriptFlag
    bool read_only = false;
    size_t key_count = 0;
  };
  // Runs it for the command of `context`, whose arguments from the fourth on are keys and others.
  void run(SessionContext& context, const Job& job);

  // SCRIPT KILL and FUNCTION KILL.
  void kill(ReplyWriter& reply, bool function);
  ScriptControl& control() { return control_; }
  const ScriptControl& control() const { return control_; }
  const Clock& clock() const { return parts_.clock; }

 private:
  class Run;

  const Parts parts_;
  ScriptControl control_;
};

// How many of the arguments from the fourth on are keys, as the third one says. Nothing: an error
// was answered, `not_a_number` among them.
std::optional<size_t> read_key_count(SessionContext& context, Bytes not_a_number);

// The flags by which a command is judged that runs a script with these flags.
uint32_t call_flags(uint32_t command_flags, uint32_t script_flags);

}  // namespace tandem
