#include <algorithm>
#include <cmath>
#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/glob.h"
#include "base/logging.h"
#include "base/number.h"
#include "config/config_value.h"
#include "engine/blocked_clients.h"
#include "engine/executor.h"
#include "server/client/client.h"
#include "server/commands/debug.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

constexpr Bytes kNotAllowed =
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you "
    "can run it from a local connection, otherwise you need to set this option in the "
    "configuration file, and then restart the server.";

bool allowed(SessionContext& c, const ServerOptions& options) {
  const int access = options.debug_command_access.get();
  if (access != kAccessLocal) return access == kAccessAll;
  const ClientConnection* connection = client_of(c);
  return connection != nullptr && connection->peer().is_local();
}

// As Redis reads a switch: whatever is no number is off.
bool is_on(Bytes word) { return parse_int64(word).value_or(0) != 0; }

// What is told of a client that may be gone by then.
struct PastClient final : ClientState {
  explicit PastClient(const ClientState& client)
      : ClientState(client.kind), its_address(client.address()), its_name(client.name()) {}
  std::string address() const override { return its_address; }
  std::string name() const override { return its_name; }

  const std::string its_address;
  const std::string its_name;
};

// Everybody stands still for the time, as if the server slept; the answer comes at its end.
void stand_still(SessionContext& c, const DebugParts& /*parts*/) {
  const auto seconds = parse_double(c.args[2]);
  constexpr double kMsPerSecond = 1000.0;
  constexpr double kSecondsMax = 1e6;
  const double ms = std::clamp(seconds.value_or(0), 0.0, kSecondsMax) * kMsPerSecond;
  const auto length_ms = static_cast<int64_t>(std::llround(ms));
  if (length_ms == 0) return c.reply.ok();
  Engine& engine = c.executor.engine();
  const Clock& clock = engine.clock;
  const auto answer = [&engine, &command = c.command, length_ms,
                       client = std::make_shared<const PastClient>(c.client),
                       words = std::vector<std::string>(c.args.begin(), c.args.end())] {
    constexpr int64_t kUsPerMs = 1000;
    if (engine.observer != nullptr) {
      const std::vector<Bytes> args(words.begin(), words.end());
      engine.observer->slow_command(*client, command, args, engine.clock.unix_us(),
                                    length_ms * kUsPerMs);
    }
    return std::string("+OK\r\n");
  };
  // A millisecond that has begun is not over.
  if (c.block_externally(clock.unix_ms() + length_ms + 1, answer)) {
    engine.pauses.begin(PauseReason::kDebug, PauseKind::kAll, clock.monotonic_ms() + length_ms);
  } else {
    c.reply.ok();
  }
}

constexpr Bytes kCannotReload = "-ERR Error trying to load the RDB dump, check server logs.\r\n";

struct ReloadOptions {
  bool saves = true;
  Former former = Former::kGoes;
};

bool parse_reload(SessionContext& c, ReloadOptions& options) {
  bool flushes = true;
  bool merges = false;
  for (const Bytes word : c.args.subspan(2)) {
    if (equal_ignore_case(word, "nosave")) {
      options.saves = false;
    } else if (equal_ignore_case(word, "noflush")) {
      flushes = false;
    } else if (equal_ignore_case(word, "merge")) {
      merges = true;
    } else {
      c.reply.error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
      return false;
    }
  }
  if (!flushes) options.former = merges ? Former::kMakesRoom : Former::kStays;
  return true;
}

// Everybody stands still while the file is written and read again, in the background: both take all
// stripes, which are held here.
void reload(SessionContext& c, const DebugParts& parts) {
  ReloadOptions options;
  if (!parse_reload(c, options)) return;
  const auto waiter = c.block_externally(0, [] { return std::string(kCannotReload); });
  if (waiter == nullptr) return c.reply.error("ERR DEBUG RELOAD is no part of a transaction.");
  Engine& engine = c.executor.engine();
  const auto finish = [&engine, waiter](std::string reply) {
    engine.pauses.end(PauseReason::kDebug);
    waiter->end_with(std::move(reply));
  };
  const auto load = [&engine, &file_load = parts.file_load, former = options.former, finish] {
    const Result<void> loaded = file_load.reload(!engine.gate.is(Gate::kReplica), former);
    log_warning("DEBUG RELOAD: {}", loaded ? "the file was read" : loaded.error().text);
    finish(loaded ? "+OK\r\n" : std::string(kCannotReload));
  };
  engine.pauses.begin(PauseReason::kDebug, PauseKind::kAll);
  if (!options.saves) return parts.persistence.in_background(load);
  parts.persistence.save_for(
      [load, finish](const Result<void>& saved) { saved ? load() : finish("-ERR\r\n"); });
}

template <Gate::Condition condition, bool when>
void set_condition(SessionContext& c, const DebugParts& /*parts*/) {
  c.executor.engine().gate.set(condition, is_on(c.args[2]) == when);
  c.reply.ok();
}

// As it was asked for: a test's own error, which no statistic counts.
void error(SessionContext& c, const DebugParts& /*parts*/) {
  std::string line = "-" + std::string(c.args[2]) + "\r\n";
  std::replace_if(
      line.begin(), line.end() - 2, [](char ch) { return ch == '\r' || ch == '\n'; }, ' ');
  c.reply.raw(line);
}

void log(SessionContext& c, const DebugParts& /*parts*/) {
  log_warning("DEBUG LOG: {}", c.args[2]);
  c.reply.ok();
}

// For tools that look for leaks.
void leak(SessionContext& c, const DebugParts& /*parts*/) {
  [[maybe_unused]] std::string* volatile lost = new std::string(c.args[2]);
  c.reply.ok();
}

void panic(SessionContext& /*c*/, const DebugParts& /*parts*/) {
  CHECK(false, "a client asked for it (DEBUG PANIC)");
}

void segfault(SessionContext& /*c*/, const DebugParts& /*parts*/) { std::raise(SIGSEGV); }

// Strings by the names "key:0", "key:1" ...; what is there already stays. Redis does not tell its
// replicas, which lack them from then on; here they get them.
void populate(SessionContext& c, const DebugParts& /*parts*/) {
  const auto count = parse_int64(c.args[2]);
  const auto size = c.args.size() > 4 ? parse_int64(c.args[4]) : 0;
  constexpr int64_t kSizeMax = 512 * 1024 * 1024;
  if (!count || !size || *count < 0 || *size < 0 || *size > kSizeMax) {
    return c.reply.error("ERR value is out of range, must be positive");
  }
  const Bytes prefix = c.args.size() > 3 ? c.args[3] : "key";
  for (int64_t n = 0; n < *count; ++n) {
    const std::string key = fmt::format("{}:{}", prefix, n);
    if (c.keys.peek(key) != nullptr) continue;
    std::string value = fmt::format("value:{}", n);
    if (*size > 0) value.resize(static_cast<size_t>(*size));
    c.keys.set_text(event::kSet, key, value, kNoExpiry, {"SET", key, value});
  }
  c.reply.ok();
}

// A large element of a list has a node of its own here by what it takes; there is no threshold for
// that. The answer is Redis's.
void packed_threshold(SessionContext& c, const DebugParts& /*parts*/) {
  constexpr uint64_t kMax = uint64_t{1} << 32;
  const auto size = parse_memory(c.args[2]);
  if (!size || *size > kMax) {
    return c.reply.error("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  c.reply.ok();
}

// A client's reply buffer is given back when it was large and is not needed (base/kept_buffer.h);
// nothing of that is to be set. The answer is Redis's.
void reply_buffer(SessionContext& c, const DebugParts& /*parts*/) {
  if (equal_ignore_case(c.args[2], "resizing")) return c.reply.ok();
  if (!equal_ignore_case(c.args[2], "peak-reset-time")) {
    return reply_subcommand_syntax(c, "debug");
  }
  const Bytes time = c.args[3];
  const bool is_word = equal_ignore_case(time, "never") || equal_ignore_case(time, "reset");
  is_word || parse_int64(time) ? c.reply.ok() : c.reply.error(kNotInteger);
}

// Tables grow and shrink by single buckets with the write that calls for it: there is nothing to
// put off.
void table_resizing(SessionContext& c, const DebugParts& /*parts*/) { c.reply.ok(); }

void match_glob(SessionContext& c, const DebugParts& /*parts*/) {
  const auto length = parse_int64(c.args[2]);
  constexpr int64_t kMax = 1024 * 1024;
  if (!length || *length < 0 || *length > kMax) return c.reply.error(kNotInteger);
  const std::string text(static_cast<size_t>(*length), 'a');
  c.reply.integer(glob_match(c.args[3], text) ? 1 : 0);
}

// What redis-server did in its first days: the memory, for people, in the log.
void memory_map(SessionContext& c, const DebugParts& /*parts*/) {
  Keyspace& keyspace = c.executor.engine().keyspace;
  for (int index = 0; index < keyspace.database_count(); ++index) {
    DatabaseTables* tables = keyspace.tables(index);
    if (tables == nullptr || tables->keys() == 0) continue;
    size_t bytes = 0;
    for (int i = 0; i < kPartitions; ++i) bytes += tables->partition(i).memory_bytes();
    log_notice("DEBUG JMAP: database {}: {} keys, {} bytes of tables", index, tables->keys(),
               bytes);
  }
  c.reply.ok();
}

void change_replication_id(SessionContext& c, const DebugParts& parts) {
  if (parts.replication.is_replica()) {
    return c.reply.error("ERR The replication id of a replica is its primary's.");
  }
  log_warning("Changing the replication id: a client asked for it (DEBUG CHANGE-REPL-ID)");
  parts.replication.begin_another_history(c.keys.all_stripes());
  c.reply.ok();
}

// What replicas get, and this server does not execute.
void replicate(SessionContext& c, const DebugParts& parts) {
  if (parts.replication.is_replica()) {
    return c.reply.error("ERR What a replica sends on is its primary's.");
  }
  c.replicate(c.args.subspan(2));
  c.reply.ok();
}

void rewrite_all(SessionContext& c, const DebugParts& parts) {
  const Result<void> written = parts.config.rewrite(Config::Rewrite::kAll);
  if (written) return c.reply.ok();
  const std::string& text = written.error().text;
  c.reply.error("ERR CONFIG-REWRITE-FORCE-ALL failed: " + text.substr(text.find(' ') + 1));
}

constexpr Bytes kHelp[] = {
    "CHANGE-REPL-ID",
    "    Change the replication IDs of the instance.",
    "    Dangerous: should be used only for testing the replication subsystem.",
    "CONFIG-REWRITE-FORCE-ALL",
    "    Like CONFIG REWRITE but writes all configuration options, including",
    "    keywords not listed in original configuration file or default values.",
    "DIGEST",
    "    Output a hex signature representing the current DB content.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    Output a hex signature of the values of all the specified keys.",
    "ERROR <string>",
    "    Return a Redis protocol error with <string> as message. Useful for clients",
    "    unit tests to simulate Redis errors.",
    "LEAK <string>",
    "    Create a memory leak of the input string.",
    "LOG <message>",
    "    Write <message> to the server log.",
    "HTSTATS <dbid>",
    "    Return hash table statistics of the specified Redis database.",
    "REPLICATE <string>",
    "    Replicates the provided string to replicas, allowing data divergence.",
    "OBJECT <key>",
    "    Show low level info about `key` and associated value.",
    "PANIC",
    "    Crash the server simulating a panic.",
    "POPULATE <count> [<prefix>] [<size>]",
    "    Create <count> string keys named key:<num>. If <prefix> is specified then",
    "    it is used instead of the 'key' prefix.",
    "PROTOCOL <type>",
    "    Reply with a test value of the specified type. <type> can be: string,",
    "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "RELOAD [option ...]",
    "    Save the RDB on disk and reload it back to memory. Valid <option> values:",
    "    * MERGE: conflicting keys will be loaded from RDB.",
    "    * NOFLUSH: the existing database will not be removed before load, but",
    "      conflicting keys will generate an exception and kill the server.",
    "    * NOSAVE: the database will be loaded from an existing RDB file.",
    "    Examples:",
    "    * DEBUG RELOAD: verify that the server is able to persist, flush and reload",
    "      the database.",
    "    * DEBUG RELOAD NOSAVE: replace the current database with the contents of an",
    "      existing RDB file.",
    "    * DEBUG RELOAD NOSAVE NOFLUSH MERGE: add the contents of an existing RDB",
    "      file to the database.",
    "SDSLEN <key>",
    "    Show low level SDS string info representing `key` and value.",
    "SEGFAULT",
    "    Crash the server with sigsegv.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
    "    default.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Sets the threshold for elements to be inserted as plain vs packed nodes",
    "    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.",
    "SLEEP <seconds>",
    "    Stop the server for <seconds>. Decimals allowed.",
    "LISTPACK <key>",
    "    Show low level info about the listpack encoding of <key>.",
    "QUICKLIST <key> [<0|1>]",
    "    Show low level info about the quicklist encoding of <key>.",
    "    The optional argument (0 by default) sets the level of detail",
    "PAUSE-CRON <0|1>",
    "    Stop periodic cron job processing.",
    "REPLYBUFFER PEAK-RESET-TIME <NEVER||RESET|time>",
    "    Sets the time (in milliseconds) to wait between client reply buffer peak resets.",
    "    In case NEVER is provided the last observed peak will never be reset",
    "    In case RESET is provided the peak reset time will be restored to the default value",
    "REPLYBUFFER RESIZING <0|1>",
    "    Enable or disable the reply buffer resize cron job",
};

void help(SessionContext& c, const DebugParts& /*parts*/) { reply_help(c, "debug", kHelp); }

constexpr DebugSubcommand kSubcommands[] = {
    {"help", 2, 2, help},
    {"sleep", 3, 3, stand_still},
    {"reload", 2, kAnyWords, reload},
    {"populate", 3, 5, populate},
    {"protocol", 3, 3, debug_protocol},
    {"set-active-expire", 3, 3, set_condition<Gate::kActiveExpireOff, false>},
    {"pause-cron", 3, 3, set_condition<Gate::kPeriodicWorkOff, true>},
    {"set-disable-deny-scripts", 3, 3, set_condition<Gate::kScriptsMayAll, true>},
    {"error", 3, 3, error},
    {"log", 3, 3, log},
    {"leak", 3, 3, leak},
    {"panic", 2, 2, panic},
    {"segfault", 2, 2, segfault},
    {"change-repl-id", 2, 2, change_replication_id},
    {"replicate", 3, kAnyWords, replicate},
    {"config-rewrite-force-all", 2, 2, rewrite_all},
    {"quicklist-packed-threshold", 3, 3, packed_threshold},
    {"replybuffer", 4, 4, reply_buffer},
    {"dict-resizing", 3, 3, table_resizing},
    {"stringmatch-len", 4, 4, match_glob},
    {"jmap", 2, 2, memory_map},
};

const DebugSubcommand* find(std::span<const DebugSubcommand> subcommands,
                            std::span<const Bytes> args) {
  const auto found = std::ranges::find_if(subcommands, [args](const DebugSubcommand& one) {
    return equal_ignore_case(args[1], one.name) && args.size() >= one.words_min &&
           args.size() <= one.words_max;
  });
  return found == subcommands.end() ? nullptr : &*found;
}

void debug(SessionContext& c, const DebugParts& parts) {
  if (!allowed(c, parts.options)) return c.reply.error(kNotAllowed);
  const DebugSubcommand* known = find(kSubcommands, c.args);
  if (known == nullptr) known = find(debug_value_subcommands(), c.args);
  known != nullptr ? known->run(c, parts) : reply_subcommand_syntax(c, "debug");
}

}  // namespace

std::vector<CommandRow> debug_rows(const DebugParts& parts) {
  return {{.name = "debug",
           .arity = -2,
           .flags = kAdmin | kNoScript | kLoading | kStale,
           .scope = LockScope::kEverything,
           .session_handler = [parts](SessionContext& c) { debug(c, parts); },
           .group = "server",
           .since = "1.0.0",
           .internal = true,
           .complexity = "Depends on the subcommand",
           .summary = "For tests and for people who look inside."}};
}

}  // namespace tandem
