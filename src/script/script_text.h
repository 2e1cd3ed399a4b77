// The first line of a script may say what it wants: "#!lua flags=no-writes,allow-stale".
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

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

}  // namespace tandem
