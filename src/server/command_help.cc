#include "server/command_help.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace tandem {

void reply_help(SessionContext& context, Bytes container, std::span<const Bytes> lines) {
  constexpr size_t kOwnLines = 3;
  context.reply.array(static_cast<int64_t>(lines.size() + kOwnLines));
  context.reply.simple(fmt::format("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                                   to_upper(container)));
  for (const Bytes line : lines) context.reply.simple(line);
  context.reply.simple("HELP");
  context.reply.simple("    Prints this help.");
}

CommandRow help_row(std::string_view container, std::string_view group,
                    std::span<const Bytes> lines, std::string_view since) {
  return {
      .name = "help",
      .arity = 2,
      .flags = kLoading | kStale,
      .session_handler = [container, lines](SessionContext& c) { reply_help(c, container, lines); },
      .group = group,
      .since = since,
      .complexity = "O(1)",
      .summary = "Lists the subcommands."};
}

void reply_subcommand_syntax(SessionContext& context, Bytes container) {
  context.reply.error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                  context.args.size() > 1 ? context.args[1] : Bytes(), to_upper(container)));
}

}  // namespace tandem
