// INFO: the figures of the moment as the text that clients and monitoring know, with Redis's
// sections and field names. Pure: whoever can see the parts collects the figures.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "stats/memory.h"

namespace tandem {

struct ServerFigures {
  std::string run_id;
  std::string config_file;
  std::string executable;
  int64_t process_id = 0;
  int64_t port = 0;
  int64_t unix_us = 0;
  int64_t uptime_seconds = 0;
  int64_t hz = 10;
  int64_t worker_threads = 1;
  std::vector<std::string> listeners;  // "name=tcp,bind=127.0.0.1,port=6379"
};

struct ClientFigures {
  int64_t connected = 0;
  int64_t clients_max = 0;
  int64_t blocked = 0;
  int64_t blocked_with_deadline = 0;
  int64_t blocking_keys = 0;
  int64_t largest_input_bytes = 0;
  int64_t largest_output_bytes = 0;
};

struct MemoryReport {
  MemoryFigures now;
  int64_t peak_bytes = 0;
  int64_t startup_bytes = 0;
  int64_t backlog_bytes = 0;
  int64_t clients_bytes = 0;
  int64_t replicas_bytes = 0;
  int64_t scripts = 0;
  int64_t script_bytes = 0;
  int64_t script_vm_bytes = 0;
  int64_t keys_to_free = 0;  // by the reclaimer
  int64_t keys_freed = 0;
};

// The file that is read at start, or was.
struct LoadFigures {
  bool running = false;
  int64_t started_unix_s = 0;
  int64_t running_seconds = 0;
  int64_t bytes_total = 0;
  int64_t bytes_read = 0;
  int64_t memory_bytes_at_save = 0;  // as the file tells
  int64_t keys_loaded = 0;
  int64_t keys_expired = 0;
};

struct PersistenceFigures {
  LoadFigures load;
  int64_t changes_since_save = 0;
  bool save_in_progress = false;
  int64_t last_save_unix_s = 0;
  bool last_save_ok = true;
  int64_t last_save_seconds = -1;
  int64_t current_save_seconds = -1;
  int64_t saves = 0;
  int64_t keys_processed = 0;
  int64_t keys_total = 0;
};

struct StatsFigures {
  int64_t connections = 0;
  int64_t rejected_connections = 0;
  int64_t commands = 0;
  int64_t ops_per_second = 0;
  int64_t input_bytes = 0;
  int64_t output_bytes = 0;
  double input_kib_per_second = 0;
  double output_kib_per_second = 0;
  double replication_input_kib_per_second = 0;
  double replication_output_kib_per_second = 0;
  int64_t replication_input_bytes = 0;
  int64_t replication_output_bytes = 0;
  int64_t syncs_full = 0;
  int64_t syncs_partial = 0;
  int64_t syncs_partial_refused = 0;
  int64_t expired_keys = 0;
  int64_t expire_cut_short = 0;
  int64_t expire_ms = 0;
  int64_t own_expiries = 0;  // keys of a writable replica's own clients that will expire
  int64_t keyspace_hits = 0;
  int64_t keyspace_misses = 0;
  int64_t channels = 0;
  int64_t patterns = 0;
  int64_t error_replies = 0;
  int64_t unexpected_error_replies = 0;
  int64_t authentications_denied = 0;
  int64_t reads = 0;
  int64_t writes = 0;
};

struct CpuFigures {
  double system_seconds = 0;
  double user_seconds = 0;
  double main_system_seconds = 0;  // of the main thread alone
  double main_user_seconds = 0;
};

struct CommandFigures {
  std::string name;  // "client|id"
  uint64_t calls = 0;
  uint64_t microseconds = 0;
  uint64_t rejected = 0;
  uint64_t failed = 0;
};

struct LatencyFigures {
  std::string command;
  std::vector<std::pair<double, int64_t>> percentiles;  // and the microseconds they took at most
};

struct DatabaseFigures {
  int index = 0;
  int64_t keys = 0;
  int64_t expiring = 0;
  int64_t average_ttl_ms = 0;
};

struct InfoFigures {
  ServerFigures server;
  ClientFigures clients;
  MemoryReport memory;
  PersistenceFigures persistence;
  StatsFigures stats;
  std::string replication;  // the section's lines, as the replication part tells them
  CpuFigures cpu;
  std::vector<CommandFigures> commands;   // only those that were called or refused
  std::vector<LatencyFigures> latencies;  // only of those that were called
  std::vector<std::pair<std::string, uint64_t>> errors;
  std::vector<DatabaseFigures> databases;  // only those with keys
};

// Which sections the arguments of INFO ask for, lower case; without arguments the default ones.
std::set<std::string> info_sections(std::span<const Bytes> words);

std::string info_text(const InfoFigures& figures, const std::set<std::string>& sections);

// "6.47M", as the fields that end in _human show it.
std::string human_bytes(int64_t bytes);

}  // namespace tandem
