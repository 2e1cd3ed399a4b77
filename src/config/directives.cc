#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "config/config_value.h"
#include "config/directive.h"
#include "config/title_template.h"

namespace tandem {
namespace {

// The plus turns the lambda into the pointer whose type tells the binding's alternative.
#define FIELD(path) +[](Options& options) -> auto& { return options.path; }
// An enum of any type, by its number.
#define ENUM(path)                                                         \
  BindEnum {                                                               \
    [](Options& options) { return static_cast<int>(options.path.get()); }, \
        [](Options& options, int number) {                                 \
          using Value = decltype(options.path.get());                      \
          options.path.set(static_cast<Value>(number));                    \
        }                                                                  \
  }

constexpr int64_t kIntMin = std::numeric_limits<int32_t>::min();
constexpr int64_t kIntMax = std::numeric_limits<int32_t>::max();
constexpr int64_t kLongMax = std::numeric_limits<int64_t>::max();
constexpr uint64_t kMemoryMax = std::numeric_limits<uint64_t>::max();
constexpr int64_t kMega = 1024 * 1024;
constexpr int64_t kPortMax = 65535;

constexpr EnumValue kLogLevels[] = {{"debug", static_cast<int>(LogLevel::kDebug)},
                                    {"verbose", static_cast<int>(LogLevel::kVerbose)},
                                    {"notice", static_cast<int>(LogLevel::kNotice)},
                                    {"warning", static_cast<int>(LogLevel::kWarning)}};
constexpr EnumValue kSupervised[] = {{"upstart", static_cast<int>(Supervisor::kUpstart)},
                                     {"systemd", static_cast<int>(Supervisor::kSystemd)},
                                     {"auto", static_cast<int>(Supervisor::kAuto)},
                                     {"no", static_cast<int>(Supervisor::kNone)}};
constexpr EnumValue kSyslogFacilities[] = {{"user", 0},   {"local0", 1}, {"local1", 2},
                                           {"local2", 3}, {"local3", 4}, {"local4", 5},
                                           {"local5", 6}, {"local6", 7}, {"local7", 8}};
constexpr EnumValue kDisklessLoad[] = {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}};
constexpr EnumValue kMemoryPolicies[] = {
    {"volatile-lru", static_cast<int>(MemoryPolicy::kVolatileLru)},
    {"volatile-lfu", static_cast<int>(MemoryPolicy::kVolatileLfu)},
    {"volatile-random", static_cast<int>(MemoryPolicy::kVolatileRandom)},
    {"volatile-ttl", static_cast<int>(MemoryPolicy::kVolatileTtl)},
    {"allkeys-lru", static_cast<int>(MemoryPolicy::kAllKeysLru)},
    {"allkeys-lfu", static_cast<int>(MemoryPolicy::kAllKeysLfu)},
    {"allkeys-random", static_cast<int>(MemoryPolicy::kAllKeysRandom)},
    {"noeviction", static_cast<int>(MemoryPolicy::kNoEviction)}};
constexpr EnumValue kAppendSync[] = {{"everysec", 0}, {"always", 1}, {"no", 2}};
constexpr EnumValue kOomScoreModes[] = {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}};
constexpr EnumValue kAclPubsub[] = {{"allchannels", 1}, {"resetchannels", 0}};
constexpr EnumValue kSanitize[] = {{"no", 0}, {"yes", 1}, {"clients", 2}};
constexpr EnumValue kAccess[] = {
    {"no", kAccessNobody}, {"yes", kAccessAll}, {"local", kAccessLocal}};
constexpr EnumValue kEndpointTypes[] = {{"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}};
constexpr EnumValue kPropagationErrors[] = {{"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}};
constexpr EnumValue kTlsClients[] = {{"no", 0}, {"yes", 1}, {"optional", 2}};
constexpr EnumValue kShutdown[] = {{"default", kShutdownDefault},
                                   {"save", kShutdownSave},
                                   {"nosave", kShutdownNoSave},
                                   {"now", kShutdownNow},
                                   {"force", kShutdownForce}};

constexpr EnumKind kShutdownKind{
    .values = kShutdown, .combine = true, .objection = [](int64_t bits) {
      constexpr int64_t kBoth = kShutdownSave | kShutdownNoSave;
      return std::string_view((bits & kBoth) == kBoth
                                  ? "shutdown options SAVE and NOSAVE can't be used simultaneously"
                                  : "");
    }};
constexpr TextKind kDataFileName{
    [](std::string_view text) { return check_plain_name(text, "dbfilename", "filename"); }};
constexpr TextKind kAppendFileName{
    [](std::string_view text) { return check_plain_name(text, "appendfilename", "filename"); }};
constexpr TextKind kAppendFolderName{
    [](std::string_view text) { return check_plain_name(text, "appenddirname", "dirname"); }};

// Why a value changes nothing here.
constexpr std::string_view kForTests = "it is for tests of Redis itself";
constexpr std::string_view kTimers = "timers run when they are due, not at a rate";
constexpr std::string_view kNoTls = "there is no TLS, connections would be in the clear";
constexpr std::string_view kNoModules = "there are no modules";
constexpr std::string_view kNoSyslog = "lines go to logfile or the standard output only";
constexpr std::string_view kNoScores = "the kernel's choice of what to end is left alone";
constexpr std::string_view kNoPinning = "threads are not bound to processors";
constexpr std::string_view kNoAppendFile = "there is no append-only file";
constexpr std::string_view kNoCluster = "there is no cluster";
constexpr std::string_view kFreedBehind = "what is large is freed in the background in any case";
constexpr std::string_view kNoDefragmenter = "memory is not defragmented";

#define REPL(member) FIELD(replication.member)
#define NET(member) FIELD(server.network.member)

const auto& network_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"bind", "", SpecialKind{}, kBindAddresses, kMultiWord, Part::kBind},
      {"port", "", IntegerKind{0, kPortMax}, NET(port), 0, Part::kPort},
      {"tcp-backlog", "", IntegerKind{}, NET(tcp_backlog), kImmutable},
      {"unixsocket", "", TextKind{}, NET(unix_socket), kImmutable},
      {"unixsocketperm", "", OctalKind{0777}, NET(unix_socket_permissions), kImmutable},
      {"timeout", "", IntegerKind{}, NET(idle_timeout_seconds)},
      {"tcp-keepalive", "", IntegerKind{}, NET(tcp_keepalive_seconds)},
      {"protected-mode", "", BoolKind{}, NET(protected_mode)},
      {"maxclients", "", IntegerKind{1, std::numeric_limits<uint32_t>::max()}, NET(clients_max), 0,
       Part::kClientsMax},
      {"client-query-buffer-limit", "", MemoryKind{kMega}, NET(query_buffer_bytes_max)},
      {"proto-max-bulk-len", "", MemoryKind{kMega}, NET(bulk_bytes_max), 0, Part::kEncodings},
      {"client-output-buffer-limit", "", SpecialKind{}, kBindOutputLimits, kMultiWord,
       Part::kOutputLimits},
      {"requirepass", "", TextKind{}, NET(password), kSecret, Part::kPassword},
      {"bind-source-addr", "", TextKind{}, REPL(source_address)},
      {"socket-mark-id", "", IntegerKind{0, std::numeric_limits<uint32_t>::max()},
       Accepted{"0", "sockets are not marked"}, kImmutable},
      {"io-threads", "", IntegerKind{1, 128}, Accepted{"1", "clients are served by worker-threads"},
       kImmutable},
      {"io-threads-do-reads", "", BoolKind{},
       Accepted{"no", "each worker thread reads and writes for its own clients"}, kImmutable},
      {"maxmemory-clients", "", SpecialKind{}, kBindClientsMemory, 0, Part::kClientsMemory,
       "At least 128kb. A share, as 5%, is one of maxmemory, and without that no limit."},
      {"tracking-table-max-keys", "", IntegerKind{0, kLongMax}, NET(tracking_keys_max), 0,
       Part::kTrackingTable},
      {"tls-port", "", IntegerKind{0, kPortMax}, refused("0", kNoTls)},
      {"tls-session-cache-size", "", IntegerKind{}, refused("20480", kNoTls)},
      {"tls-session-cache-timeout", "", IntegerKind{}, refused("300", kNoTls)},
      {"tls-cluster", "", BoolKind{}, refused("no", kNoTls)},
      {"tls-replication", "", BoolKind{}, refused("no", kNoTls)},
      {"tls-auth-clients", "", EnumKind{kTlsClients}, refused("yes", kNoTls)},
      {"tls-prefer-server-ciphers", "", BoolKind{}, refused("no", kNoTls)},
      {"tls-session-caching", "", BoolKind{}, refused("yes", kNoTls)},
      {"tls-cert-file", "", TextKind{}, refused("", kNoTls)},
      {"tls-key-file", "", TextKind{}, refused("", kNoTls)},
      {"tls-key-file-pass", "", TextKind{}, refused("", kNoTls), kSecret},
      {"tls-client-cert-file", "", TextKind{}, refused("", kNoTls)},
      {"tls-client-key-file", "", TextKind{}, refused("", kNoTls)},
      {"tls-client-key-file-pass", "", TextKind{}, refused("", kNoTls), kSecret},
      {"tls-dh-params-file", "", TextKind{}, refused("", kNoTls)},
      {"tls-ca-cert-file", "", TextKind{}, refused("", kNoTls)},
      {"tls-ca-cert-dir", "", TextKind{}, refused("", kNoTls)},
      {"tls-protocols", "", TextKind{}, refused("", kNoTls)},
      {"tls-ciphers", "", TextKind{}, refused("", kNoTls)},
      {"tls-ciphersuites", "", TextKind{}, refused("", kNoTls)},
  });
  return kTable;
}

const auto& server_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"worker-threads", "", IntegerKind{0, 256}, FIELD(server.worker_threads), kImmutable,
       Part::kNone,
       "Tandem's own. How many threads serve clients; 0: as many as there are processors."},
      {"databases", "", IntegerKind{1, kIntMax}, FIELD(server.databases), kImmutable},
      {"hz", "", SpecialKind{}, kBindHz, 0, Part::kNone,
       "Shown by INFO. Timers run when they are due, not at a rate."},
      {"dynamic-hz", "", BoolKind{}, Accepted{"yes", kTimers}},
      {"slowlog-log-slower-than", "", IntegerKind{-1, kLongMax},
       FIELD(server.slow_log_slower_than_us), 0, Part::kSlowCommands},
      {"slowlog-max-len", "", IntegerKind{0, kLongMax}, FIELD(server.slow_log_entries_max)},
      {"busy-reply-threshold", "lua-time-limit", IntegerKind{0, kLongMax},
       FIELD(server.script_time_limit_ms)},
      {"shutdown-on-sigint", "", kShutdownKind, ENUM(server.shutdown_on_sigint), kMultiWord},
      {"shutdown-on-sigterm", "", kShutdownKind, ENUM(server.shutdown_on_sigterm), kMultiWord},
      {"shutdown-timeout", "", IntegerKind{}, FIELD(server.shutdown_timeout_seconds)},
      {"enable-debug-command", "", EnumKind{kAccess}, ENUM(server.debug_command_access),
       kImmutable},
      {"enable-module-command", "", EnumKind{kAccess}, Accepted{"no", kNoModules}, kImmutable},
      {"enable-protected-configs", "", EnumKind{kAccess}, ENUM(server.protected_config_access),
       kImmutable},
      {"lua-enable-deprecated-api", "", BoolKind{},
       Accepted{"no", "scripts never had the deprecated calls"}, kImmutable | kHidden},
      {"locale-collate", "", TextKind{}, Accepted{"", "text is compared byte by byte"}},
      {"latency-monitor-threshold", "", IntegerKind{0, kLongMax}, FIELD(server.latency_monitor_ms),
       0, Part::kSlowCommands},
      {"latency-tracking", "", BoolKind{}, FIELD(server.latency_tracking), 0,
       Part::kLatencyTracking},
      {"latency-tracking-info-percentiles", "", SpecialKind{}, kBindPercentiles, kMultiWord},
      {"notify-keyspace-events", "", SpecialKind{}, kBindKeyEvents, 0, Part::kKeyEvents},
      {"aclfile", "", TextKind{}, FIELD(server.acl_file), kImmutable},
      {"acllog-max-len", "", IntegerKind{0, kLongMax}, FIELD(server.acl_log_entries_max)},
      {"acl-pubsub-default", "", EnumKind{kAclPubsub}, ENUM(server.all_channels_by_default)},
  });
  return kTable;
}

const auto& process_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"daemonize", "", BoolKind{}, FIELD(server.daemonize), kImmutable, Part::kNone,
       "The process that was started ends with status 0 once the server is in the background."},
      {"pidfile", "", TextKind{}, FIELD(server.pid_file), kImmutable},
      {"logfile", "", TextKind{}, FIELD(server.log_file), kImmutable},
      {"loglevel", "", EnumKind{kLogLevels}, ENUM(server.log_level), 0, Part::kLogLevel},
      {"supervised", "", EnumKind{kSupervised}, ENUM(server.supervised), kImmutable},
      {"always-show-logo", "", BoolKind{}, Accepted{"no", "there is no logo"}, kImmutable},
      {"set-proc-title", "", BoolKind{}, FIELD(server.set_title), kImmutable},
      {"proc-title-template", "", TextKind{check_title_template}, FIELD(server.title_template), 0,
       Part::kTitle},
      {"syslog-enabled", "", BoolKind{}, Accepted{"no", kNoSyslog}, kImmutable},
      {"syslog-ident", "", TextKind{}, Accepted{"redis", kNoSyslog}, kImmutable},
      {"syslog-facility", "", EnumKind{kSyslogFacilities}, Accepted{"local0", kNoSyslog},
       kImmutable},
      {"crash-log-enabled", "", BoolKind{}, FIELD(server.crash_log), 0, Part::kCrashLog,
       "A fatal signal logs where it struck and the last commands, and then ends the server as "
       "ever."},
      {"crash-memcheck-enabled", "", BoolKind{},
       Accepted{"yes", "memory is not tested after a crash"}},
      {"use-exit-on-panic", "", BoolKind{}, Accepted{"no", kForTests}, kHidden},
      {"disable-thp", "", BoolKind{},
       Accepted{"yes", "the system's setting of huge pages is left alone"}, kImmutable},
      {"oom-score-adj", "", EnumKind{kOomScoreModes}, Accepted{"no", kNoScores}},
      {"oom-score-adj-values", "", CheckedKind{normalize_oom_scores},
       Accepted{"0 200 800", kNoScores}, kMultiWord},
      {"server-cpulist", "server_cpulist", TextKind{}, Accepted{"", kNoPinning}, kImmutable},
      {"bio-cpulist", "bio_cpulist", TextKind{}, Accepted{"", kNoPinning}, kImmutable},
      {"aof-rewrite-cpulist", "aof_rewrite_cpulist", TextKind{}, Accepted{"", kNoPinning},
       kImmutable},
      {"bgsave-cpulist", "bgsave_cpulist", TextKind{}, Accepted{"", kNoPinning}, kImmutable},
      {"ignore-warnings", "", TextKind{}, Accepted{"", "there are no such warnings at start"}},
      {"debug-context", "", TextKind{}, Accepted{"", kForTests}, kHidden},
      {"watchdog-period", "", IntegerKind{}, Accepted{"0", "there is no watchdog"}, kHidden},
  });
  return kTable;
}

const auto& persistence_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"save", "", SpecialKind{}, kBindSavePoints, kMultiWord | kAddsUp, Part::kSaving},
      {"dir", "", SpecialKind{}, kBindFolder, kProtected},
      {"dbfilename", "", kDataFileName, FIELD(server.persistence.file_name), kProtected},
      {"rdbcompression", "", BoolKind{}, FIELD(server.persistence.compression), 0,
       Part::kCompression},
      {"rdbchecksum", "", BoolKind{}, FIELD(server.persistence.checksum), kImmutable},
      {"stop-writes-on-bgsave-error", "", BoolKind{},
       FIELD(server.persistence.stop_writes_on_error), 0, Part::kSaving},
      {"rdb-del-sync-files", "", BoolKind{}, Accepted{"no", "a full sync leaves no file"}},
      {"rdb-save-incremental-fsync", "", BoolKind{},
       Accepted{"yes", "a snapshot is synced to disk piece by piece in any case"}},
      {"rdb-key-save-delay", "", IntegerKind{kIntMin, kIntMax}, Accepted{"0", kForTests}, kHidden},
      {"key-load-delay", "", IntegerKind{kIntMin, kIntMax}, Accepted{"0", kForTests}, kHidden},
      {"loading-process-events-interval-bytes", "", IntegerKind{1024, kIntMax},
       Accepted{"2097152", "clients are answered all the time while data is loaded"}, kHidden},
      {"sanitize-dump-payload", "", EnumKind{kSanitize},
       Accepted{"no", "all data that comes in is checked in any case"}},
      {"appendonly", "", BoolKind{}, refused("no", kNoAppendFile)},
      {"appendfilename", "", kAppendFileName, Accepted{"appendonly.aof", kNoAppendFile},
       kImmutable},
      {"appenddirname", "", kAppendFolderName, Accepted{"appendonlydir", kNoAppendFile},
       kImmutable},
      {"appendfsync", "", EnumKind{kAppendSync}, Accepted{"everysec", kNoAppendFile}},
      {"no-appendfsync-on-rewrite", "", BoolKind{}, Accepted{"no", kNoAppendFile}},
      {"auto-aof-rewrite-percentage", "", IntegerKind{}, Accepted{"100", kNoAppendFile}},
      {"auto-aof-rewrite-min-size", "", MemoryKind{}, Accepted{"67108864", kNoAppendFile}},
      {"aof-load-truncated", "", BoolKind{}, Accepted{"yes", kNoAppendFile}},
      {"aof-use-rdb-preamble", "", BoolKind{}, Accepted{"yes", kNoAppendFile}},
      {"aof-timestamp-enabled", "", BoolKind{}, Accepted{"no", kNoAppendFile}},
      {"aof-rewrite-incremental-fsync", "", BoolKind{}, Accepted{"yes", kNoAppendFile}},
      {"aof-disable-auto-gc", "", BoolKind{}, Accepted{"no", kNoAppendFile}, kHidden},
  });
  return kTable;
}

const auto& replication_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"replicaof", "slaveof", SpecialKind{}, kBindPrimary, kImmutable | kMultiWord},
      {"masteruser", "", TextKind{}, REPL(primary_user), kSecret},
      {"masterauth", "", TextKind{}, REPL(primary_password), kSecret},
      {"replica-serve-stale-data", "slave-serve-stale-data", BoolKind{},
       REPL(replica_serve_stale_data), 0, Part::kReplication},
      {"replica-read-only", "slave-read-only", BoolKind{}, REPL(replica_read_only), 0,
       Part::kReplication},
      {"replica-priority", "slave-priority", IntegerKind{}, REPL(replica_priority)},
      {"replica-announced", "", BoolKind{}, REPL(replica_announced)},
      {"replica-announce-ip", "slave-announce-ip", TextKind{}, REPL(replica_announce_ip)},
      {"replica-announce-port", "slave-announce-port", IntegerKind{0, kPortMax},
       REPL(replica_announce_port)},
      {"repl-diskless-sync-delay", "", IntegerKind{}, REPL(diskless_sync_delay_seconds)},
      {"repl-diskless-sync-max-replicas", "", IntegerKind{}, REPL(diskless_sync_max_replicas)},
      {"repl-ping-replica-period", "repl-ping-slave-period", IntegerKind{1, kIntMax},
       REPL(ping_replica_period_seconds)},
      {"repl-timeout", "", IntegerKind{1, kIntMax}, REPL(timeout_seconds)},
      {"repl-disable-tcp-nodelay", "", BoolKind{}, REPL(disable_tcp_nodelay)},
      {"repl-backlog-size", "", MemoryKind{1}, REPL(backlog_bytes), 0, Part::kBacklog},
      {"repl-backlog-ttl", "", IntegerKind{0, kLongMax}, REPL(backlog_ttl_seconds)},
      {"repl-backlog-time", "", IntegerKind{0, kIntMax}, REPL(backlog_time_seconds), 0,
       Part::kReplication,
       "Tandem's own. For how many seconds the log keeps what was written, whatever its size; 0: "
       "only repl-backlog-size counts."},
      {"replica-apply-threads", "", IntegerKind{0, ReplicationOptions::kApplyThreadsMax},
       REPL(apply_threads), 0, Part::kApplyThreads,
       "Tandem's own. How many threads apply the primary's stream; 0: as many as there are "
       "processors, up to four."},
      {"repl-rdb-version", "", IntegerKind{9, 11}, REPL(rdb_version), 0, Part::kNone,
       "Tandem's own. The RDB version that a replica gets which does not say what it reads."},
      {"min-replicas-to-write", "min-slaves-to-write", IntegerKind{}, REPL(min_replicas_to_write),
       0, Part::kReplication},
      {"min-replicas-max-lag", "min-slaves-max-lag", IntegerKind{},
       REPL(min_replicas_max_lag_seconds), 0, Part::kReplication},
      {"repl-diskless-sync", "", BoolKind{},
       Accepted{"yes", "a full sync goes to the sockets directly in any case"}},
      {"repl-diskless-load", "", EnumKind{kDisklessLoad},
       Accepted{"disabled",
                "a snapshot is loaded from the socket, beside the old data, in any case"}},
      {"replica-lazy-flush", "slave-lazy-flush", BoolKind{},
       Accepted{"no", "old data is freed in the background in any case"}},
      {"replica-ignore-maxmemory", "slave-ignore-maxmemory", BoolKind{},
       FIELD(memory.replica_ignores), 0, Part::kMemory},
      {"replica-ignore-disk-write-errors", "", BoolKind{},
       Accepted{"no", "a replica follows its primary also after a failed save"}},
      {"propagation-error-behavior", "", EnumKind{kPropagationErrors},
       ENUM(replication.panic_on_stream_error)},
  });
  return kTable;
}

const auto& cluster_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"cluster-enabled", "", BoolKind{}, refused("no", kNoCluster), kImmutable},
      {"cluster-config-file", "", TextKind{}, Accepted{"nodes.conf", kNoCluster}, kImmutable},
      {"cluster-node-timeout", "", IntegerKind{0, kLongMax}, Accepted{"15000", kNoCluster}},
      {"cluster-port", "", IntegerKind{0, kPortMax}, Accepted{"0", kNoCluster}, kImmutable},
      {"cluster-announce-ip", "", TextKind{}, Accepted{"", kNoCluster}},
      {"cluster-announce-hostname", "", TextKind{check_host_name}, Accepted{"", kNoCluster}},
      {"cluster-announce-human-nodename", "", TextKind{}, Accepted{"", kNoCluster}},
      {"cluster-announce-port", "", IntegerKind{0, kPortMax}, Accepted{"0", kNoCluster}},
      {"cluster-announce-bus-port", "", IntegerKind{0, kPortMax}, Accepted{"0", kNoCluster}},
      {"cluster-announce-tls-port", "", IntegerKind{0, kPortMax}, Accepted{"0", kNoCluster}},
      {"cluster-require-full-coverage", "", BoolKind{}, Accepted{"yes", kNoCluster}},
      {"cluster-replica-no-failover", "cluster-slave-no-failover", BoolKind{},
       Accepted{"no", kNoCluster}},
      {"cluster-replica-validity-factor", "cluster-slave-validity-factor", IntegerKind{},
       Accepted{"10", kNoCluster}},
      {"cluster-migration-barrier", "", IntegerKind{}, Accepted{"1", kNoCluster}},
      {"cluster-allow-reads-when-down", "", BoolKind{}, Accepted{"no", kNoCluster}},
      {"cluster-allow-pubsubshard-when-down", "", BoolKind{}, Accepted{"yes", kNoCluster}},
      {"cluster-allow-replica-migration", "", BoolKind{}, Accepted{"yes", kNoCluster}},
      {"cluster-link-sendbuf-limit", "", MemoryKind{0, kMemoryMax}, Accepted{"0", kNoCluster}},
      {"cluster-preferred-endpoint-type", "", EnumKind{kEndpointTypes}, Accepted{"ip", kNoCluster}},
  });
  return kTable;
}

const auto& data_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"hash-max-listpack-entries", "hash-max-ziplist-entries", IntegerKind{0, kLongMax},
       FIELD(encodings.hash_max_listpack_entries), 0, Part::kEncodings},
      {"hash-max-listpack-value", "hash-max-ziplist-value", MemoryKind{},
       FIELD(encodings.hash_max_listpack_value_bytes), 0, Part::kEncodings},
      {"list-max-listpack-size", "list-max-ziplist-size", IntegerKind{kIntMin, kIntMax},
       FIELD(encodings.list_max_listpack_size), 0, Part::kEncodings},
      {"list-compress-depth", "", IntegerKind{}, Accepted{"0", "lists are not compressed"}},
      {"set-max-intset-entries", "", IntegerKind{0, kLongMax},
       FIELD(encodings.set_max_intset_entries), 0, Part::kEncodings},
      {"set-max-listpack-entries", "", IntegerKind{0, kLongMax},
       FIELD(encodings.set_max_listpack_entries), 0, Part::kEncodings},
      {"set-max-listpack-value", "", IntegerKind{0, kLongMax},
       FIELD(encodings.set_max_listpack_value_bytes), 0, Part::kEncodings},
      {"zset-max-listpack-entries", "zset-max-ziplist-entries", IntegerKind{0, kLongMax},
       FIELD(encodings.sorted_set_max_listpack_entries), 0, Part::kEncodings},
      {"zset-max-listpack-value", "zset-max-ziplist-value", MemoryKind{},
       FIELD(encodings.sorted_set_max_listpack_value_bytes), 0, Part::kEncodings},
      {"hll-sparse-max-bytes", "", MemoryKind{}, FIELD(encodings.hyperloglog_sparse_max_bytes), 0,
       Part::kEncodings},
      {"stream-node-max-bytes", "", MemoryKind{}, FIELD(encodings.stream_node_max_bytes), 0,
       Part::kEncodings},
      {"stream-node-max-entries", "", IntegerKind{0, kLongMax},
       FIELD(encodings.stream_node_max_entries), 0, Part::kEncodings},
      {"maxmemory", "", MemoryKind{0, kMemoryMax}, kBindMemoryLimit, 0, Part::kMemory},
      {"maxmemory-policy", "", EnumKind{kMemoryPolicies}, ENUM(memory.policy), 0, Part::kMemory},
      {"maxmemory-samples", "", IntegerKind{1, 64}, FIELD(memory.samples)},
      {"maxmemory-eviction-tenacity", "", IntegerKind{0, 100}, FIELD(memory.tenacity)},
      {"lfu-log-factor", "", IntegerKind{}, FIELD(memory.frequency_log_factor), 0, Part::kMemory},
      {"lfu-decay-time", "", IntegerKind{}, FIELD(memory.frequency_decay_minutes), 0,
       Part::kMemory},
      {"active-expire-effort", "", IntegerKind{1, 10},
       Accepted{"1", "as much is deleted as a quarter of a processor can"}},
      {"lazyfree-lazy-eviction", "", BoolKind{}, FIELD(memory.lazy), 0, Part::kNone,
       "Replicas are told UNLINK instead of DEL. Large values are freed in the background in any "
       "case."},
      {"lazyfree-lazy-expire", "", BoolKind{}, Accepted{"no", kFreedBehind}},
      {"lazyfree-lazy-server-del", "", BoolKind{}, Accepted{"no", kFreedBehind}},
      {"lazyfree-lazy-user-del", "", BoolKind{}, Accepted{"no", kFreedBehind}},
      {"lazyfree-lazy-user-flush", "", BoolKind{}, Accepted{"no", kFreedBehind}},
      {"activerehashing", "", BoolKind{},
       Accepted{"yes", "tables grow and shrink in steps, without rehashing"}},
      {"jemalloc-bg-thread", "", BoolKind{}, Accepted{"yes", "the allocator decides"}},
      {"activedefrag", "", BoolKind{}, Accepted{"no", kNoDefragmenter}},
      {"active-defrag-ignore-bytes", "", MemoryKind{1}, Accepted{"104857600", kNoDefragmenter}},
      {"active-defrag-threshold-lower", "", IntegerKind{0, 1000}, Accepted{"10", kNoDefragmenter}},
      {"active-defrag-threshold-upper", "", IntegerKind{0, 1000}, Accepted{"100", kNoDefragmenter}},
      {"active-defrag-cycle-min", "", IntegerKind{1, 99}, Accepted{"1", kNoDefragmenter}},
      {"active-defrag-cycle-max", "", IntegerKind{1, 99}, Accepted{"25", kNoDefragmenter}},
      {"active-defrag-max-scan-fields", "", IntegerKind{1, kLongMax},
       Accepted{"1000", kNoDefragmenter}},
  });
  return kTable;
}

constexpr std::string_view kLongGone = "Redis itself has long ignored it";

constexpr FileDirective kFileDirectives[] = {
    {"user", 1, std::numeric_limits<int>::max(), ""},
    {"loadmodule", 1, 1000, kNoModules, [](auto) { return true; }},
    {"rename-command", 2, 2, ""},
    {"list-max-ziplist-entries", 1, 1, kLongGone},
    {"list-max-ziplist-value", 1, 1, kLongGone},
    {"lua-replicate-commands", 1, 1, kLongGone},
};

std::vector<Directive> join_tables() {
  std::vector<Directive> all;
  for (const DirectiveGroup& group : directive_groups()) {
    all.insert(all.end(), group.rows.begin(), group.rows.end());
  }
  return all;
}

}  // namespace

std::span<const DirectiveGroup> directive_groups() {
  static const std::array kGroups = std::to_array<DirectiveGroup>({
      {"Connections and clients", network_table()},
      {"The server", server_table()},
      {"The process", process_table()},
      {"Persistence", persistence_table()},
      {"Replication", replication_table()},
      {"Cluster", cluster_table()},
      {"Data and memory", data_table()},
  });
  return kGroups;
}

std::span<const Directive> directives() {
  static const std::vector<Directive> kAll = join_tables();
  return kAll;
}

std::span<const FileDirective> file_directives() { return kFileDirectives; }

const Directive* find_directive(std::string_view name) {
  for (const Directive& row : directives()) {
    if (equal_ignore_case(name, row.name)) return &row;
    if (!row.alias.empty() && equal_ignore_case(name, row.alias)) return &row;
  }
  return nullptr;
}

const FileDirective* find_file_directive(std::string_view name) {
  for (const FileDirective& row : kFileDirectives) {
    if (equal_ignore_case(name, row.name)) return &row;
  }
  return nullptr;
}

}  // namespace tandem
