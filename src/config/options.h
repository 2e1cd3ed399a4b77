// What can be configured: plain structs of options, one for each part that has any. Defaults are
// Redis 7.2's.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/logging.h"
#include "base/option.h"
#include "data/element.h"
#include "engine/memory_options.h"
#include "keyspace/event_choice.h"
#include "replication/options.h"

namespace tandem {

// The limits of the compact encodings as configured. The data itself reads a plain EncodingLimits,
// which changes only while every stripe is held; limits() is what goes there.
struct EncodingOptions {
  Option<int64_t> list_max_listpack_size = -2;
  Option<int64_t> set_max_intset_entries = 512;
  Option<int64_t> set_max_listpack_entries = 128;
  Option<int64_t> set_max_listpack_value_bytes = 64;
  Option<int64_t> hash_max_listpack_entries = 512;
  Option<int64_t> hash_max_listpack_value_bytes = 64;
  Option<int64_t> sorted_set_max_listpack_entries = 128;
  Option<int64_t> sorted_set_max_listpack_value_bytes = 64;
  Option<int64_t> hyperloglog_sparse_max_bytes = 3000;
  Option<int64_t> stream_node_max_bytes = 4096;
  Option<int64_t> stream_node_max_entries = 100;

  EncodingLimits limits(uint64_t hash_seed) const {
    const auto size = [](const Option<int64_t>& option) {
      return static_cast<size_t>(option.get());
    };
    return {.list_max_listpack_size = list_max_listpack_size.get(),
            .set_max_intset_entries = size(set_max_intset_entries),
            .set_max_listpack_entries = size(set_max_listpack_entries),
            .set_max_listpack_value_bytes = size(set_max_listpack_value_bytes),
            .hash_max_listpack_entries = size(hash_max_listpack_entries),
            .hash_max_listpack_value_bytes = size(hash_max_listpack_value_bytes),
            .sorted_set_max_listpack_entries = size(sorted_set_max_listpack_entries),
            .sorted_set_max_listpack_value_bytes = size(sorted_set_max_listpack_value_bytes),
            .hyperloglog_sparse_max_bytes = size(hyperloglog_sparse_max_bytes),
            .stream_node_max_bytes = size(stream_node_max_bytes),
            .stream_node_max_entries = size(stream_node_max_entries),
            .hash_seed = hash_seed};
  }
};

// What can be configured about the server as a whole: its sockets, its clients, its files. It lies
// here and not in server/ because config fills it and may not see server/. Defaults are
// Redis 7.2's. Any thread may read; config writes.

// The classes of clients that `client-output-buffer-limit` tells apart, in its order.
enum class ClientClass { kNormal, kReplica, kPubsub };
inline constexpr int kClientClasses = 3;

// 0 means no limit.
struct OutputBufferLimit {
  Option<int64_t> hard_bytes = 0;
  Option<int64_t> soft_bytes = 0;
  Option<int64_t> soft_seconds = 0;
};

// Save when `changes` or more writes happened and `seconds` passed since the last save.
struct SavePoint {
  int64_t seconds;
  int64_t changes;
  bool operator==(const SavePoint&) const = default;
};

// What `shutdown-on-sigint` and `shutdown-on-sigterm` may combine.
inline constexpr int kShutdownDefault = 0;
inline constexpr int kShutdownSave = 1;
inline constexpr int kShutdownNoSave = 2;
inline constexpr int kShutdownNow = 4;
inline constexpr int kShutdownForce = 8;

// For whom `enable-debug-command` and `enable-protected-configs` allow something.
inline constexpr int kAccessNobody = 0;
inline constexpr int kAccessLocal = 1;  // connections from this machine
inline constexpr int kAccessAll = 2;

// Who started the server and wants to be told of its readiness and its end.
enum class Supervisor { kNone, kUpstart, kSystemd, kAuto };

struct NetworkOptions {
  Option<std::vector<std::string>> bind{std::vector<std::string>{"*", "-::*"}};
  Option<int64_t> port = 6379;
  Option<int64_t> tcp_backlog = 511;
  TextOption unix_socket;                       // unixsocket
  Option<int64_t> unix_socket_permissions = 0;  // unixsocketperm, 0: as the umask gives them
  Option<int64_t> tcp_keepalive_seconds = 300;  // tcp-keepalive, 0: off
  Option<bool> protected_mode = true;
  Option<int64_t> clients_max = 10000;                          // maxclients
  Option<int64_t> idle_timeout_seconds = 0;                     // timeout, 0: never
  Option<int64_t> query_buffer_bytes_max = 1024 * 1024 * 1024;  // client-query-buffer-limit
  Option<int64_t> bulk_bytes_max = 512 * 1024 * 1024;           // proto-max-bulk-len
  std::array<OutputBufferLimit, kClientClasses> output_buffer_limits{
      {{0, 0, 0},
       {256 * 1024 * 1024, 64 * 1024 * 1024, 60},
       {32 * 1024 * 1024, 8 * 1024 * 1024, 60}}};
  TextOption password;  // requirepass
  // maxmemory-clients: bytes; below 0: so many percent of maxmemory; 0: no limit.
  Option<int64_t> clients_memory_max = 0;
  Option<int64_t> tracking_keys_max = 1'000'000;  // tracking-table-max-keys, 0: no limit
};

struct PersistenceOptions {
  Option<std::vector<SavePoint>> save_points{
      std::vector<SavePoint>{{3600, 1}, {300, 100}, {60, 10000}}};  // save
  TextOption folder;                         // dir; the working folder, an absolute path
  TextOption file_name{"dump.rdb"};          // dbfilename
  Option<bool> compression = true;           // rdbcompression
  Option<bool> checksum = true;              // rdbchecksum
  Option<bool> stop_writes_on_error = true;  // stop-writes-on-bgsave-error
};

struct ServerOptions {
  NetworkOptions network;
  PersistenceOptions persistence;
  Option<int64_t> worker_threads = 0;  // 0: as many as there are cores
  Option<int64_t> databases = 16;
  Option<LogLevel> log_level = LogLevel::kNotice;  // loglevel
  TextOption log_file;                             // logfile
  TextOption pid_file;
  Option<bool> daemonize = false;
  Option<int64_t> hz = 10;
  Option<int64_t> slow_log_slower_than_us = 10000;  // slowlog-log-slower-than, below 0: off
  Option<int64_t> slow_log_entries_max = 128;       // slowlog-max-len
  Option<int64_t> latency_monitor_ms = 0;           // latency-monitor-threshold, 0: off
  Option<EventChoice> key_events{EventChoice()};    // notify-keyspace-events
  Option<bool> latency_tracking = true;
  // latency-tracking-info-percentiles
  Option<std::vector<double>> latency_percentiles{std::vector<double>{50, 99, 99.9}};
  Option<int64_t> script_time_limit_ms = 5000;  // busy-reply-threshold, lua-time-limit
  Option<int> shutdown_on_sigint = kShutdownDefault;
  Option<int> shutdown_on_sigterm = kShutdownDefault;
  Option<int64_t> shutdown_timeout_seconds = 10;
  TextOption acl_file;                                  // aclfile
  Option<int64_t> acl_log_entries_max = 128;            // acllog-max-len
  Option<bool> all_channels_by_default = false;         // acl-pubsub-default
  Option<int> debug_command_access = kAccessNobody;     // enable-debug-command
  Option<int> protected_config_access = kAccessNobody;  // enable-protected-configs
  Option<Supervisor> supervised = Supervisor::kNone;
  Option<bool> crash_log = true;                                     // crash-log-enabled
  Option<bool> set_title = true;                                     // set-proc-title
  TextOption title_template{"{title} {listen-addr} {server-mode}"};  // proc-title-template
};

// All the Options structs of the server in one place. The composition owns one and hands each part
// its own.
struct Options {
  ServerOptions server;
  ReplicationOptions replication;
  EncodingOptions encodings;
  MemoryOptions memory;

  EncodingLimits limits(uint64_t hash_seed) const {
    EncodingLimits limits = encodings.limits(hash_seed);
    limits.string_bytes_max = static_cast<uint64_t>(server.network.bulk_bytes_max.get());
    return limits;
  }
};

}  // namespace tandem
