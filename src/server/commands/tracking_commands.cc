// The part of CLIENT that is about caches of clients (engine/tracking.h).
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/number.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/client/client_tracking.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

constexpr Bytes kOtherMode =
    "ERR You can't switch {} mode{} before disabling tracking for this client, and then "
    "re-enabling it with a different mode.";

// What CLIENT TRACKING's words say.
struct TrackingRequest {
  TrackingChoice choice;
  std::vector<std::string> prefixes;
};

Tracking& tracking_of(SessionContext& c) { return c.executor.engine().tracking; }

// The client that stands at this position. Nothing: the error is written.
std::optional<uint64_t> redirect_argument(SessionContext& c, size_t index,
                                          const ClientRegistry& clients) {
  const auto id = parse_int64(c.args[index]);
  if (!id) {
    c.reply.error(kNotInteger);
    return std::nullopt;
  }
  if (clients.find(static_cast<uint64_t>(*id)) == nullptr) {
    c.reply.error("ERR The client ID you want redirect to does not exist");
    return std::nullopt;
  }
  return static_cast<uint64_t>(*id);
}

// Nothing: the error is written.
std::optional<TrackingRequest> parse_tracking(SessionContext& c, const ClientRegistry& clients) {
  TrackingRequest request;
  TrackingChoice& choice = request.choice;
  for (size_t at = 3; at < c.args.size(); ++at) {
    const bool has_value = at + 1 < c.args.size();
    const auto is = [&](Bytes word) { return equal_ignore_case(c.args[at], word); };
    if (is("redirect") && has_value) {
      if (choice.redirect != 0) {
        c.reply.error("ERR A client can only redirect to a single other client");
        return std::nullopt;
      }
      const auto redirect = redirect_argument(c, ++at, clients);
      if (!redirect) return std::nullopt;
      choice.redirect = *redirect;
    } else if (is("prefix") && has_value) {
      request.prefixes.emplace_back(c.args[++at]);
    } else if (is("bcast")) {
      choice.mode.broadcast = true;
    } else if (is("optin")) {
      choice.opt_in = true;
    } else if (is("optout")) {
      choice.opt_out = true;
    } else if (is("noloop")) {
      choice.mode.spares_own = true;
    } else {
      c.reply.error(kSyntaxError);
      return std::nullopt;
    }
  }
  return request;
}

// Why these words do not go together, or not with what holds already; empty: they do.
std::string objection_to_mode(const TrackingRequest& request, const TrackingChoice& now) {
  const TrackingChoice& next = request.choice;
  if (!next.mode.broadcast && !request.prefixes.empty()) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (now.on && now.mode.broadcast != next.mode.broadcast) {
    return fmt::format(kOtherMode, "BCAST", " on/off");
  }
  if (next.mode.broadcast && (next.opt_in || next.opt_out)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (next.opt_in && next.opt_out) return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if ((next.opt_in && now.opt_out) || (next.opt_out && now.opt_in)) {
    return fmt::format(kOtherMode, "OPTIN/OPTOUT", "");
  }
  return {};
}

bool overlap(Bytes a, Bytes b) { return a.starts_with(b) || b.starts_with(a); }

// A key would be told twice to the same client.
std::string objection_to_prefixes(const std::vector<std::string>& prefixes,
                                  const std::vector<std::string>& present) {
  constexpr Bytes kText =
      "ERR Prefix '{}' overlaps with {} prefix '{}'. Prefixes for a single client must not "
      "overlap.";
  for (size_t at = 0; at < prefixes.size(); ++at) {
    for (const std::string& other : present) {
      if (overlap(prefixes[at], other)) {
        return fmt::format(kText, prefixes[at], "an existing", other);
      }
    }
    for (size_t other = at + 1; other < prefixes.size(); ++other) {
      if (overlap(prefixes[at], prefixes[other])) {
        return fmt::format(kText, prefixes[at], "another provided", prefixes[other]);
      }
    }
  }
  return {};
}

void tracking(SessionContext& c, ClientRegistry& clients) {
  if (client_of(c) == nullptr) return c.reply.error("ERR this client has no connection");
  auto request = parse_tracking(c, clients);
  if (!request) return;
  if (equal_ignore_case(c.args[2], "off")) {
    end_tracking(c.client, tracking_of(c));
    return c.reply.ok();
  }
  if (!equal_ignore_case(c.args[2], "on")) return c.reply.error(kSyntaxError);
  std::string objection = objection_to_mode(*request, c.client.tracking);
  if (objection.empty()) {
    objection = objection_to_prefixes(request->prefixes, tracking_of(c).prefixes_of(c.client.id));
  }
  if (!objection.empty()) return c.reply.error(objection);
  request->choice.on = true;
  request->choice.caching = c.client.tracking.caching;
  begin_tracking(c.client, tracking_of(c), request->choice, request->prefixes);
  c.reply.ok();
}

void caching(SessionContext& c) {
  TrackingChoice& choice = c.client.tracking;
  if (!choice.on) {
    return c.reply.error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  const bool yes = equal_ignore_case(c.args[2], "yes");
  if (!yes && !equal_ignore_case(c.args[2], "no")) return c.reply.error(kSyntaxError);
  if (yes && !choice.opt_in) {
    return c.reply.error(
        "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  }
  if (!yes && !choice.opt_out) {
    return c.reply.error(
        "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  }
  choice.caching = true;
  c.reply.ok();
}

int64_t redirect_of(const TrackingChoice& choice) {
  return choice.on ? static_cast<int64_t>(choice.redirect) : ClientCard::kNoTracking;
}

void getredir(SessionContext& c) { c.reply.integer(redirect_of(c.client.tracking)); }

void trackinginfo(SessionContext& c) {
  const TrackingChoice& choice = c.client.tracking;
  const ClientConnection* connection = client_of(c);
  const bool broken = connection != nullptr && connection->card()->is(kClientRedirectBroken);
  std::vector<Bytes> flags{choice.on ? "on" : "off"};
  const auto add = [&](bool holds, Bytes flag) {
    if (holds) flags.push_back(flag);
  };
  add(choice.mode.broadcast, "bcast");
  add(choice.opt_in, "optin");
  add(choice.opt_in && choice.caching, "caching-yes");
  add(choice.opt_out, "optout");
  add(choice.opt_out && choice.caching, "caching-no");
  add(choice.mode.spares_own, "noloop");
  add(broken, "broken_redirect");
  const auto prefixes = tracking_of(c).prefixes_of(c.client.id);
  c.reply.map(3);
  c.reply.bulk("flags");
  c.reply.set(static_cast<int64_t>(flags.size()));
  for (const Bytes flag : flags) c.reply.bulk(flag);
  c.reply.bulk("redirect");
  c.reply.integer(redirect_of(choice));
  c.reply.bulk("prefixes");
  c.reply.array(static_cast<int64_t>(prefixes.size()));
  for (const std::string& prefix : prefixes) c.reply.bulk(prefix);
}

// A row that states what these subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags = kNoScript | kLoading | kStale;
  row.group = "connection";
  if (row.complexity.empty()) row.complexity = "O(1)";
  return row;
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> tracking_rows(ClientRegistry& clients) {
  const auto track = [&clients](SessionContext& c) { tracking(c, clients); };
  return {
      {.name = "client",
       .subcommands = {
           part({.name = "tracking", .arity = -3, .session_handler = track, .since = "6.0.0",
                 .complexity = "O(1), and O(N) for N prefixes of all clients where some are named",
                 .summary = "Switches invalidation messages.",
                 .syntax = "status:<ON | OFF> [REDIRECT client-id] "
                           "[PREFIX prefix [PREFIX prefix ...]] "
                           "[BCAST] [OPTIN] [OPTOUT] [NOLOOP]"}),
           part({.name = "caching", .arity = 3, .session_handler = caching, .since = "6.0.0",
                 .summary = "Chooses whether what the next command reads is remembered.",
                 .syntax = "mode:<YES | NO>"}),
           part({.name = "trackinginfo", .arity = 2, .session_handler = trackinginfo,
                 .since = "6.2.0", .summary = "Describes the state of tracking."}),
           part({.name = "getredir", .arity = 2, .session_handler = getredir, .since = "6.0.0",
                 .summary = "Tells where invalidation messages go."})}}};
}
// clang-format on

}  // namespace tandem
