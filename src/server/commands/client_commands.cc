#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error_text.h"
#include "base/number.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/client/client_registry.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

constexpr std::string_view kAllNodes = "request_policy:all_nodes response_policy:all_succeeded";

int64_t now_ms(const SessionContext& c) { return c.executor.engine().clock.monotonic_ms(); }

void id(SessionContext& c) { c.reply.integer(static_cast<int64_t>(c.client.id)); }

void getname(SessionContext& c) {
  const ClientConnection* connection = client_of(c);
  if (connection == nullptr || connection->card()->name.empty()) return c.reply.null();
  c.reply.bulk(connection->card()->name.get());
}

void setname(SessionContext& c) {
  if (!is_client_name(c.args[2])) return c.reply.error(kBadClientName);
  if (const auto* connection = client_of(c)) connection->card()->name.set(std::string(c.args[2]));
  c.reply.ok();
}

void setinfo(SessionContext& c) {
  const bool name = equal_ignore_case(c.args[2], "lib-name");
  if (!name && !equal_ignore_case(c.args[2], "lib-ver")) {
    return c.reply.error(error_text("ERR Unrecognized option '{}'", c.args[2]));
  }
  if (!is_client_name(c.args[3])) {
    return c.reply.error(
        fmt::format("ERR {} cannot contain spaces, newlines or special characters.", c.args[2]));
  }
  if (const auto* connection = client_of(c)) {
    ClientCard& card = *connection->card();
    TextOption& option = name ? card.library_name : card.library_version;
    option.set(std::string(c.args[3]));
  }
  c.reply.ok();
}

void info(SessionContext& c) {
  ClientConnection* connection = client_of(c);
  if (connection == nullptr) return c.reply.verbatim("");
  connection->show(c.command);
  c.reply.verbatim(describe_client(*connection->card(), now_ms(c)) + "\n");
}

void list(SessionContext& c, ClientRegistry& clients) {
  const auto filter = parse_list_filter(c.args.subspan(2));
  if (!filter) return c.reply.error(filter.error().text);
  if (ClientConnection* connection = client_of(c)) connection->show(c.command);
  const auto cards = filter->listed_ids.empty() ? clients.list() : clients.list(filter->listed_ids);
  std::string lines;
  for (const auto& card : cards) {
    if (filter->matches(*card)) lines += describe_client(*card, now_ms(c)) + "\n";
  }
  c.reply.verbatim(lines);
}

int64_t kill_matching(SessionContext& c, ClientRegistry& clients, const ClientFilter& filter) {
  int64_t killed = 0;
  for (const auto& card : clients.list()) {
    const bool self = card->id == c.client.id;
    if (!filter.matches(*card) || (self && filter.skip_self)) continue;
    killed += end_client(c, clients, *card) ? 1 : 0;
  }
  return killed;
}

void kill(SessionContext& c, ClientRegistry& clients, const Users& users) {
  constexpr size_t kOldForm = 3;
  if (c.args.size() == kOldForm) {
    ClientFilter filter;
    filter.address = std::string(c.args[2]);
    filter.skip_self = false;
    if (kill_matching(c, clients, filter) == 0) return c.reply.error("ERR No such client");
    return c.reply.ok();
  }
  const auto filter = parse_kill_filter(c.args.subspan(2),
                                        [&](Bytes name) { return users.find(name).has_value(); });
  if (!filter) return c.reply.error(filter.error().text);
  c.reply.integer(kill_matching(c, clients, *filter));
}

void pause_clients(SessionContext& c) {
  constexpr size_t kWithMode = 4;
  auto kind = PauseKind::kAll;
  if (c.args.size() > kWithMode) return reply_subcommand_syntax(c, "client");
  if (c.args.size() == kWithMode) {
    if (equal_ignore_case(c.args[3], "write")) {
      kind = PauseKind::kWrites;
    } else if (!equal_ignore_case(c.args[3], "all")) {
      return c.reply.error("ERR CLIENT PAUSE mode must be WRITE or ALL");
    }
  }
  const auto timeout_ms = parse_int64(c.args[2]);
  if (!timeout_ms) return c.reply.error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return c.reply.error("ERR timeout is negative");
  if (*timeout_ms > std::numeric_limits<int64_t>::max() - c.now_ms) {
    return c.reply.error("ERR timeout is out of range");
  }
  constexpr int64_t kTimeoutMsMax = int64_t{1} << 53;
  c.executor.engine().pauses.begin(PauseReason::kClientPause, kind,
                                   now_ms(c) + std::min(*timeout_ms, kTimeoutMsMax));
  c.reply.ok();
}

void unpause(SessionContext& c) {
  c.executor.engine().pauses.end(PauseReason::kClientPause);
  c.reply.ok();
}

void reply_mode(SessionContext& c) {
  ClientConnection* connection = client_of(c);
  if (equal_ignore_case(c.args[2], "on")) {
    if (connection != nullptr) connection->set_reply_mode(ReplyMode::kOn);
    return c.reply.ok();
  }
  const bool off = equal_ignore_case(c.args[2], "off");
  if (!off && !equal_ignore_case(c.args[2], "skip")) return c.reply.error(kSyntaxError);
  if (connection != nullptr) {
    connection->set_reply_mode(off ? ReplyMode::kOff : ReplyMode::kSkipNext);
  }
}

void unblock(SessionContext& c, ClientRegistry& clients) {
  constexpr size_t kWithReason = 4;
  bool with_error = false;
  if (c.args.size() > kWithReason) return reply_subcommand_syntax(c, "client");
  if (c.args.size() == kWithReason) {
    with_error = equal_ignore_case(c.args[3], "error");
    if (!with_error && !equal_ignore_case(c.args[3], "timeout")) {
      return c.reply.error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
    }
  }
  const auto target = parse_int64(c.args[2]);
  if (!target) return c.reply.error(kNotInteger);
  bool ended = false;
  for (const auto& card : clients.list(std::array{static_cast<uint64_t>(*target)})) {
    const std::shared_ptr<Waiter> waiter = card->waiter();
    if (waiter == nullptr) continue;
    std::string reply;
    ended = with_error ? c.executor.unblock_with_error(waiter, reply)
                       : c.executor.time_out(waiter, reply);
    if (ended) waiter->wait().deliver(std::move(reply));
  }
  c.reply.integer(ended ? 1 : 0);
}

// False: neither ON nor OFF, and the error is answered.
bool set_flag(SessionContext& c, ClientFlag flag) {
  const bool on = equal_ignore_case(c.args[2], "on");
  if (!on && !equal_ignore_case(c.args[2], "off")) {
    c.reply.error(kSyntaxError);
    return false;
  }
  if (const auto* connection = client_of(c)) connection->card()->set_flag(flag, on);
  c.reply.ok();
  return true;
}

void no_evict(SessionContext& c) { set_flag(c, kClientNoEvict); }
void no_touch(SessionContext& c) {
  if (set_flag(c, kClientNoTouch)) c.client.leaves_no_trace = equal_ignore_case(c.args[2], "on");
}

// A row that states what CLIENT's subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags |= kNoScript | kLoading | kStale;
  row.group = "connection";
  if (row.complexity.empty()) row.complexity = "O(1)";
  return row;
}

constexpr Bytes kHelp[] = {
    "CACHING (YES|NO)",
    "    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.",
    "GETREDIR",
    "    Return the client ID we are redirecting to when tracking is enabled.",
    "GETNAME",
    "    Return the name of the current connection.",
    "ID",
    "    Return the ID of the current connection.",
    "INFO",
    "    Return information about the current client connection.",
    "KILL <ip:port>",
    "    Kill connection made from <ip:port>.",
    "KILL <option> <value> [<option> <value> [...]]",
    "    Kill connections. Options are:",
    "    * ADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made from the specified address",
    "    * LADDR (<ip:port>|<unixsocket>:0)",
    "      Kill connections made to specified local address",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Kill connections by type.",
    "    * USER <username>",
    "      Kill connections authenticated by <username>.",
    "    * SKIPME (YES|NO)",
    "      Skip killing current connection (default: yes).",
    "LIST [options ...]",
    "    Return information about client connections. Options:",
    "    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)",
    "      Return clients of specified type.",
    "UNPAUSE",
    "    Stop the current client pause, resuming traffic.",
    "PAUSE <timeout> [WRITE|ALL]",
    "    Suspend all, or just write, clients for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)",
    "    Control the replies sent to the current connection.",
    "SETNAME <name>",
    "    Assign the name <name> to the current connection.",
    "SETINFO <option> <value>",
    "    Set client meta attr. Options are:",
    "    * LIB-NAME: the client lib name.",
    "    * LIB-VER: the client lib version.",
    "UNBLOCK <clientid> [TIMEOUT|ERROR]",
    "    Unblock the specified blocked client.",
    "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]",
    "         [OPTIN] [OPTOUT] [NOLOOP]",
    "    Control server assisted client side caching.",
    "TRACKINGINFO",
    "    Report tracking status for the current connection.",
    "NO-EVICT (ON|OFF)",
    "    Protect current client connection from eviction.",
    "NO-TOUCH (ON|OFF)",
    "    Will not touch LRU/LFU stats when this mode is on.",
};

// clang-format off: a row is a record
std::vector<CommandRow> subcommands(ClientRegistry& clients, const Users& users) {
  const auto with_clients = [&clients](auto handler) {
    return [&clients, handler](SessionContext& c) { handler(c, clients); };
  };
  return {
      part({.name = "id", .arity = 2, .session_handler = id, .since = "5.0.0",
            .summary = "Tells the connection's id."}),
      part({.name = "getname", .arity = 2, .session_handler = getname, .since = "2.6.9",
            .summary = "Tells the connection's name."}),
      part({.name = "setname", .arity = 3, .session_handler = setname, .tips = kAllNodes,
            .since = "2.6.9", .summary = "Names the connection.", .syntax = "connection-name"}),
      part({.name = "setinfo", .arity = 4, .session_handler = setinfo, .tips = kAllNodes,
            .since = "7.2.0", .summary = "Tells which library the client is.",
            .syntax = "attr:<LIB-NAME libname | LIB-VER libver>"}),
      part({.name = "info", .arity = 2, .session_handler = info, .tips = "nondeterministic_output",
            .since = "6.2.0", .summary = "Describes the connection."}),
      part({.name = "list", .arity = -2, .flags = kAdmin, .session_handler = with_clients(list),
            .tips = "nondeterministic_output", .since = "2.4.0",
            .history = "2.8.12 Tells the id; 5.0.0 Takes TYPE; 6.0.0 Tells the user; "
                       "6.2.0 Takes ID, and tells argv-mem, tot-mem, laddr and redir; "
                       "7.0.0 Tells resp, multi-mem, rbs and rbp; 7.0.3 Tells ssub",
            .complexity = "O(N) for N clients",
            .summary = "Describes the connections, a line each.",
            .syntax = "[TYPE client-type:<NORMAL | MASTER | REPLICA | PUBSUB>]@5.0.0 "
                      "[ID client-id [client-id ...]]@6.2.0"}),
      part({.name = "kill", .arity = -3, .flags = kAdmin,
            .session_handler = [&](SessionContext& c) { kill(c, clients, users); },
            .since = "2.4.0",
            .history = "2.8.12 Takes filters; 2.8.12 Takes ID; 3.2.0 TYPE may be master; "
                       "5.0.0 TYPE may be replica, which slave still means, too; "
                       "6.2.0 Takes LADDR",
            .complexity = "O(N) for N clients", .summary = "Closes connections.",
            .syntax = "filter:<old-format=ip:port!2.8.12 | new-format:<[ID client-id]@2.8.12 | "
                      "[TYPE client-type:<NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | "
                      "PUBSUB>]@2.8.12 | [USER username] | [ADDR addr=ip:port] | "
                      "[LADDR laddr=ip:port]@6.2.0 | [SKIPME skipme:<YES | NO>]>...>"}),
      // With all stripes held no command is under way: what is paused stands still at the answer.
      part({.name = "pause", .arity = -3, .flags = kAdmin, .scope = LockScope::kEverything,
            .session_handler = pause_clients, .since = "3.0.0",
            .history = "6.2.0 Takes a mode, of which WRITE is new",
            .summary = "Holds clients back for a time.",
            .syntax = "timeout:integer mode:[WRITE | ALL]@6.2.0"}),
      part({.name = "unpause", .arity = 2, .flags = kAdmin, .session_handler = unpause,
            .since = "6.2.0", .complexity = "O(N) for N clients that were held back",
            .summary = "Ends a pause."}),
      part({.name = "reply", .arity = 3, .session_handler = reply_mode, .since = "3.2.0",
            .summary = "Chooses whether commands are answered.",
            .syntax = "action:<ON | OFF | SKIP>"}),
      part({.name = "unblock", .arity = -3, .flags = kAdmin,
            .session_handler = with_clients(unblock), .since = "5.0.0",
            .summary = "Ends a blocked client's wait.",
            .syntax = "client-id unblock-type:[TIMEOUT | ERROR]"}),
      part({.name = "no-evict", .arity = 3, .flags = kAdmin, .session_handler = no_evict,
            .since = "7.0.0", .summary = "Protects the connection from eviction.",
            .syntax = "enabled:<ON | OFF>"}),
      part({.name = "no-touch", .arity = 3, .session_handler = no_touch, .since = "7.2.0",
            .summary = "Leaves the access times of keys alone.", .syntax = "enabled:<ON | OFF>"}),
      help_row("client", "connection", kHelp),
  };
}
// clang-format on

}  // namespace

std::vector<CommandRow> client_rows(ClientRegistry& clients, const Users& users) {
  return {{.name = "client",
           .arity = -2,
           .group = "connection",
           .since = "2.4.0",
           .complexity = "Depends on the subcommand",
           .summary = "About connections.",
           .subcommands = subcommands(clients, users)}};
}

}  // namespace tandem
