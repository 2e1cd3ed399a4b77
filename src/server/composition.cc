#include "server/composition.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "config/title_template.h"
#include "engine/batch_executor.h"
#include "engine/executor.h"
#include "io/background.h"
#include "io/process.h"
#include "pubsub/subscription_registry.h"
#include "replication/info.h"
#include "script/scripting.h"
#include "server/commands/debug.h"
#include "server/commands/rows.h"
#include "server/status/metrics.h"
#include "stats/memory.h"

namespace tandem {
namespace {

constexpr int kRunIdDigits = 40;
constexpr int64_t kTickMs = 100;
// For files, listeners and links; as many as Redis sets aside.
constexpr int64_t kDescriptorsReserved = 32;
constexpr int64_t kDescriptorsPerLoop = 4;

}  // namespace

Composition::Composition(Options& options, Config& config, Process process, uint64_t seed)
    : options_(options),
      config_(config),
      process_(std::move(process)),
      clock_(system_clock()),
      random_(seed),
      replication_network_(replication_loop_),
      replication_thread_(replication_loop_),
      apply_crew_("apply", ReplicationOptions::kApplyThreadsMax - 1,
                  BatchExecutor::kSharedCommandsMin),
      transfers_network_(transfers_loop_),
      transfers_(transfers_loop_, transfers_network_),
      node_(options,
            {.loop = replication_loop_,
             .network = replication_network_,
             .files = files_,
             .clock = clock_,
             .saving = std::make_unique<ThreadBackground>("snapshot-file"),
             .loading = std::make_unique<ThreadBackground>("file-load"),
             .seed = random_.next(),
             .transfers = transfers_,
             .apply_crew = &apply_crew_},
            {.each_executor =
                 [this](FunctionRef<void(ExecutorCounters&)> visit) {
                   for (const auto& worker : workers_) visit(worker->executor().counters());
                 },
             .more_rows = [this](Node& node) { return rows(node); },
             .while_script_busy = [this] { answer_others(); }}),
      engine_(node_.engine()),
      gate_(engine_.gate),
      network_(loop_),
      tick_(loop_, [this] { every_tick(); }),
      acceptor_(loop_, network_, options.server.network,
                [this](AcceptedSocket socket) { deal(std::move(socket)); }),
      status_(status_parts(random_.hex(kRunIdDigits))),
      shutdown_({.gate = gate_,
                 .pauses = engine_.pauses,
                 .journal = engine_.journal,
                 .snapshot_turn = engine_.snapshot_turn,
                 .persistence = node_.persistence(),
                 .file_load = node_.file_load(),
                 .log = engine_.log,
                 .replicas = node_.replication().replicas(),
                 .timeout_seconds = options.server.shutdown_timeout_seconds,
                 .end_commands =
                     [this] {
                       transfers_.refuse(true);
                       {
                         const ExclusiveGuard all(engine_.keyspace);
                         engine_.journal.close(all);
                       }
                       transfers_.refuse(false);
                     },
                 .stop_scripts = [this] { node_.scripting().control().abort(); },
                 .leave = [this] { loop_.stop(); },
                 .begins = [this] { process_.supervision.stopping(); }}),
      hooks_({.options = options,
              .config = config,
              .engine = engine_,
              .access = node_.access(),
              .reports = node_.reports(),
              .client_memory = node_.client_memory(),
              .persistence = node_.persistence(),
              .replication = node_.replication(),
              .main_loop = loop_,
              .acceptor = acceptor_,
              .left_main_loop = left_loop_,
              .clients_allowed = [this] { return clients_allowed(); },
              .show_title = [this] { return this->show_title(); },
              .fit_apply_threads = [this] { return this->fit_apply_threads(); }}) {
  engine_.pauses.over = [this] { resume_clients(); };
  engine_.used_memory_bytes = [this] { return read_memory(files_).used_bytes; };
  engine_.snapshot_helpers = snapshot_helpers();
  engine_.free_later = [this](Garbage garbage) { reclaimer_.free_later(std::move(garbage)); };
}

// Whoever waits for a transfer is told first that there will be none.
Composition::~Composition() {
  transfers_.stop();
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
  replication_thread_.stop();
  node_.end();
}

Result<void> Composition::rename_commands() {
  for (const CommandRename& rename : config_.renames()) {
    if (auto done = engine_.registry.rename(rename.from, rename.to); !done) {
      return fail(ErrorCode::kInvalid, rename.report + done.error().text);
    }
  }
  return {};
}

Result<void> Composition::declare_users() { return node_.access().begin(config_.users()); }

// Of what stands around the node.
std::vector<CommandRow> Composition::rows(Node& node) {
  std::vector<CommandRow> all = config_rows(config_, [this] { status_.reset(); });
  add_rows(all, command_rows());
  add_rows(all, persistence_rows(node.persistence(), shutdown_));
  add_rows(all, report_rows(node.reports(), status_));
  add_rows(all, latency_rows(node.reports(), status_));
  add_rows(all, lolwut_rows());
  add_rows(all, debug_rows({.options = options_.server,
                            .config = config_,
                            .persistence = node.persistence(),
                            .file_load = node.file_load(),
                            .replication = node.replication()}));
  add_rows(all, memory_rows(status_));
  return all;
}

Result<void> Composition::start() {
  if (auto fitted = fit_clients(); !fitted) return fitted;
  hooks_.install();
  make_workers();
  if (auto started = start_threads(); !started) return started;
  node_.start([this](const FileLoad::Outcome& outcome) {
    loop_.post([this, outcome] { on_loaded(outcome); });
  });
  if (auto listening = acceptor_.listen(); !listening) return listening;
  if (auto listening = acceptor_.listen_unix(); !listening) return listening;
  if (!acceptor_.is_listening()) return fail(ErrorCode::kIo, "configured to listen nowhere");
  tick_.every_ms(kTickMs);
  handle_signals();
  return show_title();
}

// All that there will be: the lack of one is known now, and not when a client needs it.
Result<void> Composition::start_threads() {
  if (auto started = shutdown_.prepare(); !started) return started;
  if (auto started = reclaimer_.start(); !started) return started;
  if (auto started = replication_thread_.start(); !started) return started;
  if (auto started = transfers_.start(); !started) return started;
  if (auto started = fit_apply_threads(); !started) return started;
  for (size_t at = 0; at < workers_.size(); ++at) {
    if (auto started = workers_[at]->start(at); !started) return started;
  }
  return {};
}

// The link's own thread is one of them.
Result<void> Composition::fit_apply_threads() {
  const int64_t configured = options_.replication.apply_threads.get();
  const int64_t processors = std::max(1u, std::thread::hardware_concurrency());
  const int64_t threads =
      configured > 0 ? configured : std::min(processors, ReplicationOptions::kApplyThreadsAtFirst);
  return apply_crew_.resize(static_cast<int>(threads) - 1);
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
  node_.check();
  status_.sample();
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
  node_.begin();
  replication_thread_.begin(node_.replication());
  if (acceptor_.listens_on_tcp()) log_notice("Ready to accept connections tcp");
  if (acceptor_.listens_on_unix()) log_notice("Ready to accept connections unix");
  process_.supervision.ready(node_.replication().is_replica());
}

// A script holds its worker, and before long all the others. While one does so for long, who comes
// now is served by a worker that nobody else is on, so that SCRIPT KILL always finds an ear.
void Composition::deal(AcceptedSocket socket) {
  const size_t usual = workers_.size() - 1;
  const size_t at = gate_.is(Gate::kBusyScript) ? usual : next_worker_++ % usual;
  workers_[at]->adopt(std::move(socket), node_.clients().next_id());
}

size_t Composition::worker_count() const {
  const int64_t configured = options_.server.worker_threads.get();
  const size_t usual = configured > 0 ? static_cast<size_t>(configured)
                                      : std::max(1u, std::thread::hardware_concurrency());
  return usual + 1;  // and the one for busy times and expiry
}

// One processor less than there are, for the walker has one. They have the least claim on it, so
// where workers are busy on all of them this is no more than an offer.
int Composition::snapshot_helpers() {
  constexpr unsigned kMost = 3;
  return static_cast<int>(std::min(kMost, std::max(1u, std::thread::hardware_concurrency()) - 1));
}

// As many of `maxclients` as the system has descriptors for, once its limit is raised.
int64_t Composition::clients_allowed() const {
  const int64_t wanted = options_.server.network.clients_max.get();
  const auto loops = static_cast<int64_t>(worker_count()) + 3;
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
    WorkerLoop& under = *worker_loops_.emplace_back(std::make_unique<WorkerLoop>());
    workers_.push_back(std::make_unique<Worker>(under.loop, under.network,
                                                node_.worker_needs(/*expires=*/at + 1 == count)));
  }
  engine_.memory.on_help_wanted = [this] { workers_.back()->go_on_evicting(); };
}

// Every part's statistics. One more is a row of its part's table, and needs nothing here.
Status::Parts Composition::status_parts(std::string run_id) {
  const auto each_executor = [this](FunctionRef<void(ExecutorCounters&)> visit) {
    node_.each_executor(visit);
  };
  MetricTables tables = engine_metrics(engine_, each_executor);
  add_tables(tables, worker_metrics(workers_, [this](FunctionRef<void(LoopCounters&)> visit) {
               for (const auto& under : worker_loops_) visit(under->loop.counters());
             }));
  add_tables(tables, persistence_metrics(node_.persistence(), node_.file_load()));
  add_tables(tables, replication_metrics(node_.replication()));
  add_tables(tables, node_.errors().metrics());
  add_tables(tables,
             {reclaimer_metrics(reclaimer_), shutdown_metrics(shutdown_),
              client_memory_metrics(node_.client_memory()), pubsub_metrics(node_.subscriptions()),
              script_metrics(node_.scripting()), acl_metrics(node_.acl_log())});
  return {.options = options_,
          .config = config_,
          .engine = engine_,
          .files = files_,
          .clients = node_.clients(),
          .each_executor = each_executor,
          .run_id = std::move(run_id),
          .tables = std::move(tables)};
}

void Composition::handle_signals() {
  signals_.push_back(loop_.handle_signal(SIGTERM, [this] {
    shut_down_on_signal("SIGTERM", options_.server.shutdown_on_sigterm.get());
  }));
  signals_.push_back(loop_.handle_signal(SIGINT, [this] {
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
