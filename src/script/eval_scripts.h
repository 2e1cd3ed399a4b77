// EVAL, EVALSHA, their _RO forms, and SCRIPT.
//
// Threads: rows() and the construction before the first command. One virtual machine serves all
// workers: it belongs to whoever holds all stripes, as every command here but SCRIPT KILL does. The
// figures: any thread.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "engine/context.h"
#include "script/script_cache.h"
#include "script/script_names.h"
#include "script/script_runner.h"
#include "script/script_vm.h"

namespace tandem {

class EvalScripts {
 public:
  // Both outlive this.
  EvalScripts(ScriptRunner& runner, LuaRandom& random, size_t memory_bytes_max);
  EvalScripts(const EvalScripts&) = delete;
  EvalScripts& operator=(const EvalScripts&) = delete;

  // The rows refer to this object.
  std::vector<CommandRow> rows();

  int64_t cached_scripts() const { return cache_.count(); }
  int64_t cached_script_bytes() const { return cache_.bytes(); }
  int64_t vm_bytes() const { return vm_bytes_.load(std::memory_order_relaxed); }

 private:
  void evaluate(SessionContext& context, bool by_sha1, bool read_only);
  // Null: the error is written.
  ScriptCache::Script* prepare(ReplyWriter& reply, Bytes sha1, Bytes text, bool loaded);
  void load(SessionContext& context);
  void exists(SessionContext& context);
  void flush(SessionContext& context);
  uint32_t flags_of(std::span<const Bytes> args, bool by_sha1, uint32_t row_flags) const;
  CommandRow evaluation_row(Bytes name, bool by_sha1, bool read_only);
  CommandRow script_row();
  std::shared_ptr<ScriptVm> make_vm() const;
  // The former one becomes garbage.
  void replace_vm(Garbage& garbage);
  void note_memory();

  ScriptRunner& runner_;
  LuaRandom& random_;
  const size_t memory_bytes_max_;
  ScriptCache cache_;
  ScriptNames names_;
  std::shared_ptr<ScriptVm> vm_;
  std::atomic<int64_t> vm_bytes_{0};
};

}  // namespace tandem
