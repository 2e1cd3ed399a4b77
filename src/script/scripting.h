// EVAL, EVALSHA, their _RO forms, and SCRIPT. A script is one command that holds every stripe:
// nothing runs beside it, and what its calls state as effects becomes one record of the log, a
// MULTI and EXEC where there are several.
//
// Threads: rows() and the construction before the first command. One virtual machine serves all
// workers: it belongs to whoever holds all stripes, as every command here but SCRIPT KILL does.
// kill, abort and the figures: any thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/metric.h"
#include "base/option.h"
#include "engine/context.h"
#include "engine/gate.h"
#include "script/script_cache.h"
#include "script/script_host.h"
#include "script/script_vm.h"

namespace tandem {

struct ScriptingParts {
  Gate& gate;
  const Clock& clock;
  // busy-reply-threshold; 0 or less: a script is never called slow.
  const Option<int64_t>& busy_after_ms;
  size_t memory_bytes_max = size_t{512} * 1024 * 1024;
  // Called on the script's thread now and then while Gate::kBusyScript is set: the moment to tell
  // waiting clients.
  std::function<void()> while_busy;  // NOLINT: default is empty
};

class Scripting {
 public:
  explicit Scripting(ScriptingParts parts);
  ~Scripting();
  Scripting(const Scripting&) = delete;
  Scripting& operator=(const Scripting&) = delete;

  // The rows refer to this object.
  std::vector<CommandRow> rows();

  ScriptControl& control() { return control_; }
  int64_t cached_scripts() const { return cache_.count(); }
  int64_t cached_script_bytes() const { return cache_.bytes(); }
  int64_t vm_bytes() const { return vm_bytes_.load(std::memory_order_relaxed); }

 private:
  class Run;
  void evaluate(SessionContext& context, bool by_sha1, bool read_only);
  void execute(SessionContext& context, ScriptCache::Script& script, Bytes sha1, int64_t key_count,
               bool read_only);
  // Null: the error is written.
  ScriptCache::Script* prepare(ReplyWriter& reply, Bytes sha1, Bytes text, bool loaded);
  void load(SessionContext& context);
  void exists(SessionContext& context);
  void flush(SessionContext& context);
  void kill(SessionContext& context);
  CommandRow evaluation_row(Bytes name, bool by_sha1, bool read_only);
  CommandRow script_row();
  void replace_vm();

  ScriptingParts parts_;
  ScriptControl control_;
  ScriptCache cache_;
  LuaRandom random_;
  std::unique_ptr<ScriptVm> vm_;
  std::atomic<int64_t> vm_bytes_{0};
};

// What scripting counts, as a table (base/metric.h).

// Section: memory. It outlives the table.
MetricTable script_metrics(const Scripting& scripting);

}  // namespace tandem
