// A command is a row of data and a function. The rows stand in one explicit list a family
// (commands/strings.cc ends with string_rows()); the composition puts the families into one
// Registry. Nothing registers itself.
//
//   {.name = "get", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
//    .handler = get, .group = "string", .since = "1.0.0", .complexity = "O(1)",
//    .summary = "...", .syntax = "key"}
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/command_keys.h"

namespace tandem {

struct Context;
struct SessionContext;

// As COMMAND names them.
enum CommandFlag : uint32_t {
  kWrite = 1u << 0,
  kReadOnly = 1u << 1,
  kDenyOom = 1u << 2,
  kAdmin = 1u << 3,
  kPubSub = 1u << 4,
  kNoScript = 1u << 5,
  kBlocking = 1u << 6,
  kLoading = 1u << 7,  // allowed while the dataset loads
  kStale = 1u << 8,    // allowed on a replica without its primary
  kSkipMonitor = 1u << 9,
  kSkipSlowlog = 1u << 10,
  kAsking = 1u << 11,
  kFast = 1u << 12,
  kNoAuth = 1u << 13,
  kMayReplicate = 1u << 14,
  kNoMulti = 1u << 15,
  kMovableKeys = 1u << 16,
  kAllowBusy = 1u << 17,
  kNoMandatoryKeys = 1u << 18,
  kNoAsyncLoading = 1u << 19,
  // Ours alone: COMMAND does not tell them.
  kNotQueued = 1u << 20,         // executed inside MULTI at once
  kRunsQueue = 1u << 21,         // EXEC: judged by what is queued, too
  kWhileSubscribed = 1u << 22,   // allowed to a subscriber in RESP2
  kInStream = 1u << 23,          // may stand in a replication stream though it writes nothing
  kReportsDiskError = 1u << 24,  // as writes do
  kBrief = 1u << 25,  // its time depends on its arguments alone, as of all that are fast (kFast)
  kBetweenServers = 1u << 26,  // in a stream it is about the link: nothing is executed
  kNamesChannels = 1u << 27,   // CommandRow::channels
  kAlwaysUses = 1u << 28,      // uses its keys also for a client that leaves no trace (TOUCH)
  kEndsTransaction = 1u << 29,
};

// What looks at keys or changes them.
inline constexpr uint32_t kMeetsKeys = kWrite | kReadOnly | kMayReplicate;

// Which arguments are channels that a user must have the right to.
enum class ChannelUse : uint8_t {
  kNone,
  kPublishes,           // the first
  kSubscribes,          // all
  kSubscribesPatterns,  // all, and they are patterns
};

// What the executor locks for a command.
enum class LockScope : uint8_t {
  kKeys,         // the stripes of its keys; none if it names none
  kVisits,       // one stripe after the other, as its handler asks for them (Context::visit); all
                 // of them where it is a part of something: inside MULTI, a script, a stream
  kEverything,   // all stripes: whole databases, scripts
  kByArguments,  // one of those above, as the row's scope_of tells
};

// A hermetic handler computes on what its Context carries: declared keys, frozen time, a reply and
// effects.
using Handler = void (*)(Context&);
// Commands about connections, the server or replication see their client, too.
using SessionHandler = std::function<void(SessionContext&)>;
// The flags of one call. Any thread, with or without stripes.
using CallFlags = std::function<uint32_t(std::span<const Bytes> args)>;

struct CommandRow {
  std::string_view name = {};  // lower case; a subcommand's own word ("id" of "client")
  int arity = 0;               // with the name; negative: at least
  uint32_t flags = 0;
  // Where arguments decide about flags, as a script does by its first line; empty: nowhere.
  CallFlags flags_of = {};
  std::vector<KeySpec> keys = {};
  ChannelUse channels = ChannelUse::kNone;
  LockScope scope = LockScope::kKeys;
  LockScope (*scope_of)(std::span<const Bytes> args) = nullptr;  // only of kByArguments
  Handler handler = nullptr;  // one of the two, or neither for a mere container of subcommands
  SessionHandler session_handler = {};
  // Whether this argument is, or may be, a password: MONITOR and the slow log leave it out. Null:
  // none is.
  bool (*hides)(std::span<const Bytes> args, size_t at) = nullptr;
  // For COMMAND DOCS and COMMAND INFO.
  std::string_view group = {};
  // Access categories besides those that flags imply, where they are not the group's:
  // "keyspace dangerous".
  std::string_view categories = {};
  std::string_view tips = {};  // "request_policy:all_shards response_policy:agg_sum"
  std::string_view since = {};
  // What later versions changed: "6.0.0 Takes KEEPTTL; 6.2.0 Takes GET".
  std::string_view history = {};
  std::string_view deprecated = {};  // since when, and what is better: "5.0.0 `REPLICAOF`"
  bool internal = false;             // for servers among themselves and for who makes them
  std::string_view complexity = {};  // empty: not told
  std::string_view summary = {};
  // Arguments, in the notation of server/commands/command_syntax.h:
  // "key value condition:[NX | XX]@2.6.12 [GET]@6.2.0".
  std::string_view syntax = {};
  std::vector<CommandRow> subcommands = {};
};

// Categories of access control, in the order in which they are told. A command is in those that its
// row states, or in its group's, and in those that follow from its flags.
inline constexpr std::string_view kCategoryNames[] = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};
// The category's bit, named in any case; 0: there is none.
uint32_t category_bit(Bytes name);

// A row in the registry. `id` numbers commands and subcommands from 0, for statistics.
struct Command {
  CommandRow row;
  int id = 0;
  std::string full_name;  // "get", "client|id"
  std::string called;     // the name by which it is asked for; empty: by none
  std::vector<const Command*> subcommands;
  // The conditions of the node and of its client (engine/gate.h) that may refuse it or hold it
  // back, and the version of users' rights. While none of them holds, admission looks no further.
  uint64_t judged_by = 0;
  // Where the one key of each call stands; 0: find_keys() knows.
  int only_key_at = 0;
  uint32_t categories = 0;  // of access, as bits: kCategoryNames

  bool has(uint32_t flag) const { return (row.flags & flag) != 0; }
  LockScope scope(std::span<const Bytes> args) const {
    return row.scope == LockScope::kByArguments ? row.scope_of(args) : row.scope;
  }
  bool arity_fits(size_t argument_count) const {
    const auto count = static_cast<int>(argument_count);
    return row.arity >= 0 ? count == row.arity : count >= -row.arity;
  }
};

// act(Bytes key) for each key that a call of `command` names. False: the arguments do not fit, as
// in find_keys(); `found` is its workspace.
template <class Act>
bool for_each_key(const Command& command, std::span<const Bytes> args, std::vector<FoundKey>& found,
                  Act&& act) {
  if (const auto only = static_cast<size_t>(command.only_key_at); only != 0) [[likely]] {
    if (only < args.size()) act(args[only]);
    return true;
  }
  found.clear();
  const bool fits = find_keys(command.row.keys, args, found);
  for (const FoundKey& key : found) act(args[static_cast<size_t>(key.position)]);
  return fits;
}

// Adds rows. Where two parts have subcommands for one container (MEMORY USAGE is about keys, MEMORY
// STATS about the server) these come together; of two with one name the later one counts.
void add_rows(std::vector<CommandRow>& rows, std::vector<CommandRow> more);

// Immutable once filled and renamed, readable by all threads.
class Registry {
 public:
  Registry() = default;
  explicit Registry(std::vector<CommandRow> rows) { add(std::move(rows)); }
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Once, before anything is executed. Gives itself.
  Registry& add(std::vector<CommandRow> rows);

  // Clients and scripts call a command by another name from here on; by none, if that is empty.
  // Fails when there is no such command, or when the new name is taken. Before anything is
  // executed.
  Result<void> rename(Bytes from, Bytes to);

  // Any case. A container's subcommand is not resolved here.
  const Command* find(Bytes name) const;
  // By the full name of its row, whatever it is called.
  const Command* find_original(Bytes name) const;
  // "get", or "client|id".
  const Command* find_full(Bytes name) const;
  // "get", or container and subcommand: the command to execute for these arguments, null if there
  // is none.
  const Command* resolve(std::span<const Bytes> args) const;

  size_t id_count() const { return storage_.size(); }
  // Commands without their subcommands, in the order of the rows.
  const std::vector<const Command*>& commands() const { return commands_; }
  const Command& by_id(int id) const { return storage_[static_cast<size_t>(id)]; }

 private:
  const Command* compile(CommandRow row, const std::string& prefix);
  void fill_slots();

  std::deque<Command> storage_;
  std::vector<const Command*> commands_;
  // Open addressing by the hash of the lower-case name.
  std::vector<const Command*> slots_{nullptr};
};

}  // namespace tandem
