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
      watch_(options.watch),
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
                .random_seed = process.take_seed(),
                .files = &process.files()}),
      executor_(engine_, process.take_seed()),
      persistence_({.engine = engine_,
                    .options = file_options_,
                    .files = process.files(),
                    .total_changes =
                        [this] {
                          return static_cast<int64_t>(executor_.counters().changes.get() +
                                                      control_.stream_counters().changes.get());
                        },
                    .write_bytes = options.write_bytes},
                   process.make_background([this] { after_save_step(); })),
      file_load_({.engine = engine_,
                  .options = file_options_,
                  .files = process.files(),
                  .place_log = [this](const DatasetPlace& at) { control_.continue_from(at); }},
                 process.make_background()),
      flushes_(process.loop()),
      host_{.loop = process.loop(),
            .executor = executor_,
            .options = network_options_,
            .counters = counters_,
            .flushes = flushes_,
            .errors = errors_,
            .lookahead = lookahead_,
            .deliver = [](uint64_t, std::string) {},
            .held_back = [](Session&) {}},
      log_watch_(process.loop(), [this] { follow_log(); }) {
  options_.diskless_sync_delay_seconds.set(options.sync_delay_seconds);
  options_.backlog_bytes.set(static_cast<int64_t>(options.backlog_bytes));
  options_.timeout_seconds.set(10);
  options_.ping_replica_period_seconds.set(2);
  options_.backlog_ttl_seconds.set(0);
  control_.apply_options();
  file_options_.save_points.set(options.save_points);
  auto listener = process.network().listen("0.0.0.0", kPort, 16);
  CHECK(listener.has_value(), "a simulated port is free");
  listener_ = std::move(*listener);
  tasks_->spawn(accept(tasks_->token()));
  reader_ = log_.open_at_end("invariants", 0);
  gate_.set(Gate::kDatasetLoading, true);
  if (!options.primary.empty()) {
    const ExclusiveGuard all(keyspace_);
    control_.follow(options.primary, kPort);
  }
  file_load_.start(options.primary.empty(),
                   [this](const FileLoad::Outcome& outcome) { on_file_read(outcome); });
}

// Work off the loop (the walk of a full sync) has the data in hand.
SimNode::~SimNode() {
  tasks_.reset();
  process_.loop().drop_work();
}

void SimNode::on_file_read(const FileLoad::Outcome& outcome) {
  // Before the log grows: a history that begins here is to be seen from its first byte on.
  reader_ = log_.open_at_end("invariants", 0);
  watch_.loaded(*this, outcome);
  if (outcome) process_.loop().post([this] { begin_replication(); });
}

void SimNode::begin_replication() {
  gate_.set(Gate::kDatasetLoading, false);
  tasks_->spawn(control_.run(tasks_->token()));
}

// The cut is a save's first step.
void SimNode::after_save_step() {
  if (!std::exchange(saving_, true)) {
    saves_before_ = persistence_.figures().saves;
    watch_.at_cut(*this);
    return;
  }
  if (persistence_.is_under_way()) return;
  saving_ = false;
  watch_.save_ended(*this, persistence_.figures().saves != saves_before_);
}

bool SimNode::save() {
  if (is_loading() || persistence_.is_under_way()) return false;
  watch_.at_cut(*this);
  const bool saved = persistence_.save().has_value();
  watch_.save_ended(*this, saved);
  return saved;
}

std::vector<CommandRow> SimNode::rows() {
  std::vector<CommandRow> all = engine_rows();
  for (CommandRow& row : keyspace_rows()) all.push_back(std::move(row));
  const auto give = [](ClientState& client, ConnectionHandOver next) {
    if (connection_of(client) == nullptr) return false;
    connection_of(client)->hand_over(std::move(next));
    return true;
  };
  for (CommandRow& row : replication_rows(control_, give)) all.push_back(std::move(row));
  all.push_back({.name = "ping",
                 .arity = -1,
                 .flags = kFast | kInStream,
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
    if (stream) tasks_->spawn(serve(std::move(*stream), stop));
  }
}

Task<void> SimNode::serve(std::unique_ptr<ByteStream> stream, StopToken stop) {
  auto card = std::make_shared<ClientCard>();
  card->id = ++last_client_id_;
  Session session(host_, std::move(stream), card, stop);
  co_await session.run();
  control_.forget_client(card->id);
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

void SimNode::tick() {
  persistence_.check();
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

template <class Fn>
void SimNode::for_each_entry(Fn&& fn) {
  for (int database = 0; database < keyspace_.database_count(); ++database) {
    DatabaseTables* tables = keyspace_.tables(database);
    if (tables == nullptr) continue;
    for (int stripe = 0; stripe < kStripes; ++stripe) {
      if (tables->keys_in(stripe) == 0) continue;
      for (int i = 0; i < kPartitionsPerStripe; ++i) {
        tables->partition(stripe * kPartitionsPerStripe + i).for_each([&](Entry* entry, auto&&...) {
          fn(database, *entry);
        });
      }
    }
  }
}

// With the type and the value as a file would hold them: an encoding has no say.
template <class Fn>
void SimNode::for_each_item(Fn&& fn) {
  std::string text;
  StringSink sink(text);
  for_each_entry([&](int database, const Entry& entry) {
    char digits[kInt64TextMax];
    text.clear();
    DataItem item;
    if (entry.has_expiry()) item.expiry_ms = entry.expiry_ms();
    rdb_encode_entry(sink, entry.key(), entry.ref(digits), item.expiry_ms, {.compress = false});
    item.hash = XXH3_64bits_withSeed(text.data(), text.size(), static_cast<uint64_t>(database));
    fn(item);
  });
}

NodeData SimNode::data() {
  NodeData data;
  // To whom loads it, offset 0 is no place: nothing was logged yet (engine/dataset_load.cc).
  if (log_.active() && log_.end() > 0) data.position = log_.position();
  for_each_item([&](const DataItem& item) { data.items.push_back(item); });
  return data;
}

bool SimNode::has_expired_keys() {
  bool found = false;
  const int64_t now_ms = unix_ms();
  for_each_entry([&](int, const Entry& entry) { found |= entry.expired_at(now_ms); });
  return found;
}

// An order of keys has no say.
uint64_t SimNode::digest() {
  uint64_t sum = 0;
  for_each_item([&](const DataItem& item) { sum += item.hash; });
  return sum;
}

}  // namespace tandem
