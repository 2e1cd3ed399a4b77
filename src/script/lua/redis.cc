#include "script/lua/redis.h"

#include <cmath>
#include <span>

#include "base/checksum.h"
#include "base/logging.h"
#include "base/version.h"
#include "script/lua/lua.h"
#include "script/lua/reply.h"

namespace tandem {
namespace {

// Where effects go, as flags of redis.set_repl. There is no append-only file.
constexpr int kReplicateAll = 3;
constexpr int kReplicateAof = 1;
constexpr int kReplicateReplica = 2;

int raise(lua_State* lua, Bytes text) {
  push_error(lua, text);
  return lua_error(lua);
}

// Zero has no sign, but what is no number has.
size_t write_argument(char* out, double number) {
  if (!std::isnan(number)) return write_double(out, number == 0 ? 0 : number);
  const Bytes text = std::signbit(number) ? "-nan" : "nan";
  return text.copy(out, text.size());
}

// The arguments on the stack as bytes, in state.args. Null, or what is wrong with them. Allocates
// nothing in Lua.
const char* gather_arguments(lua_State* lua, LuaCallState& state) {
  const int count = lua_gettop(lua);
  if (count == 0) return "Please specify at least one argument for this redis lib call";
  state.args.clear();
  state.number_texts.resize(static_cast<size_t>(count));
  for (int i = 1; i <= count; ++i) {
    if (lua_type(lua, i) == LUA_TNUMBER) {
      auto& text = state.number_texts[static_cast<size_t>(i - 1)];
      const double number = lua_tonumber(lua, i);
      state.args.emplace_back(text.data(), write_argument(text.data(), number));
    } else if (lua_type(lua, i) == LUA_TSTRING) {
      size_t size = 0;
      const char* bytes = lua_tolstring(lua, i, &size);
      state.args.emplace_back(bytes, size);
    } else {
      return "Lua redis lib command arguments must be strings or integers";
    }
  }
  return nullptr;
}

// Pushes the reply. True: it is an error.
bool call(lua_State* lua) {
  LuaCallState& state = call_state_of(lua);
  if (const char* wrong = gather_arguments(lua, state); wrong != nullptr) {
    push_error(lua, wrong);
    return true;
  }
  state.reply.clear();
  if (state.host == nullptr) {
    push_error(lua, "redis.call is only possible while a script runs");
    return true;
  }
  state.host->call(state.args, state.protocol, state.reply);
  push_reply(lua, state.reply);
  return state.reply.starts_with('-');
}

int redis_call(lua_State* lua) { return call(lua) ? lua_error(lua) : 1; }

int redis_pcall(lua_State* lua) {
  call(lua);
  return 1;
}

int error_reply(lua_State* lua) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
    push_error(lua, "wrong number or type of arguments");
    return 1;
  }
  // A code is taken as one, with "-" before it or without.
  if (lua_tostring(lua, 1)[0] != '-') {
    lua_pushliteral(lua, "-");
    lua_insert(lua, 1);
    lua_concat(lua, 2);
  }
  size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  push_error(lua, Bytes(text, size));
  return 1;
}

int status_reply(lua_State* lua) {
  if (lua_gettop(lua) != 1 || lua_type(lua, 1) != LUA_TSTRING) {
    push_error(lua, "wrong number or type of arguments");
    return 1;
  }
  lua_createtable(lua, 0, 1);
  lua_pushvalue(lua, 1);
  lua_setfield(lua, -2, "ok");
  return 1;
}

int sha1_hex_of(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise(lua, "wrong number of arguments");
  size_t size = 0;
  const char* text = lua_tolstring(lua, 1, &size);
  LuaCallState& state = call_state_of(lua);
  state.text = sha1_hex(Bytes(text, size));
  lua_pushlstring(lua, state.text.data(), state.text.size());
  return 1;
}

int log(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count < 2) return raise(lua, "redis.log() requires two arguments or more.");
  if (lua_isnumber(lua, 1) == 0) {
    return raise(lua, "First argument must be a number (log level).");
  }
  const auto level = static_cast<int>(lua_tonumber(lua, 1));
  if (level < 0 || level > 3) return raise(lua, "Invalid debug level.");
  LuaCallState& state = call_state_of(lua);
  state.text.clear();
  for (int i = 2; i <= count; ++i) {
    size_t size = 0;
    const char* text = lua_tolstring(lua, i, &size);
    if (text == nullptr) continue;
    if (!state.text.empty()) state.text.push_back(' ');
    state.text.append(text, size);
  }
  if (log_enabled(static_cast<LogLevel>(level))) {
    log_line(static_cast<LogLevel>(level), state.text);
  }
  return 0;
}

int set_protocol(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise(lua, "redis.setresp() requires one argument.");
  const double protocol = lua_tonumber(lua, 1);
  if (protocol != 2 && protocol != 3) return raise(lua, "RESP version must be 2 or 3.");
  call_state_of(lua).protocol = static_cast<int>(protocol);
  return 0;
}

int check_command(lua_State* lua) {
  LuaCallState& state = call_state_of(lua);
  if (const char* wrong = gather_arguments(lua, state); wrong != nullptr) return raise(lua, wrong);
  const auto allowed = state.host == nullptr ? std::nullopt : state.host->is_allowed(state.args);
  if (!allowed) return raise(lua, "Invalid command passed to redis.acl_check_cmd()");
  lua_pushboolean(lua, *allowed ? 1 : 0);
  return 1;
}

int set_replication(lua_State* lua) {
  if (lua_gettop(lua) != 1) return raise(lua, "redis.set_repl() requires two arguments.");
  const double flags = lua_tonumber(lua, 1);
  if (!(flags >= 0 && flags <= kReplicateAll)) {
    return raise(lua,
                 "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
  }
  if (ScriptHost* host = call_state_of(lua).host; host != nullptr) {
    host->replicate((static_cast<int>(flags) & kReplicateReplica) != 0);
  }
  return 0;
}

int answer_true(lua_State* lua) {
  lua_pushboolean(lua, 1);
  return 1;
}

int answer_false(lua_State* lua) {
  lua_pushboolean(lua, 0);
  return 1;
}

int answer_nothing(lua_State*) { return 0; }

int version_number() {
  int number = 0;
  int part = 0;
  for (const char c : kRedisVersion) {
    if (c == '.') {
      number = (number + part) << 8;
      part = 0;
    } else {
      part = part * 10 + (c - '0');
    }
  }
  return number + part;
}

void add_functions(lua_State* lua, std::span<const luaL_Reg> functions, void* call_state) {
  for (const luaL_Reg& function : functions) {
    lua_pushlightuserdata(lua, call_state);
    lua_pushcclosure(lua, function.func, 1);
    lua_setfield(lua, -2, function.name);
  }
}

struct Constant {
  const char* name;
  int value;
};

void add_constants(lua_State* lua, std::span<const Constant> constants) {
  for (const Constant& constant : constants) {
    lua_pushnumber(lua, constant.value);
    lua_setfield(lua, -2, constant.name);
  }
}

}  // namespace

LuaCallState& call_state_of(lua_State* lua) {
  return *static_cast<LuaCallState*>(lua_touserdata(lua, lua_upvalueindex(1)));
}

void add_logging(lua_State* lua, void* call_state) {
  static constexpr luaL_Reg kLog[] = {{"log", log}};
  static constexpr Constant kLevels[] = {
      {"LOG_DEBUG", 0}, {"LOG_VERBOSE", 1}, {"LOG_NOTICE", 2}, {"LOG_WARNING", 3}};
  add_functions(lua, kLog, call_state);
  add_constants(lua, kLevels);
}

void add_versions(lua_State* lua) {
  lua_pushnumber(lua, version_number());
  lua_setfield(lua, -2, "REDIS_VERSION_NUM");
  lua_pushlstring(lua, kRedisVersion.data(), kRedisVersion.size());
  lua_setfield(lua, -2, "REDIS_VERSION");
}

void push_redis_library_of_functions(lua_State* lua, void* call_state) {
  static constexpr luaL_Reg kFunctions[] = {
      {"call", redis_call},
      {"pcall", redis_pcall},
      {"error_reply", error_reply},
      {"status_reply", status_reply},
      {"sha1hex", sha1_hex_of},
      {"setresp", set_protocol},
      {"acl_check_cmd", check_command},
      {"set_repl", set_replication},
  };
  static constexpr Constant kReplication[] = {{"REPL_NONE", 0},
                                              {"REPL_AOF", kReplicateAof},
                                              {"REPL_SLAVE", kReplicateReplica},
                                              {"REPL_REPLICA", kReplicateReplica},
                                              {"REPL_ALL", kReplicateAll}};
  lua_createtable(lua, 0, 24);
  add_functions(lua, kFunctions, call_state);
  add_constants(lua, kReplication);
  add_logging(lua, call_state);
  add_versions(lua);
}

void push_redis_library(lua_State* lua, void* call_state) {
  static constexpr luaL_Reg kOfScripts[] = {
      {"replicate_commands", answer_true}, {"breakpoint", answer_false}, {"debug", answer_nothing}};
  push_redis_library_of_functions(lua, call_state);
  add_functions(lua, kOfScripts, call_state);
}

}  // namespace tandem
