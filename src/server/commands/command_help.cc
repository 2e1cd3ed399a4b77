#include <fmt/format.h>

#include "base/bytes.h"
#include "resp/reply_writer.h"
#include "server/commands/rows.h"

namespace tandem {

void reply_help(SessionContext& context, Bytes container, std::span<const Bytes> lines) {
  write_help(context.reply, container, lines);
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
  context.reply.error(fmt::format(
      "ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
      context.args.size() > 1 ? up_to_zero(context.args[1]) : Bytes(), to_upper(container)));
}

}  // namespace tandem
