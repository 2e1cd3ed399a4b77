// A command is a row of data and a function. The rows stand in one explicit list a family
// (commands/strings.cc ends with string_rows()); the composition puts the families into one
// Registry. Nothing registers itself.
//
//   {.name = "get", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO ACCESS")},
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
  kBlocksByOption = 1u << 25,    // blocks where it has the word BLOCK: an error in scripts
};

// What the executor locks for a command.
enum class LockScope : uint8_t {
  kKeys,        // the stripes of its keys; none if it names none
  kVisits,      // one stripe after the other, as its handler asks for them (Context::visit); all of
                // them where it is a part of something: inside MULTI, a script, a stream
  kEverything,  // all stripes: whole databases, scripts
};

// Where a command's keys are, in the terms of Redis 7's key specifications.
struct KeySpec {
  enum class Find : uint8_t { kRange, kKeyCount };

  std::string_view flags = {};  // "RW ACCESS UPDATE"; see COMMAND's documentation for the words
  // The first key's position, or with a keyword where the search for it starts (< 0: from the end).
  int begin = 0;
  std::string_view begin_keyword = {};  // "STREAMS": keys begin after this word
  Find find = Find::kRange;
  // kRange: the last key relative to the first (-1: the last argument, -2: the one before ...), the
  // step between keys, and a limit: 2 means that the first half of what is left are keys.
  int last = 0;
  int step = 1;
  int limit = 0;
  // kKeyCount: where the count stands and where the first key stands, relative to begin.
  int count_at = 0;
  int first_at = 1;
  // With "variable_flags": those of a call without any of `words` from position `from` on.
  struct Milder {
    std::string_view flags = {};
    std::string_view words = {};
    int from = 0;
  } milder = {};
};

constexpr KeySpec key_at(int position, std::string_view flags) {
  return {.flags = flags, .begin = position};
}
constexpr KeySpec keys_range(int first, int last, int step, std::string_view flags) {
  return {.flags = flags, .begin = first, .last = last, .step = step};
}
constexpr KeySpec keys_counted(int count_position, std::string_view flags) {
  return {.flags = flags, .begin = count_position, .find = KeySpec::Find::kKeyCount};
}

// A hermetic handler computes on what its Context carries: declared keys, frozen time, a reply and
// effects.
using Handler = void (*)(Context&);
// Commands about connections, the server or replication see their client, too.
using SessionHandler = std::function<void(SessionContext&)>;

struct CommandRow {
  std::string_view name = {};  // lower case; a subcommand's own word ("id" of "client")
  int arity = 0;               // with the name; negative: at least
  uint32_t flags = 0;
  std::vector<KeySpec> keys = {};
  LockScope scope = LockScope::kKeys;
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

// A row in the registry. `id` numbers commands and subcommands from 0, for statistics.
struct Command {
  CommandRow row;
  int id = 0;
  std::string full_name;  // "get", "client|id"
  std::string called;     // the name by which it is asked for; empty: by none
  std::vector<const Command*> subcommands;
  // The conditions of the node (engine/gate.h) that may refuse it or hold it back. While none of
  // them holds, admission looks no further.
  uint32_t judged_by = 0;

  bool has(uint32_t flag) const { return (row.flags & flag) != 0; }
  bool arity_fits(size_t argument_count) const {
    const auto count = static_cast<int>(argument_count);
    return row.arity >= 0 ? count == row.arity : count >= -row.arity;
  }
};

// Appends the positions of the command's keys in `args`. False: the arguments do not fit the
// specification (a key count that is no number, or more keys than arguments); what was found so far
// stays.
bool find_key_positions(const Command& command, std::span<const Bytes> args,
                        std::vector<int>& positions);

// The same, but without those of the command's first specification: what it needs besides (the
// destination of a move), where the first names alternatives.
void find_further_key_positions(const Command& command, std::span<const Bytes> args,
                                std::vector<int>& positions);

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
  // By the name in its row, whatever it is called.
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
