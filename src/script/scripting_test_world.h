// For tests of EVAL, FCALL and their kin: an engine with scripts and functions, and few commands.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/test_clock.h"
#include "engine/executor.h"
#include "engine/testing.h"
#include "log/log.h"
#include "script/scripting.h"

namespace tandem {

inline std::vector<CommandRow> scripting_world_rows(Scripting& scripting) {
  std::vector<CommandRow> rows = engine_rows();
  rows.push_back(plain_get_row());
  rows.push_back(plain_set_row());
  rows.push_back({.name = "briefly",
                  .arity = 2,
                  .flags = kWrite,
                  .keys = {key_at(1, "OW")},
                  .handler = [](Context& c) {
                    c.keys.set_text(event::kSet, c.args[1], "", c.now_ms + 1, as_is(c));
                    c.reply.ok();
                  }});
  rows.push_back({.name = "publish", .arity = 3, .flags = kMayReplicate, .handler = [](Context& c) {
                    c.reply.integer(0);
                  }});
  rows.push_back(
      {.name = "obeys", .arity = 2, .keys = {key_at(1, "RO")}, .handler = [](Context& c) {
         c.reply.integer(c.from_primary && c.keys.access().mode() == ExpiryMode::kIgnore);
       }});
  for (CommandRow& row : scripting.rows()) rows.push_back(std::move(row));
  return rows;
}

struct ScriptingClient final : ClientState {
  explicit ScriptingClient(ClientKind client_kind = ClientKind::kNormal)
      : ClientState(client_kind) {}
};

struct ScriptingWorld : OpenEngine<TestClock> {
  ScriptingWorld() {
    clock.step_us = 1000;  // so that a script takes long
    engine.functions = &scripting.functions();
  }
  std::string run(ClientState& who, std::initializer_list<Bytes> args, Bytes raw = {}) {
    std::string out;
    ReplyWriter reply(out, who.protocol);
    const std::vector<Bytes> all(args);
    executor.begin_batch();
    executor.execute(who, all, raw, reply);
    return out;
  }
  std::string run(std::initializer_list<Bytes> args) { return run(client, args); }
  std::string logged() { return read_on(*cursor); }

  Option<int64_t> busy_after_ms = 100;
  std::function<void()> while_busy = [] {};
  Scripting scripting{{.running = {.gate = gate,
                                   .clock = clock,
                                   .busy_after_ms = busy_after_ms,
                                   .while_busy = [this] { while_busy(); }},
                       .memory_bytes_max = size_t{32} << 20}};
  const Registry& commands = registry.add(scripting_world_rows(scripting));
  Executor executor{engine, 1};
  std::unique_ptr<LogCursor> cursor = begin_log();
  ScriptingClient client;
};

}  // namespace tandem
