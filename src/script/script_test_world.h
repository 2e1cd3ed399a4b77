// For tests of the virtual machine: one with a host that answers what the test says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "script/script_vm.h"

namespace tandem {

// Answers what the test says, whatever it is asked.
struct FakeScriptHost final : ScriptHost {
  void replicate(bool on) override { replicates = on; }
  void call(std::span<const Bytes> args, int protocol, std::string& reply) override {
    asked.clear();
    for (const Bytes arg : args) asked.emplace_back(arg);
    asked_protocol = protocol;
    reply += answer;
  }
  std::optional<bool> is_allowed(std::span<const Bytes> args) override {
    if (args[0] == "nosuch") return std::nullopt;
    return args[0] == "get";
  }
  const char* interruption() override { return stop_after-- <= 0 ? "stopped" : nullptr; }

  std::vector<std::string> asked;
  int asked_protocol = 0;
  bool replicates = true;
  std::string answer = "+OK\r\n";
  int64_t stop_after = INT64_MAX;
};

struct ScriptTestWorld {
  explicit ScriptTestWorld(size_t bytes = size_t{64} << 20)
      : vm(ScriptVm::Kind::kScripts, bytes, random) {}

  std::string run(Bytes code, int protocol = 2, std::vector<Bytes> keys = {},
                  std::vector<Bytes> args = {}) {
    std::string out;
    ReplyWriter reply(out, protocol);
    const Result<int> function = vm.compile(code);
    if (!function) return "-" + function.error().text;
    vm.run({*function, "SHA", keys, args, host, reply});
    vm.forget(*function);
    return out;
  }

  FakeScriptHost host;
  LuaRandom random;
  ScriptVm vm;
};

}  // namespace tandem
