// Scripts as texts: their first line, and those that are kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

// The first line of a script may say what it wants: "#!lua flags=no-writes,allow-stale".

enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1u << 0,
  kScriptAllowOom = 1u << 1,
  kScriptAllowStale = 1u << 2,
  kScriptNoCluster = 1u << 3,
  kScriptCrossSlot = 1u << 4,
};

struct ScriptText {
  bool has_flags = false;  // there is such a line; without one a script gets the behaviour of old
  uint32_t flags = 0;
  Bytes code;  // from that line's end on, so that line numbers stay true; a view into the script
};

// An error's text is what Redis answers.
Result<ScriptText> read_script_text(Bytes script);

// Scripts by the SHA-1 of their text. Those of SCRIPT LOAD stay until SCRIPT FLUSH; those that only
// EVAL brought are dropped oldest first beyond a limit.
//
// Threads: whoever holds all stripes; count() and bytes() from any.
class ScriptCache {
 public:
  static constexpr size_t kEvaluatedScriptsMax = 10'000;

  struct Script {
    std::string text;
    uint32_t flags = 0;
    bool has_flags = false;
    bool loaded = false;   // by SCRIPT LOAD
    int function = kNone;  // its number in the virtual machine
  };
  static constexpr int kNone = -1;

  // Lower-case hexadecimal digits. Null: not there.
  Script* find(Bytes sha1);
  Script& add(Bytes sha1, Script script);
  void keep(Script& script) { script.loaded = true; }
  // The function number of a script that was dropped to stay within the limit, or kNone. Call after
  // add() until kNone.
  int drop_excess();
  void clear();
  // The virtual machine was replaced.
  void forget_functions();

  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::map<std::string, Script, std::less<>> scripts_;
  std::deque<std::string> evaluated_;  // in the order of arrival; some may have been loaded since
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> bytes_{0};
};

}  // namespace tandem
