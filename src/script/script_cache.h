// The scripts that are kept, by the SHA-1 of their text. Those of SCRIPT LOAD stay until SCRIPT
// FLUSH; of those that only EVAL brought, the oldest are dropped beyond a number or a size of all.
//
// Threads: whoever holds all stripes; flags_of(), count() and bytes() any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/lock.h"

namespace tandem {

class ScriptCache {
 public:
  static constexpr size_t kEvaluatedScriptsMax = 10'000;
  static constexpr int64_t kTextBytesMax = int64_t{256} * 1024 * 1024;

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
  // The function number of a script that was dropped to stay within the limits, or kNone. Call
  // after add() until kNone. The last one that came stays.
  int drop_excess();
  void clear();
  // The virtual machine was replaced.
  void forget_functions();

  // Of a script that is there and states its flags.
  std::optional<uint32_t> flags_of(Bytes sha1) const;
  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool has_excess() const {
    return evaluated_.size() > kEvaluatedScriptsMax ||
           (evaluated_.size() > 1 && bytes() > kTextBytesMax);
  }

  // Held by who adds or drops, and by who looks without holding the stripes.
  mutable Lock lock_;
  std::map<std::string, Script, std::less<>> scripts_;
  std::deque<std::string> evaluated_;  // in the order of arrival; some may have been loaded since
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> bytes_{0};
};

}  // namespace tandem
