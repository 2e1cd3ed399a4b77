#include "replication_sim/node.h"

#include <utility>

#include <xxhash.h>

#include "base/check.h"
#include "rdb/rdb_writer.h"

namespace tandem {
namespace {

// What its configuration would say.
std::unique_ptr<Options> server_options(const SimNodeOptions& options) {
  auto made = std::make_unique<Options>();
  Options& all = *made;
  all.server.databases.set(2);
  all.server.network.protected_mode.set(false);
  all.server.network.port.set(SimNode::kPort);
  all.server.persistence.save_points.set(options.save_points);
  ReplicationOptions& replication = all.replication;
  replication.diskless_sync_delay_seconds.set(options.sync_delay_seconds);
  replication.backlog_bytes.set(static_cast<int64_t>(options.backlog_bytes));
  replication.timeout_seconds.set(10);
  replication.ping_replica_period_seconds.set(2);
  replication.backlog_ttl_seconds.set(0);
  if (!options.primary.empty()) replication.primary.set({options.primary, SimNode::kPort});
  return made;
}

}  // namespace

SimNode::SimNode(SimProcess& process, const std::string& name, const SimNodeOptions& options)
    : process_(process),
      name_(name),
      incarnation_(options.incarnation),
      observer_(options.observer),
      options_(server_options(options)),
      apply_crew_(process.take_seed(),
                  [this, look = options.look] {
                    if (look != nullptr) look(*this);
                  }),
      transfers_(process.loop(), process.network()),
      node_(*options_, machine(options),
            {.each_executor = [this](FunctionRef<void(ExecutorCounters&)> visit) {
              visit(worker_->executor().counters());
            }}) {
  // tick() deletes what is over.
  worker_.emplace(process.loop(), process.network(), node_.worker_needs(/*expires=*/false));
  node_.engine().pauses.over = [this] { worker_->resume_held_back(); };
  node_.replication().apply_options();
  auto listener = process.network().listen("0.0.0.0", kPort, 16);
  CHECK(listener.has_value(), "a simulated port is free");
  listener_ = std::move(*listener);
  tasks_->spawn(accept(tasks_->token()));
  reader_ = log().open_at_end("invariants", 0);
  node_.start([this](const FileLoad::Outcome& outcome) { on_file_read(outcome); });
}

Node::Machine SimNode::machine(const SimNodeOptions& options) {
  return {.loop = process_.loop(),
          .network = process_.network(),
          .files = process_.files(),
          .clock = process_.clock(),
          .saving = process_.make_background([this] { after_save_step(); }),
          .loading = process_.make_background(),
          .seed = process_.take_seed(),
          .transfers = transfers_,
          .apply_crew = &apply_crew_,
          .log_block_bytes = options.block_bytes,
          .file_write_bytes = options.write_bytes};
}

// Work off the loop (the walk of a full sync) has the data in hand.
SimNode::~SimNode() {
  tasks_.reset();
  worker_.reset();
  process_.loop().drop_work();
}

void SimNode::on_file_read(const FileLoad::Outcome& outcome) {
  // Before the log grows: a history that begins here is to be seen from its first byte on.
  reader_ = log().open_at_end("invariants", 0);
  observer_.loaded(*this, outcome);
  if (outcome) process_.loop().post([this] { begin_replication(); });
}

void SimNode::begin_replication() {
  node_.begin();
  tasks_->spawn(node_.replication().run(tasks_->token()));
}

// The cut is a save's first step.
void SimNode::after_save_step() {
  if (!std::exchange(saving_, true)) {
    saves_before_ = persistence().figures().saves;
    observer_.at_cut(*this);
    return;
  }
  if (persistence().is_under_way()) return;
  saving_ = false;
  observer_.save_ended(*this, persistence().figures().saves != saves_before_);
}

bool SimNode::save() {
  if (is_loading() || persistence().is_under_way()) return false;
  observer_.at_cut(*this);
  const bool saved = persistence().save().has_value();
  observer_.save_ended(*this, saved);
  return saved;
}

Task<void> SimNode::accept(StopToken stop) {
  for (;;) {
    auto socket = co_await listener_->accept(stop);
    if (!socket) co_return;
    worker_->adopt(std::move(*socket), node_.clients().next_id());
  }
}

std::string SimNode::command(int database, const std::vector<std::string>& args) {
  Client client;
  client.database = database;
  return execute(client, args);
}

std::string SimNode::transaction(int database,
                                 const std::vector<std::vector<std::string>>& commands) {
  Client client;
  client.database = database;
  execute(client, {"multi"});
  for (const auto& args : commands) execute(client, args);
  return execute(client, {"exec"});
}

std::string SimNode::execute(Client& client, const std::vector<std::string>& args) {
  const std::vector<Bytes> views(args.begin(), args.end());
  std::string out;
  ReplyWriter reply(out);
  worker_->executor().begin_batch();
  worker_->executor().execute(client, views, {}, reply);
  node_.replication().log_moved();
  return out;
}

void SimNode::tick() {
  node_.check();
  worker_->executor().expire_some(INT64_MAX / 4);
  node_.replication().log_moved();
}

NodeObservation SimNode::observe() {
  NodeObservation now;
  now.node = name_;
  now.incarnation = incarnation_ << 20 | control().link().snapshots_installed.load();
  now.replica = is_replica();
  now.history = log().history();
  now.end = log().end();
  // A full sync loses the reader; a new id with the same bytes does not.
  if (reader_ == nullptr || reader_->lost()) {
    reader_ = log().open_at_end("invariants", 0);
  }
  for (;;) {
    auto bytes = reader_->peek();
    if (!bytes || bytes->empty()) break;
    now.bytes += *bytes;
    reader_->advance(bytes->size());
  }
  now.digest = digest();
  for (const auto& replica : control().replicas().list()) {
    if (!replica->dropped.load()) now.acknowledged.push_back(replica->acknowledged.load());
  }
  return now;
}

template <class Fn>
void SimNode::for_each_entry(Fn&& fn) {
  Keyspace& keyspace = node_.engine().keyspace;
  for (int database = 0; database < keyspace.database_count(); ++database) {
    DatabaseTables* tables = keyspace.tables(database);
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

// Keys with the type and the value as a file would hold them (an encoding has no say), and
// libraries of functions.
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
  for (const auto& [name, library] : node_.scripting().functions().seen()->libraries()) {
    fn(DataItem{.hash = XXH3_64bits(library->code->data(), library->code->size())});
  }
}

NodeData SimNode::data() {
  NodeData data;
  if (log().active()) data.position = log().position();
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
