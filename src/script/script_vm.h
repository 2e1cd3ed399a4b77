// One Lua virtual machine: compiles scripts once and runs them. A script can neither outgrow the
// memory limit nor run past its host's interruption, and leaves nothing behind for the next one.
//
// Threads: none of its own; one user at a time.
#pragma once

#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "resp/reply_writer.h"
#include "script/lua/limits.h"
#include "script/lua/random.h"
#include "script/lua/redis.h"
#include "script/script_host.h"

struct lua_State;

namespace tandem {

class ScriptVm {
 public:
  // `random` outlives the machine.
  ScriptVm(size_t memory_bytes_max, LuaRandom& random);
  ~ScriptVm();
  ScriptVm(const ScriptVm&) = delete;
  ScriptVm& operator=(const ScriptVm&) = delete;

  // The compiled script under a number for run() and forget(). The error is Redis's text.
  Result<int> compile(Bytes code);
  void forget(int function);

  // Runs to the end and writes one reply. `name` (the script's SHA-1) appears in error texts.
  // `reply` has the client's protocol. True: it is the error that a command of the script had got,
  // not one of the script's own.
  struct Run {
    int function;
    Bytes name;
    std::span<const Bytes> keys;
    std::span<const Bytes> args;
    ScriptHost& host;
    ReplyWriter& reply;
  };
  bool run(const Run& run);

  size_t memory_bytes() const { return memory_.bytes(); }
  // Whether live data fill so much of the limit that a fresh machine would be better.
  bool is_crowded() const { return memory_.bytes() > memory_.bytes_max() / 2; }

 private:
  struct Job;
  static int run_protected(lua_State* lua);
  bool reply_error(const Run& run);
  void clean_up();

  LuaMemory memory_;
  LuaCallState calls_;
  LuaInterrupt interrupt_;
  int handler_ = 0;  // the error handler's number
  uint64_t runs_ = 0;
  lua_State* lua_;
};

}  // namespace tandem
