#include "server/composition.h"

#include <csignal>
#include <thread>
#include <utility>

#include "base/logging.h"
#include "commands/table.h"
#include "engine/executor.h"
#include "server/client_commands.h"
#include "server/connection_commands.h"

namespace tandem {
namespace {

constexpr int64_t kTickMs = 10;

void append(std::vector<CommandRow>& rows, std::vector<CommandRow> more) {
  rows.insert(rows.end(), std::make_move_iterator(more.begin()),
              std::make_move_iterator(more.end()));
}

Keyspace::Options keyspace_options(const ServerOptions& options, Random& random) {
  return {.databases = static_cast<int>(options.databases.get()), .hash_seed = random.next()};
}

LogOptions log_options(const ReplicationOptions& options) {
  constexpr int64_t kMsPerSecond = 1000;
  return {.backlog_bytes = static_cast<uint64_t>(options.backlog_bytes.get()),
          .backlog_ms = options.backlog_time_seconds.get() * kMsPerSecond};
}

}  // namespace

Composition::Composition(Options& options, Config& config, uint64_t seed)
    : options_(options),
      config_(config),
      clock_(system_clock()),
      random_(seed),
      limits_(options.encodings.limits(random_.next())),
      keyspace_(keyspace_options(options.server, random_)),
      log_(log_options(options.replication), ReplicationId::generate(random_)),
      registry_(rows()),
      engine_{.keyspace = keyspace_,
              .log = log_,
              .registry = registry_,
              .clock = clock_,
              .limits = limits_,
              .gate = gate_},
      network_(loop_),
      pause_(gate_, clock_, [this] { resume_clients(); }),
      tick_(loop_, [this] { pause_.check(); }),
      replication_network_(replication_loop_),
      replication_thread_(replication_loop_),
      replication_(replication_parts()),
      acceptor_(loop_, network_, options.server.network, [this](AcceptedSocket socket) {
        workers_[next_worker_++ % workers_.size()]->adopt(std::move(socket));
      }) {}

Composition::~Composition() {
  for (auto& worker : workers_) worker->stop();
  for (auto& worker : workers_) worker->join();
  replication_thread_.stop();
}

std::vector<CommandRow> Composition::rows() {
  std::vector<CommandRow> all = engine_rows();
  append(all, keyspace_rows());
  append(all, connection_rows(options_.server.network));
  append(all, client_rows(clients_, pause_));
  append(all, replication_rows(replication_, give_connection));
  return all;
}

Result<void> Composition::start() {
  gate_.set(Gate::kAuthRequired, !options_.server.network.password.empty());
  watch_configuration();
  start_workers();
  start_replication();
  if (auto listening = acceptor_.listen(); !listening) return listening;
  if (auto listening = acceptor_.listen_unix(); !listening) return listening;
  tick_.every_ms(kTickMs);
  watch_signals();
  log_notice("Ready to accept connections tcp");
  return {};
}

int Composition::run() {
  loop_.run();
  return 0;
}

void Composition::watch_configuration() {
  config_.on_change("loglevel", [this]() -> Result<void> {
    set_log_level(options_.server.log_level.get());
    return {};
  });
  config_.on_change("requirepass", [this]() -> Result<void> {
    gate_.set(Gate::kAuthRequired, !options_.server.network.password.empty());
    return {};
  });
}

void Composition::start_workers() {
  const int64_t configured = options_.server.worker_threads.get();
  const size_t count = configured > 0 ? static_cast<size_t>(configured)
                                      : std::max(1u, std::thread::hardware_concurrency());
  for (size_t at = 0; at < count; ++at) {
    auto loop = std::make_unique<UvLoop>();
    auto network = std::make_unique<UvNetwork>(*loop);
    workers_.push_back(std::make_unique<Worker>(
        std::move(loop), std::move(network),
        Worker::Needs{
            .engine = engine_,
            .options = options_.server,
            .clients = clients_,
            .random_seed = random_.next(),
            .leaving = [this](Session& session) { replication_.forget_client(session.id); },
            .log_moved = [this] { replication_.log_moved(); }}));
  }
  for (auto& worker : workers_) worker->start();
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
          .random_seed = random_.next()};
}

bool Composition::give_connection(ClientState& client, ConnectionHandOver next) {
  auto* session = dynamic_cast<Session*>(&client);
  if (session == nullptr) return false;
  session->card().set_flag(kClientReplica, true);
  session->hand_over(std::move(next));
  return true;
}

void Composition::start_replication() {
  const PrimaryAddress primary = options_.replication.primary.get();
  if (!primary.host.empty()) {
    const ExclusiveGuard all(keyspace_);
    replication_.follow(primary.host, primary.port);
  }
  replication_thread_.start(replication_);
}

void Composition::watch_signals() {
  for (const int signal : {SIGTERM, SIGINT}) {
    signals_.push_back(loop_.watch_signal(signal, [this, signal] {
      log_warning("Received {} scheduling shutdown...", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      loop_.stop();
    }));
  }
}

void Composition::resume_clients() {
  for (auto& worker : workers_) worker->resume_held_back();
}

}  // namespace tandem
