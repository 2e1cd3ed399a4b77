// Everything that can raise a Lua error happens inside lua_cpcall or lua_pcall; outside of them
// nothing allocates in Lua.
#include "script/script_vm.h"

#include <cstring>

#include <fmt/core.h>

#include "base/check.h"
#include "script/lua/library.h"
#include "script/lua/lua.h"
#include "script/lua/reply.h"
#include "script/lua/sandbox.h"

namespace tandem {
namespace {

constexpr uint64_t kRunsPerCollection = 50;
// A crowded machine may grow by this part of its limit before all of it is looked through again.
constexpr size_t kGrowthMax = 16;

int panic(lua_State* lua) {
  const char* text = lua_tostring(lua, -1);
  check_failed(__FILE__, __LINE__, "lua_pcall",
               text != nullptr ? text : "an unprotected Lua error");
}

// Pushes {err="ERR " .. text} for the value at 1, which may be of any type.
void push_error_of(lua_State* lua) {
  lua_createtable(lua, 0, 3);
  lua_pushliteral(lua, "ERR ");
  if (lua_isstring(lua, 1) != 0) {
    lua_pushvalue(lua, 1);
  } else if (lua_isnil(lua, 1)) {
    lua_pushliteral(lua, "nil");
  } else if (lua_isboolean(lua, 1)) {
    lua_pushstring(lua, lua_toboolean(lua, 1) != 0 ? "true" : "false");
  } else {
    lua_pushfstring(lua, "%s: %p", luaL_typename(lua, 1), lua_topointer(lua, 1));
  }
  lua_concat(lua, 2);
  lua_setfield(lua, -2, "err");
}

// Turns what was raised into {err=, source=, line=}. Runs where the error happened, with the stack
// still there.
int error_handler(lua_State* lua) {
  lua_Debug where;
  // The innermost function that is Lua's own.
  bool known = false;
  for (int level = 1; !known && lua_getstack(lua, level, &where) != 0; ++level) {
    known = lua_getinfo(lua, "Sl", &where) != 0 && std::strcmp(where.what, "C") != 0;
  }
  if (!lua_istable(lua, 1)) {
    push_error_of(lua);
    lua_replace(lua, 1);
  }
  if (known) {
    lua_pushstring(lua, where.source);
    lua_setfield(lua, 1, "source");
    lua_pushnumber(lua, where.currentline);
    lua_setfield(lua, 1, "line");
  }
  lua_settop(lua, 1);
  return 1;
}

struct Setup {
  ScriptVm::Kind kind;
  LuaRandom* random;
  LuaCallState* calls;
  LuaInterrupt* interrupt;
  int handler;
};

int set_up(lua_State* lua) {
  auto* setup = static_cast<Setup*>(lua_touserdata(lua, 1));
  if (setup->kind == ScriptVm::Kind::kScripts) {
    open_sandbox(lua, *setup->random, push_redis_library, setup->calls);
  } else {
    open_sandbox(lua, *setup->random, push_redis_library_of_functions, setup->calls);
    push_load_library(lua, setup->calls);
    add_load_globals(lua);
  }
  register_interrupt(lua, *setup->interrupt);
  lua_pushcfunction(lua, error_handler);
  setup->handler = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

struct Compilation {
  Bytes code;
  int function = LUA_NOREF;
};

int compile_protected(lua_State* lua) {
  auto* job = static_cast<Compilation*>(lua_touserdata(lua, 1));
  if (job->code.starts_with(LUA_SIGNATURE[0])) {
    lua_pushliteral(lua, "user_script:1: unexpected symbol near '<\\27>'");
    return lua_error(lua);
  }
  if (luaL_loadbuffer(lua, job->code.data(), job->code.size(), "@user_script") != 0) {
    return lua_error(lua);
  }
  job->function = luaL_ref(lua, LUA_REGISTRYINDEX);
  return 0;
}

void push_table(lua_State* lua, std::span<const Bytes> values) {
  lua_createtable(lua, static_cast<int>(values.size()), 0);
  int index = 0;
  for (const Bytes value : values) {
    lua_pushlstring(lua, value.data(), value.size());
    lua_rawseti(lua, -2, ++index);
  }
}

// The text on top of the stack.
Bytes text_on_top(lua_State* lua) {
  if (lua_isstring(lua, -1) == 0) return "unknown error";
  size_t size = 0;
  const char* text = lua_tolstring(lua, -1, &size);
  return Bytes(text, size);
}

struct RaisedError {
  std::string text;
  std::string source = {};
  double line = -1;
  bool is_of_command = false;
};

// The error that lies on the stack: our handler's table, the table of a function of the library, or
// a bare text. Reads it raw and without allocating in Lua.
RaisedError error_on_top(lua_State* lua) {
  if (!lua_istable(lua, -1)) return {.text = "ERR " + std::string(up_to_zero(text_on_top(lua)))};
  RaisedError error{.text = "ERR unknown error"};
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    if (lua_type(lua, -2) == LUA_TSTRING) {
      const Bytes field = lua_tostring(lua, -2);
      if (field == kFromCommand) error.is_of_command = lua_toboolean(lua, -1) != 0;
      if (field == "err" && lua_isstring(lua, -1) != 0) {
        error.text = up_to_zero(text_on_top(lua));
      }
      if (field == "source" && lua_type(lua, -1) == LUA_TSTRING) error.source = text_on_top(lua);
      if (field == "line" && lua_type(lua, -1) == LUA_TNUMBER) error.line = lua_tonumber(lua, -1);
    }
    lua_pop(lua, 1);
  }
  return error;
}

}  // namespace

ScriptVm::ScriptVm(Kind kind, size_t memory_bytes_max, LuaRandom& random)
    : kind_(kind), memory_(memory_bytes_max), lua_(lua_newstate(LuaMemory::allocate, &memory_)) {
  CHECK(lua_ != nullptr, "a Lua state fits into the memory limit of scripts");
  lua_atpanic(lua_, panic);
  Setup setup{kind, &random, &calls_, &interrupt_, 0};
  const int status = lua_cpcall(lua_, set_up, &setup);
  CHECK(status == 0, "the sandbox of scripts can be built");
  handler_ = setup.handler;
}

ScriptVm::~ScriptVm() { lua_close(lua_); }

Result<int> ScriptVm::compile(Bytes code) {
  Compilation job{code};
  if (lua_cpcall(lua_, compile_protected, &job) != 0) {
    std::string text = "ERR Error compiling script (new function): ";
    text += text_on_top(lua_);
    lua_settop(lua_, 0);
    return fail(ErrorCode::kInvalid, std::move(text));
  }
  return job.function;
}

struct ScriptVm::LoadJob {
  Bytes code;
  bool compiled = false;
};

// Registers, or raises what was wrong.
int ScriptVm::load_protected(lua_State* lua) {
  auto* job = static_cast<LoadJob*>(lua_touserdata(lua, 1));
  if (luaL_loadbuffer(lua, job->code.data(), job->code.size(), "@user_function") != 0) {
    return lua_error(lua);
  }
  job->compiled = true;
  show_load_globals(lua, true);
  arm_interrupt(lua);
  const int status = lua_pcall(lua, 0, 0, 0);
  disarm_interrupt(lua);
  show_load_globals(lua, false);
  return status == 0 ? 0 : lua_error(lua);
}

Result<std::vector<LibraryFunction>> ScriptVm::load(Bytes code, ScriptWatch& watch) {
  CHECK(!code.starts_with(LUA_SIGNATURE[0]), "the code begins with the end of its first line");
  LuaCallState::Registered registered;
  calls_.registered = &registered;
  interrupt_ = {.watch = &watch};
  LoadJob job{code};
  std::string wrong;
  if (lua_cpcall(lua_, load_protected, &job) != 0) {
    wrong = job.compiled ? "Error registering functions: " + error_on_top(lua_).text
                         : "Error compiling function: " + std::string(text_on_top(lua_));
  } else if (registered.empty()) {
    wrong = "No functions registered";
  }
  interrupt_ = {};
  calls_.registered = nullptr;
  calls_.function = {};
  std::vector<LibraryFunction> functions;
  for (auto& [name, function] : registered) functions.push_back(std::move(function));
  if (!wrong.empty()) {
    for (const LibraryFunction& function : functions) forget(function.callback);
  }
  collect_garbage();
  if (!wrong.empty()) return fail(ErrorCode::kInvalid, std::move(wrong));
  return functions;
}

void ScriptVm::forget(int function) {
  const LuaMemory::Lifted lifted(memory_);
  luaL_unref(lua_, LUA_REGISTRYINDEX, function);
  collected_bytes_ = 0;
}

struct ScriptVm::Job {
  ScriptVm& vm;
  const Run& run;
  bool passes_error_on = false;
};

// Keys and arguments to where they are looked for; gives how many were pushed for the call.
int ScriptVm::push_arguments(const Run& run) {
  push_table(lua_, run.keys);
  if (kind_ == Kind::kScripts) set_script_global(lua_, "KEYS");
  push_table(lua_, run.args);
  if (kind_ == Kind::kScripts) set_script_global(lua_, "ARGV");
  return kind_ == Kind::kScripts ? 0 : 2;
}

// Writes the reply, or raises what the error handler made.
int ScriptVm::run_protected(lua_State* lua) {
  auto* job = static_cast<Job*>(lua_touserdata(lua, 1));
  lua_rawgeti(lua, LUA_REGISTRYINDEX, job->vm.handler_);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, job->run.function);
  const int arguments = job->vm.push_arguments(job->run);
  arm_interrupt(lua);
  const int status = lua_pcall(lua, arguments, 1, -2 - arguments);
  disarm_interrupt(lua);
  if (status != 0) return lua_error(lua);
  job->passes_error_on = write_lua_value(lua, job->run.reply, job->vm.calls_.protocol);
  return 0;
}

bool ScriptVm::run(const Run& run) {
  calls_.host = &run.host;
  interrupt_ = {.watch = &run.host};
  calls_.protocol = 2;
  Job job{*this, run};
  const ReplyWriter::Mark start = run.reply.mark();
  if (lua_cpcall(lua_, run_protected, &job) != 0) {
    run.reply.discard_to(start);
    job.passes_error_on = reply_error(run);
  }
  disarm_interrupt(lua_);
  interrupt_ = {};
  calls_.host = nullptr;
  clean_up();
  return job.passes_error_on;
}

bool ScriptVm::reply_error(const Run& run) {
  RaisedError error = error_on_top(lua_);
  if (!error.source.empty() && error.line >= 0) {
    error.text += fmt::format(" script: {}, on {}:{}.", run.name, error.source,
                              static_cast<int64_t>(error.line));
  }
  run.reply.error(error.text);
  return error.is_of_command;
}

// KEYS and ARGV are let go, and every so often, or when memory is tight, the garbage.
void ScriptVm::clean_up() {
  const LuaMemory::Lifted lifted(memory_);
  lua_settop(lua_, 0);
  std::string().swap(calls_.reply);
  std::string().swap(calls_.text);
  const auto drop = [](lua_State* lua) -> int {
    for (const char* name : {"KEYS", "ARGV"}) {
      lua_pushnil(lua);
      set_script_global(lua, name);
    }
    return 0;
  };
  if (kind_ == Kind::kScripts) lua_cpcall(lua_, drop, nullptr);
  collect_garbage();
}

void ScriptVm::collect_garbage() {
  const LuaMemory::Lifted lifted(memory_);
  lua_settop(lua_, 0);
  lua_gc(lua_, LUA_GCRESTART, 0);
  if (is_crowded() && memory_.bytes() > collected_bytes_ + memory_.bytes_max() / kGrowthMax) {
    lua_gc(lua_, LUA_GCCOLLECT, 0);
    collected_bytes_ = memory_.bytes();
  } else if (++runs_ % kRunsPerCollection == 0) {
    lua_gc(lua_, LUA_GCSTEP, static_cast<int>(kRunsPerCollection));
  }
}

}  // namespace tandem
