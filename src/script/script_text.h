// Scripts and libraries of functions as texts: what their first line says.
//
//   #!lua flags=no-writes,allow-stale     a script's; it need not have one
//   #!lua name=mylib                      a library's
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tandem {

// What a script or a function wants, and what it promises.
enum ScriptFlag : uint32_t {
  kScriptNoWrites = 1u << 0,
  kScriptAllowOom = 1u << 1,
  kScriptAllowStale = 1u << 2,
  kScriptNoCluster = 1u << 3,
  kScriptCrossSlot = 1u << 4,
};

struct ScriptFlagName {
  Bytes name;
  ScriptFlag flag;
};

inline constexpr ScriptFlagName kScriptFlagNames[] = {
    {"no-writes", kScriptNoWrites},
    {"allow-oom", kScriptAllowOom},
    {"allow-stale", kScriptAllowStale},
    {"no-cluster", kScriptNoCluster},
    {"allow-cross-slot-keys", kScriptCrossSlot},
};

struct ScriptText {
  bool has_flags = false;  // there is such a line; without one a script gets the behaviour of old
  uint32_t flags = 0;
  Bytes code;  // from that line's end on, so that line numbers stay true; a view into the script
};

// An error's text is what Redis answers.
Result<ScriptText> read_script_text(Bytes script);

struct LibraryText {
  std::string name;
  Bytes code;  // as above
};

// The same; the text lacks its code, ERR.
Result<LibraryText> read_library_text(Bytes library);

// Of a library, and of a function.
bool is_library_name(Bytes name);
inline constexpr const char* kNoLibraryName =
    "Library names can only contain letters, numbers, or underscores(_) and must be at least one "
    "character long";

}  // namespace tandem
