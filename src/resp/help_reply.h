// The reply of "CONTAINER HELP": a title, the lines about its subcommands, and HELP's own.
#pragma once

#include <span>

#include "base/bytes.h"
#include "resp/reply_writer.h"

namespace tandem {

// `lines` are those between the title and HELP's own; `container` in any case.
void write_help(ReplyWriter& reply, Bytes container, std::span<const Bytes> lines);

}  // namespace tandem
