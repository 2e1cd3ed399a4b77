#include <utility>

#include "base/logging.h"
#include "config/directive.h"
#include "server/client/client.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

void get(SessionContext& c, Config& config) {
  const std::vector<std::string> patterns(c.args.begin() + 2, c.args.end());
  const auto pairs = config.get(patterns);
  c.reply.map(static_cast<int64_t>(pairs.size()));
  for (const ConfigPair& pair : pairs) {
    c.reply.bulk(pair.name);
    c.reply.bulk(pair.value);
  }
}

void set(SessionContext& c, Config& config) {
  if (c.args.size() % 2 != 0) return c.reply.error(kSyntaxError);
  std::vector<ConfigPair> pairs;
  for (size_t at = 2; at < c.args.size(); at += 2) {
    pairs.push_back({std::string(c.args[at]), std::string(c.args[at + 1])});
  }
  const ClientConnection* client = client_of(c);
  const bool local = client != nullptr && client->peer().is_local();
  if (auto done = config.set(pairs, local); !done) return c.reply.error(done.error().text);
  c.reply.ok();
}

// "CONFIG SET directive value ...": of a directive that is a password.
bool is_secret_value(std::span<const Bytes> args, size_t at) {
  if (at < 3 || at % 2 == 0) return false;
  const Directive* directive = find_directive(args[at - 1]);
  return directive != nullptr && directive->has(kSecret);
}

void rewrite(SessionContext& c, Config& config) {
  if (auto done = config.rewrite(); !done) {
    log_warning("CONFIG REWRITE failed: {}", done.error().text);
    return c.reply.error(done.error().text);
  }
  log_notice("CONFIG REWRITE executed with success.");
  c.reply.ok();
}

constexpr std::string_view kAllNodes = "request_policy:all_nodes response_policy:all_succeeded";

constexpr Bytes kHelp[] = {
    "GET <pattern>",
    "    Return parameters matching the glob-like <pattern> and their values.",
    "SET <directive> <value>",
    "    Set the configuration <directive> to <value>.",
    "RESETSTAT",
    "    Reset statistics reported by the INFO command.",
    "REWRITE",
    "    Rewrite the configuration file.",
};

// A row that states what CONFIG's subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags = kAdmin | kNoScript | kLoading | kStale;
  row.group = "server";
  return row;
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> config_rows(Config& config, std::function<void()> reset_statistics) {
  const auto bound = [&config](auto handler) {
    return [&config, handler](SessionContext& c) { handler(c, config); };
  };
  const auto resetstat = [reset = std::move(reset_statistics)](SessionContext& c) {
    reset();
    c.reply.ok();
  };
  return {
      {.name = "config", .arity = -2, .group = "server", .since = "2.0.0",
       .complexity = "Depends on the subcommand", .summary = "About the configuration.",
       .subcommands = {
           part({.name = "get", .arity = -3, .session_handler = bound(get), .since = "2.0.0",
                 .history = "7.0.0 Takes several patterns", .complexity = "O(N) for N directives",
                 .summary = "Tells the values of directives.",
                 .syntax = "parameter [parameter ...]"}),
           // Some directives reach what commands read under their stripes; EXEC may hold a few
           // already, so it must hold all.
           part({.name = "set", .arity = -4, .scope = LockScope::kEverything,
                 .session_handler = bound(set),
                 .hides = is_secret_value, .tips = kAllNodes, .since = "2.0.0",
                 .history = "7.0.0 Takes several directives",
                 .complexity = "O(N) for N directives",
                 .summary = "Changes directives, all or none.",
                 .syntax = "parameter value [parameter value ...]"}),
           part({.name = "rewrite", .arity = 2, .session_handler = bound(rewrite),
                 .tips = kAllNodes, .since = "2.8.0", .complexity = "O(N) for N directives",
                 .summary = "Writes the values of the moment into the configuration file."}),
           part({.name = "resetstat", .arity = 2, .session_handler = resetstat,
                 .tips = kAllNodes, .since = "2.0.0", .complexity = "O(N) for N commands",
                 .summary = "Sets the statistics of INFO back to zero."}),
           help_row("config", "server", kHelp)}},
  };
}
// clang-format on

}  // namespace tandem
