// AUTH, HELLO, PING, ECHO, QUIT, RESET: commands about the connection itself. CLIENT has a file of
// its own.
#pragma once

#include <vector>

#include "config/server_options.h"
#include "engine/command.h"
#include "pubsub/subscription_registry.h"
#include "server/command_watch.h"

namespace tandem {

// What they are given outlives the rows.
std::vector<CommandRow> connection_rows(const NetworkOptions& options,
                                        SubscriptionRegistry& subscriptions, CommandWatch& watch);

// A name as CLIENT SETNAME and HELLO SETNAME accept it.
bool is_client_name(Bytes name);
inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

}  // namespace tandem
