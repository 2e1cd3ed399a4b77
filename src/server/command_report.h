// Commands as COMMAND tells them: the rows of the table, written as replies.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command.h"
#include "resp/reply_writer.h"

namespace tandem {

// One element of COMMAND and COMMAND INFO.
void write_command_info(ReplyWriter& reply, const Command& command);
// The value behind the name in COMMAND DOCS.
void write_command_docs(ReplyWriter& reply, const Command& command);

// "readonly", "fast", ... in the order Redis names them.
std::vector<std::string_view> command_flag_names(const Command& command);
// "@read", "@string", ...: from the flags and the group.
std::vector<std::string> command_categories(const Command& command);

// A key specification's words as the protocol has them: "RW", "access", "update".
std::vector<std::string> key_flag_words(const KeySpec& spec);
// Those that hold for one call, whose arguments may make it milder.
std::vector<std::string> key_flag_words(const KeySpec& spec, std::span<const Bytes> args);

}  // namespace tandem
