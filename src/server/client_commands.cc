#include "server/client_commands.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/ascii.h"
#include "base/number.h"
#include "server/client_filter.h"
#include "server/command_help.h"
#include "server/connection_commands.h"

namespace tandem {
namespace {

constexpr uint32_t kFlags = kNoScript | kLoading | kStale;

int64_t now_ms(const SessionContext& c) { return c.executor.engine().clock.monotonic_ms(); }

void id(SessionContext& c) { c.reply.integer(static_cast<int64_t>(c.client.id)); }

void getname(SessionContext& c) {
  Session* session = session_of(c);
  if (session == nullptr || session->card().name.empty()) return c.reply.null();
  c.reply.bulk(session->card().name.get());
}

void setname(SessionContext& c) {
  if (!is_client_name(c.args[2])) return c.reply.error(kBadClientName);
  if (Session* session = session_of(c)) session->card().name.set(std::string(c.args[2]));
  c.reply.ok();
}

void setinfo(SessionContext& c) {
  Session* session = session_of(c);
  const bool name = equal_ignore_case(c.args[2], "lib-name");
  if (!name && !equal_ignore_case(c.args[2], "lib-ver")) {
    return c.reply.error(fmt::format("ERR Unrecognized option '{}'", c.args[2]));
  }
  if (!is_client_name(c.args[3])) {
    return c.reply.error(
        fmt::format("ERR {} cannot contain spaces, newlines or special characters.", c.args[2]));
  }
  if (session != nullptr) {
    TextOption& option = name ? session->card().library_name : session->card().library_version;
    option.set(std::string(c.args[3]));
  }
  c.reply.ok();
}

void info(SessionContext& c) {
  Session* session = session_of(c);
  if (session == nullptr) return c.reply.verbatim("");
  session->show(c.command);
  c.reply.verbatim(describe_client(session->card(), now_ms(c)) + "\n");
}

void list(SessionContext& c, ClientRegistry& clients) {
  const auto filter = parse_list_filter(c.args.subspan(2));
  if (!filter) return c.reply.error(filter.error().text);
  if (Session* session = session_of(c)) session->show(c.command);
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
    ++killed;
    if (!self) {
      card->close();
    } else if (Session* session = session_of(c)) {
      session->close_after_reply();
    }
  }
  return killed;
}

void kill(SessionContext& c, ClientRegistry& clients) {
  constexpr size_t kOldForm = 3;
  if (c.args.size() == kOldForm) {
    ClientFilter filter;
    filter.address = std::string(c.args[2]);
    filter.skip_self = false;
    if (kill_matching(c, clients, filter) == 0) return c.reply.error("ERR No such client");
    return c.reply.ok();
  }
  const auto filter = parse_kill_filter(c.args.subspan(2));
  if (!filter) return c.reply.error(filter.error().text);
  c.reply.integer(kill_matching(c, clients, *filter));
}

void pause_clients(SessionContext& c, Pause& pause) {
  constexpr size_t kWithMode = 4;
  auto kind = Pause::Kind::kAll;
  if (c.args.size() > kWithMode) return reply_subcommand_syntax(c, "client");
  if (c.args.size() == kWithMode) {
    if (equal_ignore_case(c.args[3], "write")) {
      kind = Pause::Kind::kWrites;
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
  pause.begin(kind, now_ms(c) + std::min(*timeout_ms, kTimeoutMsMax));
  c.reply.ok();
}

void unpause(SessionContext& c, Pause& pause) {
  pause.end();
  c.reply.ok();
}

void reply_mode(SessionContext& c) {
  Session* session = session_of(c);
  using Mode = Session::ReplyMode;
  if (equal_ignore_case(c.args[2], "on")) {
    if (session != nullptr) session->set_reply_mode(Mode::kOn);
    return c.reply.ok();
  }
  const bool off = equal_ignore_case(c.args[2], "off");
  if (!off && !equal_ignore_case(c.args[2], "skip")) return c.reply.error(kSyntaxError);
  if (session != nullptr) session->set_reply_mode(off ? Mode::kOff : Mode::kSkipNext);
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
  for (const auto& card : clients.list()) {
    if (static_cast<int64_t>(card->id) != *target || !card->is(kClientBlocked)) continue;
    card->act([with_error](Session& session) { session.force_unblock(with_error); });
    return c.reply.integer(1);
  }
  c.reply.integer(0);
}

void set_flag(SessionContext& c, ClientFlag flag) {
  const bool on = equal_ignore_case(c.args[2], "on");
  if (!on && !equal_ignore_case(c.args[2], "off")) return c.reply.error(kSyntaxError);
  if (Session* session = session_of(c)) session->card().set_flag(flag, on);
  c.reply.ok();
}

void tracking(SessionContext& c) {
  if (equal_ignore_case(c.args[2], "off")) return c.reply.ok();
  if (!equal_ignore_case(c.args[2], "on")) return c.reply.error(kSyntaxError);
  c.reply.error("ERR CLIENT TRACKING is not supported yet");
}

void trackinginfo(SessionContext& c) {
  c.reply.map(3);
  c.reply.bulk("flags");
  c.reply.set(1);
  c.reply.bulk("off");
  c.reply.bulk("redirect");
  c.reply.integer(-1);
  c.reply.bulk("prefixes");
  c.reply.array(0);
}

CommandRow row(std::string_view name, int arity, SessionHandler handler, std::string_view since,
               std::string_view summary, std::string_view syntax = "", uint32_t flags = kFlags) {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .session_handler = std::move(handler),
          .group = "connection",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = syntax};
}

constexpr Bytes kHelp[] = {
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

std::vector<CommandRow> subcommands(ClientRegistry& clients, Pause& pause) {
  const auto with_clients = [&clients](auto handler) {
    return [&clients, handler](SessionContext& c) { handler(c, clients); };
  };
  const auto with_pause = [&pause](auto handler) {
    return [&pause, handler](SessionContext& c) { handler(c, pause); };
  };
  const auto flag = [](ClientFlag which) {
    return [which](SessionContext& c) { set_flag(c, which); };
  };
  constexpr uint32_t kAdminFlags = kFlags | kAdmin;
  return {
      row("id", 2, id, "5.0.0", "Tells the connection's id."),
      row("getname", 2, getname, "2.6.9", "Tells the connection's name."),
      row("setname", 3, setname, "2.6.9", "Names the connection.", "connection-name"),
      row("setinfo", 4, setinfo, "7.2.0", "Tells which library the client is.",
          "<LIB-NAME libname | LIB-VER libver>"),
      tipped("nondeterministic_output", row("info", 2, info, "6.2.0", "Describes the connection.")),
      tipped("nondeterministic_output",
             row("list", -2, with_clients(list), "2.4.0", "Describes the connections, a line each.",
                 "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
                 kAdminFlags)),
      row("kill", -3, with_clients(kill), "2.4.0", "Closes connections.",
          "<ip:port | filter value [filter value ...]>", kAdminFlags),
      row("pause", -3, with_pause(pause_clients), "2.9.50", "Holds clients back for a time.",
          "timeout [WRITE | ALL]", kAdminFlags),
      row("unpause", 2, with_pause(unpause), "6.2.0", "Ends a pause.", "", kAdminFlags),
      row("reply", 3, reply_mode, "3.2.0", "Chooses whether commands are answered.",
          "<ON | OFF | SKIP>"),
      row("unblock", -3, with_clients(unblock), "5.0.0", "Ends a blocked client's wait.",
          "client-id [TIMEOUT | ERROR]", kAdminFlags),
      row("no-evict", 3, flag(kClientNoEvict), "7.0.0", "Protects the connection from eviction.",
          "<ON | OFF>", kAdminFlags),
      row("no-touch", 3, flag(kClientNoTouch), "7.2.0", "Leaves the access times of keys alone.",
          "<ON | OFF>"),
      row("tracking", -3, tracking, "6.0.0", "Switches invalidation messages.", "<ON | OFF>"),
      row("trackinginfo", 2, trackinginfo, "6.2.0", "Describes the state of tracking."),
      row(
          "getredir", 2, [](SessionContext& c) { c.reply.integer(-1); }, "6.0.0",
          "Tells where invalidation messages go."),
      help_row("client", "connection", kHelp),
  };
}

}  // namespace

std::vector<CommandRow> client_rows(ClientRegistry& clients, Pause& pause) {
  return {{.name = "client",
           .arity = -2,
           .group = "connection",
           .since = "2.4.0",
           .complexity = "Depends on the subcommand",
           .summary = "About connections.",
           .subcommands = subcommands(clients, pause)}};
}

}  // namespace tandem
