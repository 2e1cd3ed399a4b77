// The server's own commands: each function gives the rows of one family.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "acl/acl_log.h"
#include "acl/users.h"
#include "config/config.h"
#include "config/options.h"
#include "engine/command.h"
#include "engine/context.h"
#include "pubsub/subscription_registry.h"
#include "resp/reply_writer.h"
#include "server/access_control.h"
#include "server/client/client_registry.h"
#include "server/persistence/persistence.h"
#include "server/persistence/shutdown.h"
#include "server/status/command_reports.h"
#include "server/status/status.h"

namespace tandem {

// ACL and its subcommands.

// All outlive the rows.
std::vector<CommandRow> acl_rows(AccessControl& access, const ServerOptions& options, AclLog& log);

// CLIENT and its subcommands.

// Both outlive the rows.
std::vector<CommandRow> client_rows(ClientRegistry& clients, const Users& users);

// Those of CLIENT's subcommands that are about caching: TRACKING, CACHING, GETREDIR, TRACKINGINFO.
std::vector<CommandRow> tracking_rows(ClientRegistry& clients);

// COMMAND and its subcommands: what the table says about itself.
std::vector<CommandRow> command_rows();
// What COMMAND DOCS tells of one, behind its name.
void write_command_docs(ReplyWriter& reply, const Command& command);

// CONFIG GET, SET, REWRITE, RESETSTAT.

// `config` outlives the rows. Both calls may come on any worker's thread.
std::vector<CommandRow> config_rows(Config& config, std::function<void()> reset_statistics);

// AUTH, HELLO, PING, ECHO, QUIT, RESET: commands about the connection itself. CLIENT has a file of
// its own.

// What they are given outlives the rows.
std::vector<CommandRow> connection_rows(AccessControl& access, SubscriptionRegistry& subscriptions,
                                        CommandReports& reports);

// A name as CLIENT SETNAME and HELLO SETNAME accept it.
bool is_client_name(Bytes name);
inline constexpr std::string_view kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";

// DEBUG and MEMORY: looking inside, for tests and for people.

// What they are given outlives the rows (server/commands/debug.h).
struct DebugParts;
std::vector<CommandRow> debug_rows(const DebugParts& parts);
std::vector<CommandRow> memory_rows(const Status& status);

// Commands about the server as a whole: SAVE, BGSAVE, LASTSAVE, SHUTDOWN, INFO, MONITOR, SLOWLOG,
// LATENCY, LOLWUT.

// What they are given outlives the rows.
std::vector<CommandRow> persistence_rows(Persistence& persistence, Shutdown& shutdown);
std::vector<CommandRow> report_rows(CommandReports& reports, Status& status);
std::vector<CommandRow> lolwut_rows();
std::vector<CommandRow> latency_rows(CommandReports& reports, const Status& status);

// What the server's containers of commands share: HELP in Redis's words.

// The reply of "<container> HELP". `lines` are those between the first and HELP's own; they live as
// long as the program.
void reply_help(SessionContext& context, Bytes container, std::span<const Bytes> lines);

// A row for HELP among a container's subcommands.
CommandRow help_row(std::string_view container, std::string_view group,
                    std::span<const Bytes> lines, std::string_view since = "5.0.0");

}  // namespace tandem
