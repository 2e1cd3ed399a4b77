#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "acl/acl_log.h"
#include "base/bytes.h"
#include "base/error_text.h"
#include "base/number.h"
#include "base/random.h"
#include "engine/admission.h"
#include "engine/executor.h"
#include "server/access_control.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

// What an error of access control is to a client.
void reply_error(SessionContext& c, const Error& error) { c.reply.error("ERR " + error.text); }

// Users.

void setuser(SessionContext& c, AccessControl& access) {
  if (!is_rule_word(c.args[2])) {
    return c.reply.error("ERR Usernames can't contain spaces or null characters");
  }
  if (auto done = access.set_user(c.args[2], c.args.subspan(3)); !done) {
    return reply_error(c, done.error());
  }
  c.reply.ok();
}

void deluser(SessionContext& c, AccessControl& access) {
  const auto names = c.args.subspan(2);
  for (const Bytes name : names) {
    if (name == kDefaultUser) return c.reply.error("ERR The 'default' user cannot be removed");
  }
  int64_t deleted = 0;
  for (const Bytes name : names) deleted += access.delete_user(c, name) ? 1 : 0;
  c.reply.integer(deleted);
}

void write_selector(ReplyWriter& reply, const Selector& selector) {
  const std::pair<Bytes, std::string> fields[] = {{"commands", selector.command_rules()},
                                                  {"keys", selector.key_rules()},
                                                  {"channels", selector.channel_rules()}};
  for (const auto& [name, rules] : fields) {
    reply.bulk(name);
    reply.bulk(rules);
  }
}

void getuser(SessionContext& c, AccessControl& access) {
  const auto found = access.users().find(c.args[2]);
  if (!found) return c.reply.null();
  const User& user = *found->user;
  const auto flags = user.flags();
  c.reply.map(6);
  c.reply.bulk("flags");
  c.reply.set(static_cast<int64_t>(flags.size()));
  for (const Bytes flag : flags) c.reply.bulk(flag);
  c.reply.bulk("passwords");
  c.reply.array(static_cast<int64_t>(user.password_hashes().size()));
  for (const std::string& hash : user.password_hashes()) c.reply.bulk(hash);
  write_selector(c.reply, user.selectors().front());
  c.reply.bulk("selectors");
  const auto further = user.selectors().subspan(1);
  c.reply.array(static_cast<int64_t>(further.size()));
  for (const Selector& selector : further) {
    c.reply.map(3);
    write_selector(c.reply, selector);
  }
}

void list(SessionContext& c, AccessControl& access) {
  const auto users = access.users().list();
  c.reply.array(static_cast<int64_t>(users.size()));
  for (const NamedUser& user : users) c.reply.bulk(user_line(user));
}

void names(SessionContext& c, AccessControl& access) {
  const auto users = access.users().list();
  c.reply.array(static_cast<int64_t>(users.size()));
  for (const NamedUser& user : users) c.reply.bulk(user.account->name);
}

void whoami(SessionContext& c) {
  c.client.account == nullptr ? c.reply.null() : c.reply.bulk(c.client.account->name);
}

// As denial_text(), but it names what was denied: who asks is not who was denied it.
std::string full_denial_text(const Denial& denial, const Command& command,
                             std::span<const Bytes> args, Bytes user) {
  if (denial.reason == DenialReason::kCommand) return denial_text(denial, command, user);
  return error_text("User {} has no permissions to access the '{}' {}", user, args[denial.at],
                    denial.reason == DenialReason::kKey ? "key" : "channel");
}

void dryrun(SessionContext& c, AccessControl& access) {
  const auto found = access.users().find(c.args[2]);
  if (!found) return c.reply.error(error_text("ERR User '{}' not found", c.args[2]));
  const auto args = c.args.subspan(3);
  const Command* command = c.executor.engine().registry.resolve(args);
  if (command == nullptr) {
    return c.reply.error(error_text("ERR Command '{}' not found", args[0]));
  }
  if (!command->arity_fits(args.size())) {
    return c.reply.error(
        fmt::format("ERR wrong number of arguments for '{}' command", command->full_name));
  }
  const auto denied = found->user->denial(*command, args);
  if (!denied) return c.reply.ok();
  c.reply.bulk(full_denial_text(*denied, *command, args, found->account->name));
}

// The file.

bool lacks_file(SessionContext& c, const ServerOptions& options) {
  if (!options.acl_file.empty()) return false;
  c.reply.error(
      "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
      "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
      "configuration file set) in order to store users in the Redis configuration.");
  return true;
}

// Categories, passwords.

void cat(SessionContext& c) {
  constexpr size_t kWithCategory = 3;
  constexpr size_t kNameBytesMax = 128;
  if (c.args.size() > kWithCategory) return reply_subcommand_syntax(c, "acl");
  if (c.args.size() < kWithCategory) {
    c.reply.array(std::size(kCategoryNames));
    for (const Bytes name : kCategoryNames) c.reply.bulk(name);
    return;
  }
  const uint32_t category = category_bit(c.args[2]);
  if (category == 0) {
    return c.reply.error(
        error_text("ERR Unknown category '{}'", c.args[2].substr(0, kNameBytesMax)));
  }
  const Registry& registry = c.executor.engine().registry;
  const auto array = c.reply.begin_array();
  int64_t count = 0;
  for (size_t id = 0; id < registry.id_count(); ++id) {
    const Command& command = registry.by_id(static_cast<int>(id));
    if ((command.categories & category) == 0) continue;
    c.reply.bulk(command.full_name);
    ++count;
  }
  c.reply.end_array(array, count);
}

void genpass(SessionContext& c) {
  constexpr size_t kWithBits = 3;
  constexpr int64_t kBitsDefault = 256;
  constexpr int64_t kBitsMax = 4096;
  constexpr int64_t kBitsPerDigit = 4;
  if (c.args.size() > kWithBits) return reply_subcommand_syntax(c, "acl");
  int64_t bits = kBitsDefault;
  if (c.args.size() == kWithBits) {
    const auto given = parse_int64(c.args[2]);
    if (!given) return c.reply.error(kNotInteger);
    bits = *given;
  }
  if (bits <= 0 || bits > kBitsMax) {
    return c.reply.error(
        fmt::format("ERR ACL GENPASS argument must be the number of bits for the output password, "
                    "a positive number up to {}",
                    kBitsMax));
  }
  const int64_t digits = (bits + kBitsPerDigit - 1) / kBitsPerDigit;
  c.reply.bulk(entropy_hex(static_cast<size_t>(digits)));
}

// ACL LOG.

constexpr Bytes kReasons[] = {"command", "key", "channel", "auth"};  // by AclEventKind
constexpr Bytes kContexts[] = {"toplevel", "multi", "lua"};          // by DenialContext

void write_entry(SessionContext& c, const AclLog::Entry& entry) {
  constexpr double kMsPerSecond = 1000;
  const AclEvent& last = entry.last;
  c.reply.map(10);
  c.reply.bulk("count");
  c.reply.integer(entry.count);
  c.reply.bulk("reason");
  c.reply.bulk(kReasons[static_cast<size_t>(last.kind)]);
  c.reply.bulk("context");
  c.reply.bulk(kContexts[static_cast<size_t>(last.context)]);
  c.reply.bulk("object");
  c.reply.bulk(last.object);
  c.reply.bulk("username");
  c.reply.bulk(last.user);
  c.reply.bulk("age-seconds");
  c.reply.number(static_cast<double>(c.now_ms - last.unix_ms) / kMsPerSecond);
  c.reply.bulk("client-info");
  c.reply.bulk(last.client_info);
  c.reply.bulk("entry-id");
  c.reply.integer(entry.id);
  c.reply.bulk("timestamp-created");
  c.reply.integer(entry.created_ms);
  c.reply.bulk("timestamp-last-updated");
  c.reply.integer(last.unix_ms);
}

void denied_lately(SessionContext& c, AclLog& log) {
  constexpr size_t kWithArgument = 3;
  int64_t count = 10;
  if (c.args.size() > kWithArgument) return reply_subcommand_syntax(c, "acl");
  if (c.args.size() == kWithArgument) {
    if (equal_ignore_case(c.args[2], "reset")) {
      log.reset();
      return c.reply.ok();
    }
    const auto given = parse_int64(c.args[2]);
    if (!given) return c.reply.error(kNotInteger);
    count = std::max<int64_t>(*given, 0);
  }
  const auto entries = log.entries(static_cast<size_t>(count));
  c.reply.array(static_cast<int64_t>(entries.size()));
  for (const AclLog::Entry& entry : entries) write_entry(c, entry);
}

constexpr Bytes kHelp[] = {
    "CAT [<category>]",
    "    List all commands that belong to <category>, or all command categories",
    "    when no category is specified.",
    "DELUSER <username> [<username> ...]",
    "    Delete a list of users.",
    "DRYRUN <username> <command> [<arg> ...]",
    "    Returns whether the user can execute the given command without executing the command.",
    "GETUSER <username>",
    "    Get the user's details.",
    "GENPASS [<bits>]",
    "    Generate a secure 256-bit user password. The optional `bits` argument can",
    "    be used to specify a different size.",
    "LIST",
    "    Show users details in config file format.",
    "LOAD",
    "    Reload users from the ACL file.",
    "LOG [<count> | RESET]",
    "    Show the ACL log entries.",
    "SAVE",
    "    Save the current config to the ACL file.",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "    Create or modify a user with the specified attributes.",
    "USERS",
    "    List all the registered usernames.",
    "WHOAMI",
    "    Return the current connection username.",
};

// A row that states what ACL's subcommands do not share.
CommandRow part(CommandRow row) {
  row.flags |= kNoScript | kLoading | kStale;
  row.group = "server";
  if (row.since.empty()) row.since = "6.0.0";
  if (row.complexity.empty()) row.complexity = "O(N) for N users";
  return row;
}

// clang-format off: a row is a record
// About users. What changes them holds all stripes (server/access_control.h).
std::vector<CommandRow> user_parts(AccessControl& access) {
  const auto bound = [&access](auto handler) {
    return [&access, handler](SessionContext& c) { handler(c, access); };
  };
  return {
      part({.name = "setuser", .arity = -3, .flags = kAdmin, .scope = LockScope::kEverything,
            .session_handler = bound(setuser),
            .hides = [](std::span<const Bytes>, size_t at) { return at > 1; },
            .history = "6.2.0 Takes patterns of channels; "
                       "7.0.0 Takes selectors, and patterns of keys that are only read or written",
            .complexity = "O(N) for N rules",
            .summary = "Makes a user, or changes what it may do.",
            .syntax = "username [rule [rule ...]]"}),
      part({.name = "deluser", .arity = -3, .flags = kAdmin, .scope = LockScope::kEverything,
            .session_handler = bound(deluser), .complexity = "O(N) for N clients",
            .summary = "Deletes users, and ends their clients.",
            .syntax = "username [username ...]"}),
      part({.name = "getuser", .arity = 3, .flags = kAdmin, .session_handler = bound(getuser),
            .history = "6.2.0 Tells patterns of channels; "
                       "7.0.0 Tells selectors, and keys and channels as rules",
            .complexity = "O(N) for N rules of the user",
            .summary = "Tells what a user may do.", .syntax = "username"}),
      part({.name = "list", .arity = 2, .flags = kAdmin, .session_handler = bound(list),
            .summary = "Tells all users, as lines of a file."}),
      part({.name = "users", .arity = 2, .flags = kAdmin, .session_handler = bound(names),
            .summary = "Tells the names of all users."}),
      part({.name = "dryrun", .arity = -4, .flags = kAdmin, .session_handler = bound(dryrun),
            .since = "7.0.0", .complexity = "O(N) for N keys of the command",
            .summary = "Tells whether a user may run a command, without running it.",
            .syntax = "username command [arg [arg ...]]"}),
      part({.name = "whoami", .arity = 2, .session_handler = whoami, .complexity = "O(1)",
            .summary = "Tells which user the connection is."}),
  };
}

std::vector<CommandRow> further_parts(AccessControl& access, const ServerOptions& options,
                                      AclLog& log) {
  const auto load = [&access, &options](SessionContext& c) {
    if (lacks_file(c, options)) return;
    const auto done = access.load(c);
    done ? c.reply.ok() : reply_error(c, done.error());
  };
  const auto save = [&access, &options](SessionContext& c) {
    if (lacks_file(c, options)) return;
    const auto done = access.save();
    done ? c.reply.ok() : reply_error(c, done.error());
  };
  return {
      part({.name = "load", .arity = 2, .flags = kAdmin, .scope = LockScope::kEverything,
            .session_handler = load, .summary = "Reads all users from their file again."}),
      part({.name = "save", .arity = 2, .flags = kAdmin, .session_handler = save,
            .summary = "Writes all users to their file."}),
      part({.name = "cat", .arity = -2, .session_handler = cat,
            .complexity = "O(N) for N commands",
            .summary = "Tells the categories, or the commands of one.",
            .syntax = "[category]"}),
      part({.name = "genpass", .arity = -2, .session_handler = genpass, .complexity = "O(1)",
            .summary = "Makes a password that nobody can guess.", .syntax = "[bits:integer]"}),
      part({.name = "log", .arity = -2, .flags = kAdmin,
            .session_handler = [&log](SessionContext& c) { denied_lately(c, log); },
            .history = "7.2.0 Tells the entry's id, and when it was made and last changed",
            .complexity = "O(N) for N entries", .summary = "Tells what was denied lately.",
            .syntax = "operation:[count:integer | RESET]"}),
      help_row("acl", "server", kHelp, "6.0.0"),
  };
}
// clang-format on

}  // namespace

std::vector<CommandRow> acl_rows(AccessControl& access, const ServerOptions& options, AclLog& log) {
  std::vector<CommandRow> parts = user_parts(access);
  add_rows(parts, further_parts(access, options, log));
  return {{.name = "acl",
           .arity = -2,
           .group = "server",
           .since = "6.0.0",
           .complexity = "Depends on the subcommand",
           .summary = "About users and their rights.",
           .subcommands = std::move(parts)}};
}

}  // namespace tandem
