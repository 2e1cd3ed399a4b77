// The commands about replication: REPLICAOF, SLAVEOF, PSYNC, SYNC, REPLCONF, ROLE, WAIT.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/client_state.h"
#include "engine/command.h"
#include "io/byte_stream.h"
#include "io/task.h"
#include "replication/control.h"

namespace tandem {

// What goes on with a connection after PSYNC: the same as Session::HandOver.
using ConnectionHandOver =
    std::move_only_function<Task<void>(ByteStream& stream, std::string unread, StopToken stop)>;

// Gives the client's connection away behind the command that is executing. False: the client has no
// connection of its own (a script, the link).
using GiveConnection = std::function<bool(ClientState& client, ConnectionHandOver next)>;

// The rows refer to `control`, which outlives the registry.
std::vector<CommandRow> replication_rows(ReplicationControl& control, GiveConnection give);

}  // namespace tandem
