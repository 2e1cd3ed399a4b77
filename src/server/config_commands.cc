#include "server/config_commands.h"

#include <utility>

#include "base/logging.h"
#include "server/command_help.h"

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
  if (auto done = config.set(pairs); !done) return c.reply.error(done.error().text);
  c.reply.ok();
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

CommandRow row(std::string_view name, int arity, SessionHandler handler, std::string_view since,
               std::string_view summary, std::string_view syntax = "") {
  return {.name = name,
          .arity = arity,
          .flags = kAdmin | kNoScript | kLoading | kStale,
          .session_handler = std::move(handler),
          .group = "server",
          .since = since,
          .complexity = "O(N), N directives",
          .summary = summary,
          .syntax = syntax};
}

}  // namespace

std::vector<CommandRow> config_rows(Config& config, std::function<void()> reset_statistics) {
  const auto bound = [&config](auto handler) {
    return [&config, handler](SessionContext& c) { handler(c, config); };
  };
  // Some directives reach what commands read under their stripes; EXEC may hold a few already, so
  // it must hold all.
  CommandRow set_row = row("set", -4, bound(set), "2.0.0", "Changes directives, all or none.",
                           "parameter value [parameter value ...]");
  set_row.scope = LockScope::kEverything;
  set_row.tips = kAllNodes;
  std::vector<CommandRow> subcommands{
      row("get", -3, bound(get), "2.0.0", "Tells the values of directives.",
          "parameter [parameter ...]"),
      std::move(set_row),
      tipped(kAllNodes, row("rewrite", 2, bound(rewrite), "2.8.0",
                            "Writes the values of the moment into the configuration file.")),
      tipped(kAllNodes, row(
                            "resetstat", 2,
                            [reset = std::move(reset_statistics)](SessionContext& c) {
                              reset();
                              c.reply.ok();
                            },
                            "2.0.0", "Sets the statistics of INFO back to zero.")),
      help_row("config", "server", kHelp),
  };
  return {{.name = "config",
           .arity = -2,
           .group = "server",
           .since = "2.0.0",
           .complexity = "Depends on the subcommand",
           .summary = "About the configuration.",
           .subcommands = std::move(subcommands)}};
}

}  // namespace tandem
