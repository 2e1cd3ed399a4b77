#include "server/command_help.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace tandem {

void reply_help(SessionContext& context, Bytes container) {
  const Command* command = context.executor.engine().registry.find(container);
  if (command == nullptr) return context.reply.error(kSyntaxError);
  context.reply.array(static_cast<int64_t>(command->subcommands.size()) * 2 + 1);
  context.reply.simple(fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                                   to_upper(container)));
  for (const Command* subcommand : command->subcommands) {
    const CommandRow& row = subcommand->row;
    context.reply.simple(
        fmt::format("{}{}{}", to_upper(row.name), row.syntax.empty() ? "" : " ", row.syntax));
    context.reply.simple(fmt::format("    {}", row.summary));
  }
}

CommandRow help_row(std::string_view container, std::string_view group) {
  return {.name = "help",
          .arity = 2,
          .flags = kLoading | kStale,
          .session_handler = [container](SessionContext& c) { reply_help(c, container); },
          .group = group,
          .since = "5.0.0",
          .complexity = "O(1)",
          .summary = "Lists the subcommands."};
}

void reply_subcommand_syntax(SessionContext& context, Bytes container) {
  context.reply.error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                  context.args.size() > 1 ? context.args[1] : Bytes(), to_upper(container)));
}

}  // namespace tandem
