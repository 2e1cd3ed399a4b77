// DEBUG's subcommands, for tests and for people who look inside. As in Redis they are no
// subcommands of the command table: each reads its own words, and whatever does not fit gets the
// same answer.
//
// All run with every stripe held.
#pragma once

#include <span>

#include "base/bytes.h"
#include "config/config.h"
#include "config/options.h"
#include "engine/context.h"
#include "replication/control.h"
#include "server/persistence/persistence.h"
#include "server/persistence/rdb_file.h"

namespace tandem {

// What they work with; it outlives the command's row.
struct DebugParts {
  const ServerOptions& options;
  Config& config;
  Persistence& persistence;
  FileLoad& file_load;
  ReplicationControl& replication;
};

// One subcommand. `words`: how many there are in a call of it, DEBUG and its name included.
inline constexpr size_t kAnyWords = static_cast<size_t>(-1);
struct DebugSubcommand {
  Bytes name;
  size_t words_min;
  size_t words_max;
  void (*run)(SessionContext& context, const DebugParts& parts);
};

// How values and tables are made: DIGEST, OBJECT, LISTPACK, HTSTATS ...
std::span<const DebugSubcommand> debug_value_subcommands();

// DEBUG PROTOCOL: a value of each kind that the protocol has.
void debug_protocol(SessionContext& context, const DebugParts& parts);

}  // namespace tandem
