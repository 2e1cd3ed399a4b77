#include "replication_sim/node.h"

#include <utility>

#include <xxhash.h>

#include "base/check.h"
#include "rdb/rdb_writer.h"

namespace tandem {

SimNode::SimNode(SimProcess& process, const std::string& name, const SimNodeOptions& options)
    : process_(process),
      name_(name),
      incarnation_(options.incarnation),
      keyspace_({.databases = 2, .hash_seed = process.take_seed()}),
      log_({.block_bytes = options.block_bytes, .backlog_bytes = options.backlog_bytes},
           [&] {
             Random chance(process.take_seed());
             return ReplicationId::generate(chance);
           }()),
      registry_(rows()),
      engine_{.keyspace = keyspace_,
              .log = log_,
              .registry = registry_,
              .clock = process.clock(),
              .limits = limits_,
              .gate = gate_},
      control_({.loop = process.loop(),
                .network = process.network(),
                .engine = engine_,
                .options = options_,
                .lag_limit = [] { return ReplicaLagLimit{}; },
                .listening_port = [] { return int{kPort}; },
                .random_seed = process.take_seed()}),
      executor_(engine_, process.take_seed()),
      flushes_(process.loop()),
      host_{.loop = process.loop(),
            .executor = executor_,
            .options = network_options_,
            .counters = counters_,
            .flushes = flushes_,
            .errors = errors_,
            .lookahead = lookahead_,
            .deliver = [](uint64_t, std::string) {},
            .wake = [](uint64_t) {},
            .held_back = [](Session&) {},
            .orphans = {},
            .leaving = [this](Session& session) { control_.forget_client(session.id); }},
      log_watch_(process.loop(), [this] { follow_log(); }) {
  options_.diskless_sync_delay_seconds.set(options.sync_delay_seconds);
  options_.backlog_bytes.set(static_cast<int64_t>(options.backlog_bytes));
  options_.timeout_seconds.set(10);
  options_.ping_replica_period_seconds.set(2);
  options_.backlog_ttl_seconds.set(0);
  control_.apply_options();
  auto listener = process.network().listen("0.0.0.0", kPort, 16);
  CHECK(listener.has_value(), "a simulated port is free");
  listener_ = std::move(*listener);
  tasks_.spawn(accept(tasks_.token()));
  tasks_.spawn(control_.run(tasks_.token()));
}

SimNode::~SimNode() = default;

std::vector<CommandRow> SimNode::rows() {
  std::vector<CommandRow> all = engine_rows();
  for (CommandRow& row : keyspace_rows()) all.push_back(std::move(row));
  const auto give = [](ClientState& client, ConnectionHandOver next) {
    auto* session = dynamic_cast<Session*>(&client);
    if (session == nullptr) return false;
    session->hand_over(std::move(next));
    return true;
  };
  for (CommandRow& row : replication_rows(control_, give)) all.push_back(std::move(row));
  all.push_back({.name = "ping",
                 .arity = -1,
                 .flags = kFast,
                 .keys = {},
                 .session_handler = [](SessionContext& c) { c.reply.simple("PONG"); },
                 .group = "connection",
                 .since = "1.0.0",
                 .complexity = "O(1)",
                 .summary = "Answers.",
                 .syntax = ""});
  return all;
}

Task<void> SimNode::accept(StopToken stop) {
  for (;;) {
    auto socket = co_await listener_->accept(stop);
    if (!socket) co_return;
    auto stream = process_.network().adopt(std::move(*socket));
    if (stream) tasks_.spawn(serve(std::move(*stream), stop));
  }
}

Task<void> SimNode::serve(std::unique_ptr<ByteStream> stream, StopToken stop) {
  auto card = std::make_shared<ClientCard>();
  card->id = ++last_client_id_;
  Session session(host_, std::move(stream), card, stop);
  co_await session.run();
}

void SimNode::follow_log() {
  if (log_.end() == log_end_seen_) return;
  log_end_seen_ = log_.end();
  control_.log_moved();
}

std::string SimNode::command(int database, const std::vector<std::string>& args) {
  Client client;
  client.database = database;
  const std::vector<Bytes> views(args.begin(), args.end());
  std::string out;
  ReplyWriter reply(out);
  executor_.begin_batch();
  executor_.execute(client, views, {}, reply);
  follow_log();
  return out;
}

void SimNode::expire() {
  executor_.expire_some(INT64_MAX / 4);
  follow_log();
}

NodeObservation SimNode::observe() {
  NodeObservation now;
  now.node = name_;
  now.incarnation = incarnation_ << 20 | control_.link().snapshots_installed.load();
  now.replica = is_replica();
  now.history = log_.history();
  now.end = log_.end();
  // A full sync loses the reader; a new id with the same bytes does not.
  if (reader_ == nullptr || reader_->lost()) {
    reader_ = log_.open_at_end("invariants", 0);
  }
  for (;;) {
    auto bytes = reader_->peek();
    if (!bytes || bytes->empty()) break;
    now.bytes += *bytes;
    reader_->advance(bytes->size());
  }
  now.digest = digest();
  for (const auto& replica : control_.replicas().list()) {
    if (!replica->dropped.load()) now.acknowledged.push_back(replica->acknowledged.load());
  }
  return now;
}

// Data that are there, expired or not: an order of keys or of encodings has no say.
uint64_t SimNode::digest() {
  const ReplicationId id = log_.history().id;
  if (digest_at_ == log_.end() && digest_id_ == id && log_.active()) return digest_;
  uint64_t sum = 0;
  for (int database = 0; database < keyspace_.database_count(); ++database) {
    DatabaseTables* tables = keyspace_.tables(database);
    if (tables == nullptr || tables->keys() == 0) continue;
    for (int i = 0; i < kPartitions; ++i) {
      tables->partition(i).for_each([&](Entry* entry, auto&&...) {
        char digits[kInt64TextMax];
        std::string text;
        StringSink sink(text);
        std::optional<int64_t> expiry;
        if (entry->has_expiry()) expiry = entry->expiry_ms();
        rdb_encode_entry(sink, entry->key(), entry->ref(digits), expiry, {});
        sum += XXH3_64bits_withSeed(text.data(), text.size(), static_cast<uint64_t>(database));
      });
    }
  }
  digest_at_ = log_.end();
  digest_id_ = id;
  digest_ = sum;
  return sum;
}

}  // namespace tandem
