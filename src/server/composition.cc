#include "server/composition.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "commands/table.h"
#include "config/title_template.h"
#include "engine/executor.h"
#include "io/descriptor_limit.h"
#include "io/thread_background.h"
#include "pubsub/metrics.h"
#include "pubsub/pubsub_commands.h"
#include "replication/metrics.h"
#include "script/metrics.h"
#include "server/admin_commands.h"
#include "server/client.h"
#include "server/client_commands.h"
#include "server/command_commands.h"
#include "server/config_commands.h"
#include "server/connection_commands.h"
#include "server/debug_commands.h"
#include "server/metrics.h"
#include "stats/memory.h"

namespace tandem {
namespace {

constexpr int kRunIdDigits = 40;
constexpr int64_t kTickMs = 100;
// For files, listeners and links; as many as Redis sets aside.
constexpr int64_t kDescriptorsReserved = 32;
constexpr int64_t kDescriptorsPerLoop = 4;

// Adds rows; where two parts have subcommands for one container (MEMORY USAGE is about keys, MEMORY
// STATS about the server) these come together.
void append(std::vector<CommandRow>& rows, std::vector<CommandRow> more) {
  for (CommandRow& row : more) {
    const auto same = std::ranges::find(rows, row.name, &CommandRow::name);
    if (same == rows.end()) {
      rows.push_back(std::move(row));
      continue;
    }
    for (CommandRow& subcommand : row.subcommands) {
      auto& present = same->subcommands;
      std::erase_if(present, [&](const CommandRow& own) { return own.name == subcommand.name; });
      present.push_back(std::move(subcommand));
    }
  }
}

Keyspace::Options keyspace_options(const ServerOptions& options, Random& random) {
  return {.databases = static_cast<int>(options.databases.get()), .hash_seed = random.next()};
}

LogOptions log_options(const ReplicationOptions& options) {
  constexpr int64_t kMsPerSecond = 1000;
  return {.backlog_bytes = static_cast<uint64_t>(options.backlog_bytes.get()),
          .backlog_ms = options.backlog_time_seconds.get() * kMsPerSecond};
}

std::shared_ptr<Subscriber> subscriber_of(ClientState& client) {
  if (connection_of(client) == nullptr) return nullptr;
  const std::shared_ptr<ClientCard>& card = connection_of(client)->card();
  return {card, &card->inbox};
}

}  // namespace

Composition::Composition(Options& options, Config& config, Process process, uint64_t seed)
    : options_(options),
      config_(config),
      process_(std::move(process)),
      clock_(system_clock()),
      random_(seed),
      limits_(options.limits(random_.next())),
      keyspace_(keyspace_options(options.server, random_)),
      log_(log_options(options.replication), ReplicationId::generate(random_)),
      scripting_({.gate = gate_,
                  .clock = clock_,
                  .busy_after_ms = options.server.script_time_limit_ms,
                  .while_busy = [this] { answer_others(); }}),
      registry_(rows()),
      engine_{.keyspace = keyspace_,
              .log = log_,
              .registry = registry_,
              .clock = clock_,
              .limits = limits_,
              .gate = gate_},
      network_(loop_),
      clients_([this](ClientCard& card) {
        subscriptions_.end(card.inbox);
        replication_.forget_client(card.id);
        watch_.remove_monitor(card.id);
      }),
      tick_(loop_, [this] { every_tick(); }),
      replication_cards_({.clients = clients_,
                          .commands = registry_,
                          .clock = clock_,
                          .cut_link = [this](uint64_t number) { replication_.cut_link(number); }}),
      replication_network_(replication_loop_),
      replication_thread_(replication_loop_),
      replication_(replication_parts()),
      watch_(gate_, options.server, errors_),
      acceptor_(loop_, network_, options.server.network,
                [this](AcceptedSocket socket) { deal(std::move(socket)); }),
      persistence_({.engine = engine_,
                    .options = options.server.persistence,
                    .files = files_,
                    .total_changes = [this] { return status_.total_changes(); }},
                   std::make_unique<ThreadBackground>("snapshot-file")),
      file_load_({.engine = engine_,
                  .options = options.server.persistence,
                  .files = files_,
                  .place_log = [this](const DatasetPlace& at) { replication_.continue_from(at); }},
                 std::make_unique<ThreadBackground>("file-load")),
      status_(status_parts(random_.hex(kRunIdDigits))),
      shutdown_({.gate = gate_,
                 .pauses = engine_.pauses,
                 .journal = engine_.journal,
                 .snapshot_turn = engine_.snapshot_turn,
                 .persistence = persistence_,
                 .file_load = file_load_,
                 .log = log_,
                 .replicas = replication_.replicas(),
                 .timeout_seconds = options.server.shutdown_timeout_seconds,
                 .end_commands =
                     [this] {
                       const ExclusiveGuard all(keyspace_);
                       engine_.journal.close();
                     },
                 .stop_scripts = [this] { scripting_.control().abort(); },
                 .leave = [this] { loop_.stop(); },
                 .begins = [this] { process_.supervision.stopping(); }}),
      hooks_({.options = options,
              .config = config,
              .engine = engine_,
              .limits = limits_,
              .watch = watch_,
              .persistence = persistence_,
              .replication = replication_,
              .main_loop = loop_,
              .acceptor = acceptor_,
              .left_main_loop = left_loop_,
              .clients_allowed = [this] { return clients_allowed(); },
              .show_title = [this] { return this->show_title(); }}) {
  engine_.observer = &watch_;
  engine_.pauses.over = [this] { resume_clients(); };
  engine_.used_memory_bytes = [this] { return read_memory(files_).used_bytes; };
  engine_.free_later = [this](Garbage garbage) { reclaimer_.free_later(std::move(garbage)); };
  options.replication.rdb_compression.set(options.server.persistence.compression.get());
  options.replication.rdb_checksum.set(options.server.persistence.checksum.get());
}

Composition::~Composition() {
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
  replication_thread_.stop();
  persistence_.end();
}

Result<void> Composition::rename_commands() {
  for (const CommandRename& rename : config_.renames()) {
    if (auto done = registry_.rename(rename.from, rename.to); !done) {
      return fail(ErrorCode::kInvalid, rename.report + done.error().text);
    }
  }
  return {};
}

std::vector<CommandRow> Composition::rows() {
  std::vector<CommandRow> all = engine_rows();
  append(all, keyspace_rows());
  append(all, pubsub_rows(subscriptions_, subscriber_of));
  append(all, scripting_.rows());
  append(all, connection_rows(options_.server.network, subscriptions_, watch_));
  append(all, client_rows(clients_));
  append(all, config_rows(config_, [this] { status_.reset(); }));
  append(all, command_rows());
  append(all, persistence_rows(persistence_, shutdown_));
  append(all, watch_rows(watch_, status_));
  append(all, latency_rows(watch_, status_));
  append(all, debug_rows(options_.server));
  append(all, memory_rows(status_));
  append(all, replication_rows(replication_, [this](ClientState& client, ConnectionHandOver next) {
           return give_connection(client, std::move(next));
         }));
  return all;
}

Result<void> Composition::start() {
  gate_.set(Gate::kAuthRequired, !options_.server.network.password.empty());
  if (auto fitted = fit_clients(); !fitted) return fitted;
  hooks_.watch();
  engine_.slow_command_us = watch_.watched_from_us();
  engine_.track_latency = options_.server.latency_tracking.get();
  make_workers();
  if (auto started = start_threads(); !started) return started;
  load_data();
  if (auto listening = acceptor_.listen(); !listening) return listening;
  if (auto listening = acceptor_.listen_unix(); !listening) return listening;
  if (!acceptor_.is_listening()) return fail(ErrorCode::kIo, "configured to listen nowhere");
  tick_.every_ms(kTickMs);
  watch_signals();
  return show_title();
}

// All that there will be: the lack of one is known now, and not when a client needs it.
Result<void> Composition::start_threads() {
  if (auto started = shutdown_.prepare(); !started) return started;
  if (auto started = reclaimer_.start(); !started) return started;
  if (auto started = replication_thread_.start(); !started) return started;
  for (size_t at = 0; at < workers_.size(); ++at) {
    if (auto started = workers_[at]->start(at); !started) return started;
  }
  return {};
}

Result<void> Composition::show_title() {
  const ServerOptions& server = options_.server;
  if (!server.set_title.get()) return {};
  const std::vector<std::string> addresses = server.network.bind.get();
  const int64_t port = server.network.port.get();
  const std::string unix_socket = server.network.unix_socket.get();
  const std::string host = addresses.empty() ? "*" : addresses.front();
  process_.show_title(tandem::show_title(
      server.title_template.get(),
      {.title = process_.program,
       .listen_address = port == 0 ? "unixsocket:" + unix_socket : fmt::format("{}:{}", host, port),
       .port = port,
       .unix_socket = unix_socket,
       .config_file = config_.file()}));
  return {};
}

int Composition::run() {
  loop_.run();
  left_loop_.store(true);
  return exit_code_;
}

void Composition::every_tick() {
  engine_.pauses.check(clock_.monotonic_ms());
  status_.sample();
  persistence_.check();
}

// Clients are answered meanwhile, as the gate allows; the link waits for the data. The log's place
// is set in the background: the main thread takes no stripe once workers run, for CONFIG SET holds
// all while it waits for it.
void Composition::load_data() {
  gate_.set(Gate::kDatasetLoading, true);
  const PrimaryAddress primary = options_.replication.primary.get();
  if (!primary.host.empty()) {
    const ExclusiveGuard all(keyspace_);
    replication_.follow(primary.host, primary.port);
  }
  file_load_.start(primary.host.empty(), [this](FileLoad::Outcome outcome) {
    loop_.post([this, result = std::move(outcome)] { on_loaded(result); });
  });
}

void Composition::on_loaded(const FileLoad::Outcome& outcome) {
  if (!outcome) {
    if (outcome.error().code == ErrorCode::kCancelled) return;  // the server ends anyway
    log_warning("Fatal error loading the DB, {}: {}", options_.server.persistence.file_name.get(),
                outcome.error().text);
    exit_code_ = 1;
    loop_.stop();
    return;
  }
  gate_.set(Gate::kDatasetLoading, false);
  replication_thread_.begin(replication_);
  log_notice("Ready to accept connections tcp");
  process_.supervision.ready(replication_.is_replica());
}

// A script holds its worker, and before long all the others. While one does so for long, who comes
// now is served by a worker that nobody else is on, so that SCRIPT KILL always finds an ear.
void Composition::deal(AcceptedSocket socket) {
  const size_t usual = workers_.size() - 1;
  const size_t at = gate_.is(Gate::kBusyScript) ? usual : next_worker_++ % usual;
  workers_[at]->adopt(std::move(socket));
}

size_t Composition::worker_count() const {
  const int64_t configured = options_.server.worker_threads.get();
  const size_t usual = configured > 0 ? static_cast<size_t>(configured)
                                      : std::max(1u, std::thread::hardware_concurrency());
  return usual + 1;  // and the one for busy times and expiry
}

// As many of `maxclients` as the system has descriptors for, once its limit is raised.
int64_t Composition::clients_allowed() const {
  const int64_t wanted = options_.server.network.clients_max.get();
  const auto loops = static_cast<int64_t>(worker_count()) + 2;
  const int64_t own = kDescriptorsReserved + loops * kDescriptorsPerLoop;
  return std::min(wanted, raise_descriptor_limit(wanted + own) - own);
}

Result<void> Composition::fit_clients() {
  const int64_t allowed = clients_allowed();
  Option<int64_t>& clients_max = options_.server.network.clients_max;
  if (allowed < 1) {
    return fail(ErrorCode::kLimit, "the limit of open files ('ulimit -n') leaves none to clients");
  }
  if (allowed < clients_max.get()) {
    log_warning("The limit of open files ('ulimit -n') lowers maxclients from {} to {}",
                clients_max.get(), allowed);
    clients_max.set(allowed);
  }
  return {};
}

void Composition::make_workers() {
  const size_t count = worker_count();
  for (size_t at = 0; at < count; ++at) {
    auto loop = std::make_unique<UvLoop>();
    loop_counters_.push_back(&loop->counters());
    auto network = std::make_unique<UvNetwork>(*loop);
    workers_.push_back(
        std::make_unique<Worker>(std::move(loop), std::move(network),
                                 Worker::Needs{.engine = engine_,
                                               .options = options_.server,
                                               .clients = clients_,
                                               .errors = errors_,
                                               .random_seed = random_.next(),
                                               .expires = at + 1 == count,
                                               .log_moved = [this] { replication_.log_moved(); }}));
  }
}

ReplicationControl::Parts Composition::replication_parts() {
  return {.loop = replication_loop_,
          .network = replication_network_,
          .engine = engine_,
          .options = options_.replication,
          .lag_limit =
              [this] {
                constexpr auto kReplica = static_cast<size_t>(ClientClass::kReplica);
                const OutputBufferLimit& limit =
                    options_.server.network.output_buffer_limits[kReplica];
                return ReplicaLagLimit{.hard_bytes = static_cast<uint64_t>(limit.hard_bytes.get()),
                                       .soft_bytes = static_cast<uint64_t>(limit.soft_bytes.get()),
                                       .soft_seconds = limit.soft_seconds.get()};
              },
          .listening_port = [this] { return static_cast<int>(options_.server.network.port.get()); },
          .observer = &replication_cards_,
          .random_seed = random_.next(),
          .files = &files_};
}

bool Composition::give_connection(ClientState& client, ConnectionHandOver next) {
  if (connection_of(client) == nullptr) return false;
  ClientCard& card = *connection_of(client)->card();
  // To Redis a monitor is a replica already, and its PSYNC goes unheard.
  if (card.is(kClientMonitor)) return true;
  subscriptions_.forget(card.inbox);
  client.subscribed = false;
  card.set_flag(kClientReplica, true);
  connection_of(client)->hand_over(std::move(next));
  return true;
}

// Every part's statistics. One more is a row of its part's table, and needs nothing here.
Status::Parts Composition::status_parts(std::string run_id) {
  const auto each_executor = [this](FunctionRef<void(ExecutorCounters&)> visit) {
    for (const auto& worker : workers_) visit(worker->executor().counters());
    visit(replication_.stream_counters());
  };
  MetricTables tables = engine_metrics(engine_, each_executor);
  add_tables(tables, worker_metrics(workers_, loop_counters_));
  add_tables(tables, persistence_metrics(persistence_, file_load_));
  add_tables(tables, replication_metrics(replication_));
  add_tables(tables, errors_.metrics());
  add_tables(tables, {reclaimer_metrics(reclaimer_), shutdown_metrics(shutdown_),
                      pubsub_metrics(subscriptions_), script_metrics(scripting_)});
  return {.options = options_,
          .config = config_,
          .engine = engine_,
          .files = files_,
          .clients = clients_,
          .each_executor = each_executor,
          .run_id = std::move(run_id),
          .tables = std::move(tables)};
}

void Composition::watch_signals() {
  signals_.push_back(loop_.watch_signal(SIGTERM, [this] {
    shut_down_on_signal("SIGTERM", options_.server.shutdown_on_sigterm.get());
  }));
  signals_.push_back(loop_.watch_signal(SIGINT, [this] {
    if (shutdown_.in_progress()) {
      log_warning("You insist... exiting now.");
      std::_Exit(1);
    }
    shut_down_on_signal("SIGINT", options_.server.shutdown_on_sigint.get());
  }));
}

void Composition::shut_down_on_signal(std::string_view name, int how) {
  log_warning("Received {} scheduling shutdown...", name);
  shutdown_.start(how, [](const Result<void>&) {});
}

// On the thread of a script that is busy, which keeps one worker from its loop.
void Composition::answer_others() {
  for (auto& worker : workers_) {
    if (worker->is_own_thread()) worker->hear_others();
  }
}

void Composition::resume_clients() {
  for (auto& worker : workers_) worker->resume_held_back();
}

}  // namespace tandem
