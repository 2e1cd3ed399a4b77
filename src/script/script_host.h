// What a running script can reach outside its virtual machine.
#pragma once

#include <span>
#include <string>

#include "base/bytes.h"

namespace tandem {

class ScriptHost {
 public:
  virtual ~ScriptHost() = default;
  // redis.call: appends one reply in the RESP of `protocol` to `reply`; a refusal is an error
  // reply.
  virtual void call(std::span<const Bytes> args, int protocol, std::string& reply) = 0;
  virtual bool knows_command(std::span<const Bytes> args) = 0;
  // Asked every kHookInstructions. A text, which lives on: the script is to end with this error.
  virtual const char* interruption() = 0;
};

inline constexpr int kHookInstructions = 100'000;

}  // namespace tandem
