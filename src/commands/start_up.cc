// What clients ask at their start about parts that this server does not have: a cluster, modules.
// The answers are those of a server that has the part and nothing in it, or has it switched off.
#include <iterator>

#include "base/bytes.h"
#include "commands/table.h"
#include "engine/context.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

void no_cluster(Context& ctx) { ctx.reply.error("ERR This instance has cluster support disabled"); }

void module_list(Context& ctx) { ctx.reply.array(0); }

constexpr Bytes kModuleHelp[] = {
    "LIST",
    "    Return a list of loaded modules.",
};

void module_help(Context& ctx) { write_help(ctx.reply, "module", kModuleHelp); }

CommandRow cluster_part(CommandRow row) {
  row.flags |= kStale;
  row.handler = no_cluster;
  row.group = "cluster";
  if (row.since.empty()) row.since = "3.0.0";
  if (row.complexity.empty()) row.complexity = "O(1)";
  return row;
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> start_up_rows() {
  return {
      {.name = "readonly", .arity = 1, .flags = kLoading | kStale | kFast, .handler = no_cluster,
       .group = "cluster", .categories = "connection", .since = "3.0.0", .complexity = "O(1)",
       .summary = "Allows reads from a replica of a cluster"},
      {.name = "readwrite", .arity = 1, .flags = kLoading | kStale | kFast, .handler = no_cluster,
       .group = "cluster", .categories = "connection", .since = "3.0.0", .complexity = "O(1)",
       .summary = "Ends what READONLY began"},
      {.name = "asking", .arity = 1, .flags = kFast, .handler = no_cluster, .group = "cluster",
       .categories = "connection", .since = "3.0.0", .complexity = "O(1)",
       .summary = "Precedes a command that a cluster redirected"},
      {.name = "cluster", .arity = -2, .group = "cluster", .since = "3.0.0",
       .complexity = "Depends on the subcommand", .summary = "About a cluster",
       .subcommands = {
           cluster_part({.name = "info", .arity = 2, .tips = "nondeterministic_output",
                         .summary = "Tells the state of the cluster"}),
           cluster_part({.name = "myid", .arity = 2, .summary = "Tells the id of the node"}),
           cluster_part({.name = "nodes", .arity = 2, .tips = "nondeterministic_output",
                         .complexity = "O(N) for N nodes", .summary = "Tells the nodes"}),
           cluster_part({.name = "slots", .arity = 2, .tips = "nondeterministic_output",
                         .history = "4.0.0 Tells the nodes' ids; 7.0.0 Tells more about addresses",
                         .deprecated = "7.0.0 `CLUSTER SHARDS`",
                         .complexity = "O(N) for N nodes",
                         .summary = "Tells which nodes have which slots"}),
           cluster_part({.name = "shards", .arity = 2, .tips = "nondeterministic_output",
                         .since = "7.0.0", .complexity = "O(N) for N nodes",
                         .summary = "Tells which nodes have which slots"}),
           cluster_part({.name = "keyslot", .arity = 3, .complexity = "O(N) for a key of N bytes",
                         .summary = "Tells the slot of a key", .syntax = "key:string"}),
           cluster_part({.name = "help", .arity = 2, .flags = kLoading, .since = "5.0.0",
                         .summary = "Lists the subcommands"})}},
      {.name = "module", .arity = -2, .group = "server", .since = "4.0.0",
       .complexity = "Depends on the subcommand", .summary = "About modules",
       .subcommands = {
           {.name = "list", .arity = 2, .flags = kAdmin | kNoScript, .handler = module_list,
            .group = "server", .tips = "nondeterministic_output_order", .since = "4.0.0",
            .complexity = "O(N) for N modules", .summary = "Lists the modules"},
           {.name = "help", .arity = 2, .flags = kLoading | kStale, .handler = module_help,
            .group = "server", .since = "5.0.0", .complexity = "O(1)",
            .summary = "Lists the subcommands"}}},
  };
}
// clang-format on

}  // namespace tandem
