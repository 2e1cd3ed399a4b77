#include "engine/admission.h"

#include <fmt/core.h>

namespace tandem {
namespace {

constexpr Bytes kBusyScriptText =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr Bytes kBusyFunctionText =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
constexpr Bytes kNoAuthentication = "NOAUTH Authentication required.";
constexpr Bytes kMemory = "OOM command not allowed when used memory > 'maxmemory'.";
constexpr Bytes kDisk =
    "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
    "disk. "
    "Commands that may modify the data set are disabled, because this instance is configured to "
    "report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). "
    "Please check the Redis logs for details about the RDB error.";
constexpr Bytes kReplicas = "NOREPLICAS Not enough good replicas to write.";
constexpr Bytes kReadOnlyText = "READONLY You can't write against a read only replica.";
constexpr Bytes kMasterDown =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
constexpr Bytes kLoadingText = "LOADING Redis is loading the dataset in memory";

// To Redis a monitor is a replica.
constexpr Bytes kMonitorAsks = "ERR Replica can't interact with the keyspace";

constexpr Bytes kNoStreamCommand = "ERR This command is no part of a replication stream.";

}  // namespace

Bytes busy_text(uint32_t bits) {
  return (bits & Gate::kBusyFunction) != 0 ? kBusyFunctionText : kBusyScriptText;
}

void take_rights(ClientState& client, uint64_t word) {
  const uint64_t version = Gate::rights_version(word);
  if (Gate::rights_version(client.standing) == version) return;
  client.standing = version | static_cast<uint32_t>(client.standing);
  client.rights = client.account == nullptr ? nullptr : client.account->rights();
  const bool limited =
      client.account != nullptr && (client.rights == nullptr || !client.rights->are_unlimited());
  client.set(kLimited, limited);
}

std::optional<Denial> denial(const Command& command, std::span<const Bytes> args,
                             const ClientState& client) {
  if (!client.is(kLimited)) return std::nullopt;
  if (client.rights == nullptr) return Denial{};
  return client.rights->denial(command, args);
}

std::string denial_text(const Denial& denial, const Command& command, Bytes user) {
  switch (denial.reason) {
    case DenialReason::kCommand:
      return fmt::format("User {} has no permissions to run the '{}' command", user,
                         command.full_name);
    case DenialReason::kKey:
      return "No permissions to access a key";
    case DenialReason::kChannel:
      return "No permissions to access a channel";
  }
}

uint32_t effective_flags(const Command& command, const ClientState& client,
                         std::span<const Bytes> args) {
  if (command.row.flags_of != nullptr) [[unlikely]]
    return command.row.flags_of(args);
  const uint32_t flags = command.row.flags;
  if ((flags & kRunsQueue) == 0) [[likely]]
    return flags;
  constexpr uint32_t kOneIsEnough =
      kWrite | kMayReplicate | kDenyOom | kNoAsyncLoading | kNamesChannels;
  constexpr uint32_t kAllMust = kLoading | kStale;
  return (flags | (client.queued_any & kOneIsEnough)) & (client.queued_all | ~kAllMust);
}

std::optional<std::string> refusal(const Command& command, uint32_t flags,
                                   const ClientState& client, uint32_t bits) {
  if (client.kind == ClientKind::kLink) {
    if (allowed_in_stream(command)) return std::nullopt;
    return std::string(kNoStreamCommand);
  }
  const bool subscribed_only = client.is(kSubscribed) && client.protocol == 2;
  if (bits == 0 && !subscribed_only) [[likely]]
    return std::nullopt;

  if (locked_out(client, bits) && (flags & kNoAuth) == 0) return std::string(kNoAuthentication);
  const auto when = [&](Gate::Condition condition) { return (bits & condition) != 0; };
  if (when(Gate::kOutOfMemory)) {
    // A queue takes memory, too.
    const bool is_queued = client.in_transaction && !command.has(kEndsTransaction);
    if (is_queued || (flags & kDenyOom) != 0) return std::string(kMemory);
  }
  const bool writes = (flags & kWrite) != 0;
  if (when(Gate::kDiskError) && (writes || command.has(kReportsDiskError)))
    return std::string(kDisk);
  if (when(Gate::kTooFewReplicas) && writes) return std::string(kReplicas);
  if (when(Gate::kReadOnlyReplica) && writes) return std::string(kReadOnlyText);
  if (subscribed_only && !command.has(kWhileSubscribed)) {
    return fmt::format(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are "
        "allowed in this context",
        command.full_name);
  }
  if (Gate::refuses_stale(bits) && (flags & kStale) == 0) return std::string(kMasterDown);
  if (when(Gate::kDatasetLoading) && (flags & kLoading) == 0) return std::string(kLoadingText);
  // The script holds every key, so whoever asked for one (WATCH) would wait for it, not be
  // answered.
  const bool answered = (flags & kAllowBusy) != 0 && command.row.keys.empty();
  if (when(Gate::kBusyScript) && !answered && client.kind != ClientKind::kScript) {
    return std::string(busy_text(bits));
  }
  if (client.is(kMonitors) && (flags & kMeetsKeys) != 0) return std::string(kMonitorAsks);
  return std::nullopt;
}

bool is_held_back(uint32_t flags, const ClientState& client, uint32_t bits) {
  if ((bits & (Gate::kPausedAll | Gate::kPausedWrites)) == 0) [[likely]]
    return false;
  if (client.kind == ClientKind::kScript) return false;  // its caller was let in
  if ((bits & Gate::kPausedAll) != 0) return true;
  return (flags & (kWrite | kMayReplicate)) != 0;
}

}  // namespace tandem
