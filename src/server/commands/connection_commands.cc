#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error_text.h"
#include "base/number.h"
#include "base/version.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

constexpr uint32_t kAlways = kNoScript | kLoading | kStale | kFast | kNoAuth | kAllowBusy;

constexpr Bytes kWrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";

void auth(SessionContext& c, AccessControl& access) {
  constexpr size_t kArgumentsMax = 3;
  if (c.args.size() > kArgumentsMax) return c.reply.error(kSyntaxError);
  const bool named = c.args.size() == kArgumentsMax;
  if (!named && access.users().default_user().user->has_any_password()) {
    return c.reply.error(
        "ERR AUTH <password> called without any password configured for the default user. Are you "
        "sure your configuration is correct?");
  }
  const Bytes user = named ? c.args[1] : kDefaultUser;
  if (!access.log_in(c, user, c.args.back())) return c.reply.error(kWrongPassword);
  c.reply.ok();
}

void write_hello(SessionContext& c) {
  c.reply.map(7);
  c.reply.bulk("server");
  c.reply.bulk("redis");
  c.reply.bulk("version");
  c.reply.bulk(kRedisVersion);
  c.reply.bulk("proto");
  c.reply.integer(c.client.protocol);
  c.reply.bulk("id");
  c.reply.integer(static_cast<int64_t>(c.client.id));
  c.reply.bulk("mode");
  c.reply.bulk("standalone");
  c.reply.bulk("role");
  c.reply.bulk(c.executor.engine().gate.is(Gate::kReplica) ? "replica" : "master");
  c.reply.bulk("modules");
  c.reply.array(0);
}

void hello(SessionContext& c, AccessControl& access) {
  int64_t version = c.client.protocol;
  if (c.args.size() > 1) {
    const auto asked = parse_int64(c.args[1]);
    if (!asked) return c.reply.error("ERR Protocol version is not an integer or out of range");
    if (*asked != 2 && *asked != 3) {
      return c.reply.error("NOPROTO unsupported protocol version");
    }
    version = *asked;
  }
  std::optional<Bytes> name;
  std::optional<size_t> user_at;  // where the user and the password stand
  for (size_t at = 2; at < c.args.size();) {
    const size_t left = c.args.size() - at - 1;
    if (equal_ignore_case(c.args[at], "AUTH") && left >= 2) {
      user_at = at + 1;
      at += 3;
    } else if (equal_ignore_case(c.args[at], "SETNAME") && left >= 1) {
      name = c.args[at + 1];
      if (!is_client_name(*name)) return c.reply.error(kBadClientName);
      at += 2;
    } else {
      return c.reply.error(error_text("ERR Syntax error in HELLO option '{}'", c.args[at]));
    }
  }
  // All words are understood before any of them has an effect.
  if (user_at && !access.log_in(c, c.args[*user_at], c.args[*user_at + 1])) {
    return c.reply.error(kWrongPassword);
  }
  if (c.client.is(kUnauthenticated)) {
    return c.reply.error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "<proto> AUTH <user> <pass> option can be used to authenticate the client and select the "
        "RESP protocol version at the same time");
  }
  c.client.protocol = static_cast<int>(version);
  c.reply.set_protocol(c.client.protocol);
  if (const auto* connection = client_of(c)) {
    connection->card()->protocol = c.client.protocol;
    if (name) connection->card()->name.set(std::string(*name));
  }
  write_hello(c);
}

void ping(SessionContext& c) {
  if (c.args.size() > 2) {
    return c.reply.error("ERR wrong number of arguments for 'ping' command");
  }
  if (c.client.is(kSubscribed) && c.client.protocol == 2) {
    c.reply.array(2);
    c.reply.bulk("pong");
    c.reply.bulk(c.args.size() == 2 ? c.args[1] : Bytes());
  } else if (c.args.size() == 2) {
    c.reply.bulk(c.args[1]);
  } else {
    c.reply.simple("PONG");
  }
}

void echo(SessionContext& c) { c.reply.bulk(c.args[1]); }

void quit(SessionContext& c) {
  c.reply.ok();
  if (ClientConnection* connection = client_of(c)) connection->close_after_reply();
}

void reset(SessionContext& c, AccessControl& access, SubscriptionRegistry& subscriptions,
           CommandReports& reports) {
  if (ClientConnection* connection = client_of(c)) {
    reports.remove_monitor(c.client.id);
    c.client.set(kMonitors, false);
    subscriptions.forget(connection->card()->inbox);
    connection->reset();
  }
  c.client.set(kSubscribed, false);
  access.admit(c.client);
  c.reply.simple("RESET");
}

// HELLO's user and password.
bool follows_auth(std::span<const Bytes> args, size_t at) {
  const auto after = [&](size_t distance) {
    return at >= distance + 2 && equal_ignore_case(args[at - distance], "AUTH");
  };
  return after(1) || after(2);
}

}  // namespace

bool is_client_name(Bytes name) {
  return std::ranges::all_of(name, [](char c) { return c >= '!' && c <= '~'; });
}

std::vector<CommandRow> connection_rows(AccessControl& access, SubscriptionRegistry& subscriptions,
                                        CommandReports& reports) {
  return {
      {.name = "ping",
       .arity = -1,
       .flags = kFast | kWhileSubscribed | kInStream | kReportsDiskError,
       .session_handler = ping,
       .group = "connection",
       .tips = "request_policy:all_shards response_policy:all_succeeded",
       .since = "1.0.0",
       .complexity = "O(1)",
       .summary = "Answers PONG, or the given text.",
       .syntax = "[message]"},
      {.name = "echo",
       .arity = 2,
       .flags = kLoading | kStale | kFast,
       .session_handler = echo,
       .group = "connection",
       .since = "1.0.0",
       .complexity = "O(1)",
       .summary = "Answers the given text.",
       .syntax = "message"},
      {.name = "auth",
       .arity = -2,
       .flags = kAlways,
       .session_handler = [&access](SessionContext& c) { auth(c, access); },
       .hides = [](std::span<const Bytes>, size_t at) { return at > 0; },
       .group = "connection",
       .since = "1.0.0",
       .history = "6.0.0 Takes a user's name before the password",
       .complexity = "O(1)",
       .summary = "Authenticates the connection.",
       .syntax = "[username]@6.0.0 password"},
      {.name = "hello",
       .arity = -1,
       .flags = kAlways,
       .session_handler = [&access](SessionContext& c) { hello(c, access); },
       .hides = follows_auth,
       .group = "connection",
       .since = "6.0.0",
       .history = "6.2.0 Tells about the connection if it is given no version",
       .complexity = "O(1)",
       .summary = "Agrees on the protocol's version, with authentication and a name on the way.",
       .syntax = "arguments:[protover [AUTH username password] [SETNAME clientname]]"},
      {.name = "quit",
       .arity = -1,
       .flags = kAlways | kNotQueued | kEndsTransaction | kWhileSubscribed,
       .session_handler = quit,
       .group = "connection",
       .since = "1.0.0",
       .deprecated = "7.2.0 just closing the connection",
       .complexity = "O(1)",
       .summary = "Closes the connection after the reply."},
      {.name = "reset",
       .arity = 1,
       .flags = kAlways | kNotQueued | kEndsTransaction | kWhileSubscribed,
       .session_handler = [&](SessionContext& c) { reset(c, access, subscriptions, reports); },
       .group = "connection",
       .since = "6.2.0",
       .complexity = "O(1)",
       .summary = "Makes the connection as good as new."},
  };
}

}  // namespace tandem
