// What the server's commands share: reaching their session, and HELP in Redis's words.
#pragma once

#include <span>

#include "engine/context.h"
#include "server/session.h"

namespace tandem {

// Null when the command was called by a script or came from the primary.
inline Session* session_of(SessionContext& context) {
  return dynamic_cast<Session*>(&context.client);
}

// The reply of "<container> HELP". `lines` are those between the first and HELP's own; they live as
// long as the program.
void reply_help(SessionContext& context, Bytes container, std::span<const Bytes> lines);

// A row for HELP among a container's subcommands.
CommandRow help_row(std::string_view container, std::string_view group,
                    std::span<const Bytes> lines, std::string_view since = "5.0.0");

// "ERR unknown subcommand or wrong number of arguments for 'x'. Try CLIENT HELP."
void reply_subcommand_syntax(SessionContext& context, Bytes container);

}  // namespace tandem
