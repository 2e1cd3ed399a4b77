// What the server's containers of commands share: HELP in Redis's words.
#pragma once

#include <span>

#include "engine/context.h"

namespace tandem {

// The reply of "<container> HELP". `lines` are those between the first and HELP's own; they live as
// long as the program.
void reply_help(SessionContext& context, Bytes container, std::span<const Bytes> lines);

// A row for HELP among a container's subcommands.
CommandRow help_row(std::string_view container, std::string_view group,
                    std::span<const Bytes> lines, std::string_view since = "5.0.0");

// "ERR unknown subcommand or wrong number of arguments for 'x'. Try CLIENT HELP."
void reply_subcommand_syntax(SessionContext& context, Bytes container);

}  // namespace tandem
