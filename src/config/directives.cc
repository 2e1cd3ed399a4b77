#include <array>

#include "base/ascii.h"
#include "config/config_value.h"
#include "config/directive.h"
#include "config/directive_specials.h"

namespace tandem {
namespace {

// The plus turns the lambda into the pointer whose type tells the binding's alternative.
#define FIELD(path) +[](Options& options) -> auto& { return options.path; }

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
constexpr EnumValue kSupervised[] = {{"upstart", 1}, {"systemd", 2}, {"auto", 3}, {"no", 0}};
constexpr EnumValue kSyslogFacilities[] = {{"user", 0},   {"local0", 1}, {"local1", 2},
                                           {"local2", 3}, {"local3", 4}, {"local4", 5},
                                           {"local5", 6}, {"local6", 7}, {"local7", 8}};
constexpr EnumValue kDisklessLoad[] = {{"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}};
constexpr EnumValue kMemoryPolicies[] = {
    {"volatile-lru", 0}, {"volatile-lfu", 1}, {"volatile-random", 2}, {"volatile-ttl", 3},
    {"allkeys-lru", 4},  {"allkeys-lfu", 5},  {"allkeys-random", 6},  {"noeviction", 7}};
constexpr EnumValue kAppendSync[] = {{"everysec", 0}, {"always", 1}, {"no", 2}};
constexpr EnumValue kOomScoreModes[] = {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}};
constexpr EnumValue kAclPubsub[] = {{"allchannels", 1}, {"resetchannels", 0}};
constexpr EnumValue kSanitize[] = {{"no", 0}, {"yes", 1}, {"clients", 2}};
constexpr EnumValue kAccess[] = {{"no", 0}, {"yes", 2}, {"local", 1}};
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

const BindEnum kBindLogLevel{
    [](Options& options) { return static_cast<int>(options.server.log_level.get()); },
    [](Options& options, int level) {
      options.server.log_level.set(static_cast<LogLevel>(level));
    }};
const BindEnum kBindSigint{
    [](Options& options) { return options.server.shutdown_on_sigint.get(); },
    [](Options& options, int how) { options.server.shutdown_on_sigint.set(how); }};
const BindEnum kBindSigterm{
    [](Options& options) { return options.server.shutdown_on_sigterm.get(); },
    [](Options& options, int how) { options.server.shutdown_on_sigterm.set(how); }};
const BindEnum kBindPropagationErrors{
    [](Options& options) { return options.replication.panic_on_stream_error.get(); },
    [](Options& options, int how) { options.replication.panic_on_stream_error.set(how); }};
const BindEnum kBindDebugAccess{
    [](Options& options) { return options.server.debug_command_access.get(); },
    [](Options& options, int access) { options.server.debug_command_access.set(access); }};

#define REPL(member) FIELD(replication.member)
#define NET(member) FIELD(server.network.member)

const auto& network_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"bind", "", SpecialKind{}, kBindAddresses, kMultiWord},
      {"port", "", IntegerKind{0, kPortMax}, NET(port)},
      {"tcp-backlog", "", IntegerKind{}, NET(tcp_backlog), kImmutable},
      {"unixsocket", "", TextKind{}, NET(unix_socket), kImmutable},
      {"unixsocketperm", "", OctalKind{0777}, NET(unix_socket_permissions), kImmutable},
      {"timeout", "", IntegerKind{}, NET(idle_timeout_seconds)},
      {"tcp-keepalive", "", IntegerKind{}, NET(tcp_keepalive_seconds)},
      {"protected-mode", "", BoolKind{}, NET(protected_mode)},
      {"maxclients", "", IntegerKind{1, std::numeric_limits<uint32_t>::max()}, NET(clients_max)},
      {"client-query-buffer-limit", "", MemoryKind{kMega}, NET(query_buffer_bytes_max)},
      {"proto-max-bulk-len", "", MemoryKind{kMega}, NET(bulk_bytes_max)},
      {"client-output-buffer-limit", "", SpecialKind{}, kBindOutputLimits, kMultiWord},
      {"requirepass", "", TextKind{}, NET(password), kSecret},
      {"bind-source-addr", "", TextKind{}, REPL(source_address)},
      {"socket-mark-id", "", IntegerKind{0, std::numeric_limits<uint32_t>::max()}, Accepted{"0"},
       kImmutable},
      {"io-threads", "", IntegerKind{1, 128}, Accepted{"1"}, kImmutable},
      {"io-threads-do-reads", "", BoolKind{}, Accepted{"no"}, kImmutable},
      {"maxmemory-clients", "", CheckedKind{normalize_client_memory}, Accepted{"0"}},
      {"tracking-table-max-keys", "", IntegerKind{0, kLongMax}, Accepted{"1000000"}},
      {"tls-port", "", IntegerKind{0, kPortMax}, Accepted{"0"}},
      {"tls-session-cache-size", "", IntegerKind{}, Accepted{"20480"}},
      {"tls-session-cache-timeout", "", IntegerKind{}, Accepted{"300"}},
      {"tls-cluster", "", BoolKind{}, Accepted{"no"}},
      {"tls-replication", "", BoolKind{}, Accepted{"no"}},
      {"tls-auth-clients", "", EnumKind{kTlsClients}, Accepted{"yes"}},
      {"tls-prefer-server-ciphers", "", BoolKind{}, Accepted{"no"}},
      {"tls-session-caching", "", BoolKind{}, Accepted{"yes"}},
      {"tls-cert-file", "", TextKind{}, Accepted{""}},
      {"tls-key-file", "", TextKind{}, Accepted{""}},
      {"tls-key-file-pass", "", TextKind{}, Accepted{""}, kSecret},
      {"tls-client-cert-file", "", TextKind{}, Accepted{""}},
      {"tls-client-key-file", "", TextKind{}, Accepted{""}},
      {"tls-client-key-file-pass", "", TextKind{}, Accepted{""}, kSecret},
      {"tls-dh-params-file", "", TextKind{}, Accepted{""}},
      {"tls-ca-cert-file", "", TextKind{}, Accepted{""}},
      {"tls-ca-cert-dir", "", TextKind{}, Accepted{""}},
      {"tls-protocols", "", TextKind{}, Accepted{""}},
      {"tls-ciphers", "", TextKind{}, Accepted{""}},
      {"tls-ciphersuites", "", TextKind{}, Accepted{""}},
  });
  return kTable;
}

const auto& server_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"worker-threads", "", IntegerKind{0, 256}, FIELD(server.worker_threads), kImmutable},
      {"databases", "", IntegerKind{1, kIntMax}, FIELD(server.databases), kImmutable},
      {"loglevel", "", EnumKind{kLogLevels}, kBindLogLevel},
      {"logfile", "", TextKind{}, FIELD(server.log_file), kImmutable},
      {"pidfile", "", TextKind{}, FIELD(server.pid_file), kImmutable},
      {"daemonize", "", BoolKind{}, FIELD(server.daemonize), kImmutable},
      {"hz", "", SpecialKind{}, kBindHz},
      {"dynamic-hz", "", BoolKind{}, Accepted{"yes"}},
      {"slowlog-log-slower-than", "", IntegerKind{-1, kLongMax},
       FIELD(server.slow_log_slower_than_us)},
      {"slowlog-max-len", "", IntegerKind{0, kLongMax}, FIELD(server.slow_log_entries_max)},
      {"busy-reply-threshold", "lua-time-limit", IntegerKind{0, kLongMax},
       FIELD(server.script_time_limit_ms)},
      {"shutdown-on-sigint", "", kShutdownKind, kBindSigint, kMultiWord},
      {"shutdown-on-sigterm", "", kShutdownKind, kBindSigterm, kMultiWord},
      {"shutdown-timeout", "", IntegerKind{}, FIELD(server.shutdown_timeout_seconds)},
      {"enable-debug-command", "", EnumKind{kAccess}, kBindDebugAccess, kImmutable},
      {"enable-module-command", "", EnumKind{kAccess}, Accepted{"no"}, kImmutable},
      {"enable-protected-configs", "", EnumKind{kAccess}, Accepted{"no"}, kImmutable},
      {"supervised", "", EnumKind{kSupervised}, Accepted{"no"}, kImmutable},
      {"always-show-logo", "", BoolKind{}, Accepted{"no"}, kImmutable},
      {"lua-enable-deprecated-api", "", BoolKind{}, Accepted{"no"}, kImmutable | kHidden},
      {"set-proc-title", "", BoolKind{}, Accepted{"yes"}, kImmutable},
      {"proc-title-template", "", TextKind{check_title_template},
       Accepted{"{title} {listen-addr} {server-mode}"}},
      {"syslog-enabled", "", BoolKind{}, Accepted{"no"}, kImmutable},
      {"syslog-ident", "", TextKind{}, Accepted{"redis"}, kImmutable},
      {"syslog-facility", "", EnumKind{kSyslogFacilities}, Accepted{"local0"}, kImmutable},
      {"crash-log-enabled", "", BoolKind{}, Accepted{"yes"}},
      {"crash-memcheck-enabled", "", BoolKind{}, Accepted{"yes"}},
      {"use-exit-on-panic", "", BoolKind{}, Accepted{"no"}, kHidden},
      {"disable-thp", "", BoolKind{}, Accepted{"yes"}, kImmutable},
      {"oom-score-adj", "", EnumKind{kOomScoreModes}, Accepted{"no"}},
      {"oom-score-adj-values", "", CheckedKind{normalize_oom_scores}, Accepted{"0 200 800"},
       kMultiWord},
      {"server-cpulist", "server_cpulist", TextKind{}, Accepted{""}, kImmutable},
      {"bio-cpulist", "bio_cpulist", TextKind{}, Accepted{""}, kImmutable},
      {"aof-rewrite-cpulist", "aof_rewrite_cpulist", TextKind{}, Accepted{""}, kImmutable},
      {"bgsave-cpulist", "bgsave_cpulist", TextKind{}, Accepted{""}, kImmutable},
      {"ignore-warnings", "", TextKind{}, Accepted{""}},
      {"locale-collate", "", TextKind{}, Accepted{""}},
      {"debug-context", "", TextKind{}, Accepted{""}, kHidden},
      {"watchdog-period", "", IntegerKind{}, Accepted{"0"}, kHidden},
      {"latency-monitor-threshold", "", IntegerKind{0, kLongMax}, FIELD(server.latency_monitor_ms)},
      {"latency-tracking", "", BoolKind{}, FIELD(server.latency_tracking)},
      {"latency-tracking-info-percentiles", "", SpecialKind{}, kBindPercentiles, kMultiWord},
      {"notify-keyspace-events", "", CheckedKind{normalize_event_classes}, Accepted{""}},
      {"aclfile", "", TextKind{}, Accepted{""}, kImmutable},
      {"acllog-max-len", "", IntegerKind{0, kLongMax}, Accepted{"128"}},
      {"acl-pubsub-default", "", EnumKind{kAclPubsub}, Accepted{"resetchannels"}},
  });
  return kTable;
}

const auto& persistence_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"save", "", SpecialKind{}, kBindSavePoints, kMultiWord | kAddsUp},
      {"dir", "", SpecialKind{}, kBindFolder, kProtected},
      {"dbfilename", "", kDataFileName, FIELD(server.persistence.file_name), kProtected},
      {"rdbcompression", "", BoolKind{}, FIELD(server.persistence.compression)},
      {"rdbchecksum", "", BoolKind{}, FIELD(server.persistence.checksum), kImmutable},
      {"stop-writes-on-bgsave-error", "", BoolKind{},
       FIELD(server.persistence.stop_writes_on_error)},
      {"rdb-del-sync-files", "", BoolKind{}, Accepted{"no"}},
      {"rdb-save-incremental-fsync", "", BoolKind{}, Accepted{"yes"}},
      {"rdb-key-save-delay", "", IntegerKind{kIntMin, kIntMax}, Accepted{"0"}, kHidden},
      {"key-load-delay", "", IntegerKind{kIntMin, kIntMax}, Accepted{"0"}, kHidden},
      {"loading-process-events-interval-bytes", "", IntegerKind{1024, kIntMax}, Accepted{"2097152"},
       kHidden},
      {"sanitize-dump-payload", "", EnumKind{kSanitize}, Accepted{"no"}},
      {"appendonly", "", BoolKind{}, Accepted{"no"}},
      {"appendfilename", "", kAppendFileName, Accepted{"appendonly.aof"}, kImmutable},
      {"appenddirname", "", kAppendFolderName, Accepted{"appendonlydir"}, kImmutable},
      {"appendfsync", "", EnumKind{kAppendSync}, Accepted{"everysec"}},
      {"no-appendfsync-on-rewrite", "", BoolKind{}, Accepted{"no"}},
      {"auto-aof-rewrite-percentage", "", IntegerKind{}, Accepted{"100"}},
      {"auto-aof-rewrite-min-size", "", MemoryKind{}, Accepted{"67108864"}},
      {"aof-load-truncated", "", BoolKind{}, Accepted{"yes"}},
      {"aof-use-rdb-preamble", "", BoolKind{}, Accepted{"yes"}},
      {"aof-timestamp-enabled", "", BoolKind{}, Accepted{"no"}},
      {"aof-rewrite-incremental-fsync", "", BoolKind{}, Accepted{"yes"}},
      {"aof-disable-auto-gc", "", BoolKind{}, Accepted{"no"}, kHidden},
  });
  return kTable;
}

const auto& replication_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"replicaof", "slaveof", SpecialKind{}, kBindPrimary, kImmutable | kMultiWord},
      {"masteruser", "", TextKind{}, REPL(primary_user), kSecret},
      {"masterauth", "", TextKind{}, REPL(primary_password), kSecret},
      {"replica-serve-stale-data", "slave-serve-stale-data", BoolKind{},
       REPL(replica_serve_stale_data)},
      {"replica-read-only", "slave-read-only", BoolKind{}, REPL(replica_read_only)},
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
      {"repl-backlog-size", "", MemoryKind{1}, REPL(backlog_bytes)},
      {"repl-backlog-ttl", "", IntegerKind{0, kLongMax}, REPL(backlog_ttl_seconds)},
      {"repl-backlog-time", "", IntegerKind{0, kIntMax}, REPL(backlog_time_seconds)},
      {"repl-rdb-version", "", IntegerKind{9, 11}, REPL(rdb_version)},
      {"min-replicas-to-write", "min-slaves-to-write", IntegerKind{}, REPL(min_replicas_to_write)},
      {"min-replicas-max-lag", "min-slaves-max-lag", IntegerKind{},
       REPL(min_replicas_max_lag_seconds)},
      {"repl-diskless-sync", "", BoolKind{}, Accepted{"yes"}},
      {"repl-diskless-load", "", EnumKind{kDisklessLoad}, Accepted{"disabled"}},
      {"replica-lazy-flush", "slave-lazy-flush", BoolKind{}, Accepted{"no"}},
      {"replica-ignore-maxmemory", "slave-ignore-maxmemory", BoolKind{}, Accepted{"yes"}},
      {"replica-ignore-disk-write-errors", "", BoolKind{}, Accepted{"no"}},
      {"propagation-error-behavior", "", EnumKind{kPropagationErrors}, kBindPropagationErrors},
      {"cluster-enabled", "", BoolKind{}, Accepted{"no"}, kImmutable},
      {"cluster-config-file", "", TextKind{}, Accepted{"nodes.conf"}, kImmutable},
      {"cluster-node-timeout", "", IntegerKind{0, kLongMax}, Accepted{"15000"}},
      {"cluster-port", "", IntegerKind{0, kPortMax}, Accepted{"0"}, kImmutable},
      {"cluster-announce-ip", "", TextKind{}, Accepted{""}},
      {"cluster-announce-hostname", "", TextKind{check_host_name}, Accepted{""}},
      {"cluster-announce-human-nodename", "", TextKind{}, Accepted{""}},
      {"cluster-announce-port", "", IntegerKind{0, kPortMax}, Accepted{"0"}},
      {"cluster-announce-bus-port", "", IntegerKind{0, kPortMax}, Accepted{"0"}},
      {"cluster-announce-tls-port", "", IntegerKind{0, kPortMax}, Accepted{"0"}},
      {"cluster-require-full-coverage", "", BoolKind{}, Accepted{"yes"}},
      {"cluster-replica-no-failover", "cluster-slave-no-failover", BoolKind{}, Accepted{"no"}},
      {"cluster-replica-validity-factor", "cluster-slave-validity-factor", IntegerKind{},
       Accepted{"10"}},
      {"cluster-migration-barrier", "", IntegerKind{}, Accepted{"1"}},
      {"cluster-allow-reads-when-down", "", BoolKind{}, Accepted{"no"}},
      {"cluster-allow-pubsubshard-when-down", "", BoolKind{}, Accepted{"yes"}},
      {"cluster-allow-replica-migration", "", BoolKind{}, Accepted{"yes"}},
      {"cluster-link-sendbuf-limit", "", MemoryKind{0, kMemoryMax}, Accepted{"0"}},
      {"cluster-preferred-endpoint-type", "", EnumKind{kEndpointTypes}, Accepted{"ip"}},
  });
  return kTable;
}

const auto& data_table() {
  static const std::array kTable = std::to_array<Directive>({
      {"hash-max-listpack-entries", "hash-max-ziplist-entries", IntegerKind{0, kLongMax},
       FIELD(encodings.hash_max_listpack_entries)},
      {"hash-max-listpack-value", "hash-max-ziplist-value", MemoryKind{},
       FIELD(encodings.hash_max_listpack_value_bytes)},
      {"list-max-listpack-size", "list-max-ziplist-size", IntegerKind{kIntMin, kIntMax},
       FIELD(encodings.list_max_listpack_size)},
      {"list-compress-depth", "", IntegerKind{}, Accepted{"0"}},
      {"set-max-intset-entries", "", IntegerKind{0, kLongMax},
       FIELD(encodings.set_max_intset_entries)},
      {"set-max-listpack-entries", "", IntegerKind{0, kLongMax},
       FIELD(encodings.set_max_listpack_entries)},
      {"set-max-listpack-value", "", IntegerKind{0, kLongMax},
       FIELD(encodings.set_max_listpack_value_bytes)},
      {"zset-max-listpack-entries", "zset-max-ziplist-entries", IntegerKind{0, kLongMax},
       FIELD(encodings.sorted_set_max_listpack_entries)},
      {"zset-max-listpack-value", "zset-max-ziplist-value", MemoryKind{},
       FIELD(encodings.sorted_set_max_listpack_value_bytes)},
      {"hll-sparse-max-bytes", "", MemoryKind{}, Accepted{"3000"}},
      {"stream-node-max-bytes", "", MemoryKind{}, FIELD(encodings.stream_node_max_bytes)},
      {"stream-node-max-entries", "", IntegerKind{0, kLongMax},
       FIELD(encodings.stream_node_max_entries)},
      {"maxmemory", "", MemoryKind{0, kMemoryMax}, Accepted{"0"}},
      {"maxmemory-policy", "", EnumKind{kMemoryPolicies}, Accepted{"noeviction"}},
      {"maxmemory-samples", "", IntegerKind{1, 64}, Accepted{"5"}},
      {"maxmemory-eviction-tenacity", "", IntegerKind{0, 100}, Accepted{"10"}},
      {"lfu-log-factor", "", IntegerKind{}, Accepted{"10"}},
      {"lfu-decay-time", "", IntegerKind{}, Accepted{"1"}},
      {"active-expire-effort", "", IntegerKind{1, 10}, Accepted{"1"}},
      {"lazyfree-lazy-eviction", "", BoolKind{}, Accepted{"no"}},
      {"lazyfree-lazy-expire", "", BoolKind{}, Accepted{"no"}},
      {"lazyfree-lazy-server-del", "", BoolKind{}, Accepted{"no"}},
      {"lazyfree-lazy-user-del", "", BoolKind{}, Accepted{"no"}},
      {"lazyfree-lazy-user-flush", "", BoolKind{}, Accepted{"no"}},
      {"activerehashing", "", BoolKind{}, Accepted{"yes"}},
      {"jemalloc-bg-thread", "", BoolKind{}, Accepted{"yes"}},
      {"activedefrag", "", BoolKind{}, Accepted{"no"}},
      {"active-defrag-ignore-bytes", "", MemoryKind{1}, Accepted{"104857600"}},
      {"active-defrag-threshold-lower", "", IntegerKind{0, 1000}, Accepted{"10"}},
      {"active-defrag-threshold-upper", "", IntegerKind{0, 1000}, Accepted{"100"}},
      {"active-defrag-cycle-min", "", IntegerKind{1, 99}, Accepted{"1"}},
      {"active-defrag-cycle-max", "", IntegerKind{1, 99}, Accepted{"25"}},
      {"active-defrag-max-scan-fields", "", IntegerKind{1, kLongMax}, Accepted{"1000"}},
  });
  return kTable;
}

constexpr FileDirective kFileDirectives[] = {
    {"user", 1, 1000, true},
    {"loadmodule", 1, 1000, true},
    {"rename-command", 2, 2, false},
    // Long without effect in Redis itself.
    {"list-max-ziplist-entries", 1, 1, false},
    {"list-max-ziplist-value", 1, 1, false},
    {"lua-replicate-commands", 1, 1, false},
};

std::vector<Directive> join_tables() {
  std::vector<Directive> all;
  const auto add = [&](const auto& table) { all.insert(all.end(), table.begin(), table.end()); };
  add(network_table());
  add(server_table());
  add(persistence_table());
  add(replication_table());
  add(data_table());
  return all;
}

}  // namespace

std::span<const Directive> directives() {
  static const std::vector<Directive> kAll = join_tables();
  return kAll;
}

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
