#include "server/node.h"

#include <utility>

#include "commands/table.h"
#include "migration/migration.h"
#include "pubsub/subscription_registry.h"
#include "server/client/client.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

EngineOptions engine_options(const Options& options, uint32_t log_block_bytes, Random& random) {
  constexpr int64_t kMsPerSecond = 1000;
  const ReplicationOptions& replication = options.replication;
  EngineOptions engine;
  engine.limits = options.limits(random.next());
  engine.keyspace = {.databases = static_cast<int>(options.server.databases.get()),
                     .hash_seed = random.next()};
  engine.log = {.block_bytes = log_block_bytes,
                .backlog_bytes = static_cast<uint64_t>(replication.backlog_bytes.get()),
                .backlog_ms = replication.backlog_time_seconds.get() * kMsPerSecond};
  engine.history = ReplicationId::generate(random);
  engine.memory = &options.memory;
  return engine;
}

Loop* loop_of(const ClientState& client) {
  const ClientConnection* connection = connection_of(client);
  return connection != nullptr ? &connection->loop() : nullptr;
}

std::shared_ptr<Subscriber> subscriber_of(ClientState& client) {
  if (connection_of(client) == nullptr) return nullptr;
  const std::shared_ptr<ClientCard>& card = connection_of(client)->card();
  return {card, &card->inbox};
}

}  // namespace

Node::Node(Options& options, Machine machine, Program program)
    : options_(options),
      random_(machine.seed),
      client_executors_(std::move(program.each_executor)),
      engine_(engine_options(options, machine.log_block_bytes, random_), machine.clock),
      notifications_(subscriptions_),
      scripting_({.running = {.gate = engine_.gate,
                              .clock = machine.clock,
                              .busy_after_ms = options.server.script_time_limit_ms,
                              .while_busy = std::move(program.while_script_busy)}}),
      reports_({.gate = engine_.gate,
                .options = options.server,
                .errors = errors_,
                .acl_log = acl_log_,
                .clients = clients_}),
      clients_([this](ClientCard& card) { let_go_of(card); }),
      invalidations_(clients_),
      client_memory_(clients_, options.server.network.clients_memory_max,
                     options.memory.limit_bytes),
      commands_(engine_.registry.add(rows(machine.transfers, program.more_rows))),
      access_({.engine = engine_,
               .clients = clients_,
               .reports = reports_,
               .files = machine.files,
               .options = options.server}),
      replication_cards_({.clients = clients_,
                          .commands = commands_,
                          .clock = machine.clock,
                          .cut_link = [this](uint64_t number) { replication_.cut_link(number); }}),
      replication_(replication_parts(machine)),
      persistence_({.engine = engine_,
                    .options = options.server.persistence,
                    .files = machine.files,
                    .total_changes = [this] { return total_changes(); },
                    .write_bytes = machine.file_write_bytes},
                   std::move(machine.saving)),
      file_load_(
          {.engine = engine_,
           .options = options.server.persistence,
           .files = machine.files,
           .place_log = [this](const AllStripes& all,
                               const DatasetPlace& at) { replication_.continue_from(all, at); }},
          std::move(machine.loading)) {
  engine_.observer = &reports_;
  engine_.functions = &scripting_.functions();
  engine_.key_event_observer = &notifications_;
  engine_.tracking.receiver = &invalidations_;
  options.replication.rdb_compression.set(options.server.persistence.compression.get());
  options.replication.rdb_checksum.set(options.server.persistence.checksum.get());
}

std::vector<CommandRow> Node::rows(Transfers& transfers,
                                   const std::function<std::vector<CommandRow>(Node&)>& more) {
  std::vector<CommandRow> all = engine_rows();
  add_rows(all, keyspace_rows());
  add_rows(all, pubsub_rows(subscriptions_, subscriber_of));
  add_rows(all, scripting_.rows());
  add_rows(all, connection_rows(access_, subscriptions_, reports_));
  add_rows(all, client_rows(clients_, access_.users()));
  add_rows(all, tracking_rows(clients_));
  add_rows(all, acl_rows(access_, options_.server, acl_log_));
  add_rows(all,
           replication_rows(replication_, [this](ClientState& client, ConnectionHandOver next) {
             return hand_over(client, std::move(next));
           }));
  add_rows(all, migration_rows(transfers, loop_of));
  if (more != nullptr) add_rows(all, more(*this));
  return all;
}

ReplicationControl::Parts Node::replication_parts(const Machine& machine) {
  return {.loop = machine.loop,
          .network = machine.network,
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
          .files = &machine.files,
          .apply_crew = machine.apply_crew};
}

// A connection that becomes a replica's.
bool Node::hand_over(ClientState& client, ConnectionHandOver next) {
  if (connection_of(client) == nullptr) return false;
  ClientCard& card = *connection_of(client)->card();
  // To Redis a monitor is a replica already, and its PSYNC goes unheard.
  if (card.is(kClientMonitor)) return true;
  subscriptions_.forget(card.inbox);
  client.set(kSubscribed, false);
  end_tracking(client, engine_.tracking);
  card.set_flag(kClientReplica, true);
  connection_of(client)->hand_over(std::move(next));
  return true;
}

void Node::let_go_of(ClientCard& card) {
  subscriptions_.end(card.inbox);
  engine_.tracking.end(card.id);
  client_memory_.forget(card);
  replication_.forget_client(card.id);
  reports_.remove_monitor(card.id);
}

void Node::start(std::function<void(const FileLoad::Outcome&)> loaded) {
  engine_.slow_command_us = reports_.watched_from_us();
  engine_.track_latency = options_.server.latency_tracking.get();
  engine_.event_choice.set(options_.server.key_events.get());
  engine_.tracking.keys_max.set(options_.server.network.tracking_keys_max.get());
  client_memory_.apply();
  engine_.gate.set(Gate::kDatasetLoading, true);
  const PrimaryAddress primary = options_.replication.primary.get();
  if (!primary.host.empty()) {
    const ExclusiveGuard all(engine_.keyspace);
    replication_.follow(all, primary.host, primary.port);
  }
  file_load_.start(primary.host.empty(), std::move(loaded));
}

void Node::check() {
  engine_.pauses.check(engine_.clock.monotonic_ms());
  if (!engine_.gate.is(Gate::kPeriodicWorkOff)) persistence_.check();
  if (engine_.memory.exists()) engine_.memory.refresh();
}

void Node::end() {
  file_load_.end();
  persistence_.end();
}

Worker::Needs Node::worker_needs(bool expires) {
  return {.engine = engine_,
          .options = options_.server,
          .clients = clients_,
          .access = access_,
          .errors = errors_,
          .client_memory = client_memory_,
          .random_seed = random_.next(),
          .expires = expires,
          .log_moved = [this] { replication_.log_moved(); }};
}

void Node::each_executor(FunctionRef<void(ExecutorCounters&)> visit) {
  client_executors_(visit);
  visit(replication_.stream_counters());
}

int64_t Node::total_changes() {
  uint64_t changes = 0;
  each_executor([&](const ExecutorCounters& executor) { changes += executor.changes.get(); });
  return static_cast<int64_t>(changes);
}

}  // namespace tandem
