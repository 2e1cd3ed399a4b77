// Everything that can raise a Lua error happens inside lua_cpcall or lua_pcall; outside of them
// nothing allocates in Lua.
#include "script/script_vm.h"

#include <cstring>

#include <fmt/core.h>

#include "base/check.h"
#include "script/lua/lua.h"
#include "script/lua/reply.h"
#include "script/lua/sandbox.h"

namespace tandem {
namespace {

constexpr uint64_t kRunsPerCollection = 50;

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
  LuaRandom* random;
  LuaCallState* calls;
  LuaInterrupt* interrupt;
  int handler;
};

int set_up(lua_State* lua) {
  auto* setup = static_cast<Setup*>(lua_touserdata(lua, 1));
  open_sandbox(lua, *setup->random, push_redis_library, setup->calls);
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

Bytes text_on_top(lua_State* lua) {
  if (lua_isstring(lua, -1) == 0) return "unknown error";
  size_t size = 0;
  const char* text = lua_tolstring(lua, -1, &size);
  return Bytes(text, size);
}

}  // namespace

ScriptVm::ScriptVm(size_t memory_bytes_max, LuaRandom& random)
    : memory_(memory_bytes_max), lua_(lua_newstate(LuaMemory::allocate, &memory_)) {
  CHECK(lua_ != nullptr, "a Lua state fits into the memory limit of scripts");
  lua_atpanic(lua_, panic);
  Setup setup{&random, &calls_, &interrupt_, 0};
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

void ScriptVm::forget(int function) { luaL_unref(lua_, LUA_REGISTRYINDEX, function); }

struct ScriptVm::Job {
  ScriptVm& vm;
  const Run& run;
  bool passes_error_on = false;
};

// Writes the reply, or raises what the error handler made.
int ScriptVm::run_protected(lua_State* lua) {
  auto* job = static_cast<Job*>(lua_touserdata(lua, 1));
  push_table(lua, job->run.keys);
  set_script_global(lua, "KEYS");
  push_table(lua, job->run.args);
  set_script_global(lua, "ARGV");
  lua_rawgeti(lua, LUA_REGISTRYINDEX, job->vm.handler_);
  lua_rawgeti(lua, LUA_REGISTRYINDEX, job->run.function);
  arm_interrupt(lua);
  const int status = lua_pcall(lua, 0, 1, -2);
  disarm_interrupt(lua);
  if (status != 0) return lua_error(lua);
  job->passes_error_on = write_lua_value(lua, job->run.reply, job->vm.calls_.protocol);
  return 0;
}

bool ScriptVm::run(const Run& run) {
  calls_.host = &run.host;
  interrupt_ = {&run.host};
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

// The error lies on the stack: our handler's table, or a bare text where even that could not run.
// Reads it raw and without allocating.
bool ScriptVm::reply_error(const Run& run) {
  std::string text = "ERR ";
  if (!lua_istable(lua_, -1)) {
    text += up_to_zero(text_on_top(lua_));
    run.reply.error(text);
    return false;
  }
  std::string source;
  double line = -1;
  bool passes_on = false;
  text = "ERR unknown error";
  lua_pushnil(lua_);
  while (lua_next(lua_, -2) != 0) {
    if (lua_type(lua_, -2) == LUA_TSTRING) {
      const Bytes field = lua_tostring(lua_, -2);
      if (field == kFromCommand) passes_on = lua_toboolean(lua_, -1) != 0;
      if (field == "err" && lua_isstring(lua_, -1) != 0) text = up_to_zero(text_on_top(lua_));
      if (field == "source" && lua_type(lua_, -1) == LUA_TSTRING) source = text_on_top(lua_);
      if (field == "line" && lua_type(lua_, -1) == LUA_TNUMBER) line = lua_tonumber(lua_, -1);
    }
    lua_pop(lua_, 1);
  }
  if (!source.empty() && line >= 0) {
    text += fmt::format(" script: {}, on {}:{}.", run.name, source, static_cast<int64_t>(line));
  }
  run.reply.error(text);
  return passes_on;
}

// KEYS and ARGV are let go, and every so often, or when memory is tight, the garbage.
void ScriptVm::clean_up() {
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
  lua_cpcall(lua_, drop, nullptr);
  lua_settop(lua_, 0);
  lua_gc(lua_, LUA_GCRESTART, 0);
  if (is_crowded()) {
    lua_gc(lua_, LUA_GCCOLLECT, 0);
  } else if (++runs_ % kRunsPerCollection == 0) {
    lua_gc(lua_, LUA_GCSTEP, static_cast<int>(kRunsPerCollection));
  }
}

}  // namespace tandem
