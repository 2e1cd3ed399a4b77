// One Lua virtual machine, for scripts or for functions: compiles once and runs often. A script can
// neither outgrow the memory limit nor run past its host's interruption, and leaves nothing behind
// for the next one. A library of functions does: what its code has made lives on with its
// functions.
//
// Threads: none of its own; one user at a time.
#pragma once

#include <memory>
#include <span>
#include <vector>

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
  // Scripts find their keys and arguments in KEYS and ARGV, functions are called with them.
  enum class Kind : uint8_t { kScripts, kFunctions };

  // `random` outlives the machine.
  ScriptVm(Kind kind, size_t memory_bytes_max, LuaRandom& random);
  ~ScriptVm();
  ScriptVm(const ScriptVm&) = delete;
  ScriptVm& operator=(const ScriptVm&) = delete;

  // The compiled script under a number for run() and forget(). The error is Redis's text.
  Result<int> compile(Bytes code);
  // Runs the code of a library and gives the functions that it registers, by name; without any that
  // is an error. The error is Redis's text but for its code, ERR; nothing is left then.
  Result<std::vector<LibraryFunction>> load(Bytes code, ScriptWatch& watch);
  void forget(int function);
  // What was forgotten goes sooner or later; at once, if memory is tight.
  void collect_garbage();

  // Runs to the end and writes one reply. `name` (of the function; the script's SHA-1) appears in
  // error texts. `reply` has the client's protocol. True: it is the error that a command of the
  // script had got, not one of the script's own.
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
  struct LoadJob;
  static int run_protected(lua_State* lua);
  static int load_protected(lua_State* lua);
  int push_arguments(const Run& run);
  bool reply_error(const Run& run);
  void clean_up();

  const Kind kind_;
  LuaMemory memory_;
  LuaCallState calls_;
  LuaInterrupt interrupt_;
  int handler_ = 0;  // the error handler's number
  uint64_t runs_ = 0;
  size_t collected_bytes_ = 0;  // left when all garbage was collected last
  lua_State* lua_;
};

}  // namespace tandem
