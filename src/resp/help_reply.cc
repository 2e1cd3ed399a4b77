#include "resp/help_reply.h"

#include <string>

#include "base/ascii.h"

namespace tandem {

void write_help(ReplyWriter& reply, Bytes container, std::span<const Bytes> lines) {
  constexpr size_t kOwnLines = 3;
  reply.array(static_cast<int64_t>(lines.size() + kOwnLines));
  reply.simple(to_upper(container) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const Bytes line : lines) reply.simple(line);
  reply.simple("HELP");
  reply.simple("    Print this help.");
}

}  // namespace tandem
