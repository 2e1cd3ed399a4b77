// Mechanism: the role changes in change_role() and nowhere else, under all stripes. What follows
// from it runs on the replication loop: the supervisor there compares the generation of the link it
// runs with the one of the moment. If they differ it ends that link and begins what the role asks
// for now. So a change is never lost, and several in a row cost one look.
#include "replication/control.h"

#include <utility>

#include "base/check.h"
#include "base/logging.h"
#include "io/task.h"
#include "resp/request.h"

namespace tandem {
namespace {

constexpr int64_t kTickMs = 1000;

}  // namespace

ReplicationControl::ReplicationControl(Parts parts)
    : parts_(std::move(parts)),
      state_({.engine = parts_.engine,
              .options = parts_.options,
              .progress = progress_,
              .too_few_replicas = [this] { return too_few_replicas(); }}),
      full_syncs_(parts_.loop, parts_.engine, parts_.options, parts_.random_seed ^ 1, parts_.files),
      session_parts_{parts_.engine, parts_.options,   replicas_,
                     full_syncs_,   parts_.lag_limit, parts_.observer},
      stream_executor_(parts_.engine, parts_.random_seed ^ 2),
      random_(parts_.random_seed) {
  // Times count from here: the clock's zero is the machine's start.
  last_ping_ms_ = parts_.loop.clock().monotonic_ms();
  without_replicas_since_ms_.store(last_ping_ms_);
  apply_options();
}

Task<void> ReplicationControl::run(StopToken stop) {
  Scope tasks(stop);
  tasks.spawn(full_syncs_.run(tasks.token()));
  tasks.spawn(each_second(tasks.token()));
  co_await supervise_link(stop);
  co_await tasks.join();
}

// ---- Role ----

void ReplicationControl::follow(const AllStripes& all, std::string host, int port) {
  change_role(all, ReplicaRole{.primary_host = std::move(host), .primary_port = port});
}

void ReplicationControl::promote(const AllStripes& all) { change_role(all, PrimaryRole{}); }

// The database that the file names is the one that its writer's next command took for granted. For
// a replica, that is its primary's next one. A primary selects anew: those who go on with it are at
// this place by other ways, and may have another one selected.
void ReplicationControl::continue_from(const AllStripes& all, const DatasetPlace& place) {
  Log& log = parts_.engine.log;
  const Position& position = place.position;
  if (is_replica()) {
    log.reset(all, position);
    if (place.selected_database) log.select_database(*place.selected_database);
  } else {
    log.reset(all, {.id = fresh_id(), .offset = position.offset});
    log.set_second_id(position.id, position.offset);
  }
  if (place.second) former_.add(*place.second);
}

void ReplicationControl::begin_another_history(const AllStripes& all) {
  CHECK(!is_replica(), "a replica's history is its primary's");
  former_.clear();
  without_replicas_since_ms_.store(parts_.loop.clock().monotonic_ms());
  parts_.engine.log.reset(all, {.id = fresh_id(), .offset = parts_.engine.log.end()});
}

// The only place where the role changes (replication/role.h has the diagram). All stripes are held,
// so each command was executed wholly in the former role or will be wholly in the new one.
void ReplicationControl::change_role(const AllStripes& all, Role next) {
  Engine& engine = parts_.engine;
  const bool was_replica = is_replica();
  const auto* following = std::get_if<ReplicaRole>(&next);
  if (following == nullptr && was_replica) {
    if (engine.log.active()) {
      former_.add_second_of(engine.log.history());
      engine.log.adopt_id(all, fresh_id());
    }
    // The history goes on with our own commands, which select their database anew.
    engine.log.forget_database();
  }
  parts_.options.primary.set(following
                                 ? PrimaryAddress{following->primary_host, following->primary_port}
                                 : PrimaryAddress{});
  // Clients that wait for a key would wait for this server's own writes.
  if (following != nullptr && !was_replica) engine.blocked.end_all(all, kUnblockedByRole);
  state_.change(all, std::move(next));
  // Ours ask again: they learn the new id, or that the history is another.
  replicas_.drop_all();
  state_.settle();
  role_bell_.ring();
}

ReplicationId ReplicationControl::fresh_id() {
  const Guard guard(lock_);
  return ReplicationId::generate(random_);
}

// Level-triggered: whatever the role is now decides what runs; a change ends it and looks again.
Task<void> ReplicationControl::supervise_link(StopToken stop) {
  while (!stop.requested()) {
    const RoleState::View now = state_.view();
    if (is_replica()) replicas_.acknowledged().give_up_waiters();
    std::unique_ptr<Link> link;
    Scope following(stop);
    const auto* replica = std::get_if<ReplicaRole>(&now.role);
    if (replica != nullptr) {
      uint64_t seed = 0;
      {
        const Guard guard(lock_);
        seed = random_.next();
      }
      link = std::make_unique<Link>(
          Link::Parts{parts_.loop, parts_.network, stream_executor_, parts_.options, replicas_,
                      progress_, state_, former_, parts_.observer, parts_.listening_port(),
                      now.generation, parts_.apply_crew},
          *replica, seed);
      following.spawn(link->run(following.token()));
    }
    link_ = link.get();
    while (!stop.requested() && now.generation == parts_.engine.role_generation.load()) {
      co_await role_changed_.wait(stop);
    }
    link_ = nullptr;
    following.request_stop();
    co_await following.join();
  }
}

void ReplicationControl::cut_link(uint64_t connection) {
  parts_.loop.post([this, connection] {
    if (link_ != nullptr) link_->cut(connection);
  });
}

void ReplicationControl::retry_link() {
  parts_.loop.post([this] {
    if (link_ != nullptr) link_->try_now();
  });
}

// ---- Each second ----

Task<void> ReplicationControl::each_second(StopToken stop) {
  for (;;) {
    auto slept = co_await parts_.loop.sleep_ms(kTickMs, stop);
    if (!slept) co_return;
    const int64_t now_ms = parts_.loop.clock().monotonic_ms();
    apply_options();
    parts_.engine.log.trim(now_ms);
#ifndef NDEBUG
    check_invariants();
#endif
    if (!is_replica()) ping_replicas(now_ms);
    retire_backlog(now_ms);
  }
}

void ReplicationControl::apply_options() {
  ReplicationOptions& options = parts_.options;
  Engine& engine = parts_.engine;
  engine.log.set_retention(static_cast<uint64_t>(options.backlog_bytes.get()),
                           options.backlog_time_seconds.get() * 1000);
  state_.settle();
}

// min-replicas-to-write. A replica that leaves is missed at once, one that lags with the next
// second.
bool ReplicationControl::too_few_replicas() const {
  const ReplicationOptions& options = parts_.options;
  const int64_t wanted = options.min_replicas_to_write.get();
  const int64_t lag_ms = options.min_replicas_max_lag_seconds.get() * 1000;
  if (wanted <= 0 || lag_ms <= 0) return false;
  const int64_t now_ms = parts_.engine.clock.monotonic_ms();
  return static_cast<int64_t>(replicas_.good_count(now_ms, lag_ms + kTickMs - 1)) < wanted;
}

// In debug builds, each second. All stripes are held, so that what belongs together is seen
// together.
void ReplicationControl::check_invariants() {
  const ExclusiveGuard all(parts_.engine.keyspace);
  const Log& log = parts_.engine.log;
  NodeState now{.replica = is_replica(),
                .read_only = parts_.engine.gate.is(Gate::kReadOnlyReplica),
                .incarnation = progress_.snapshots_installed.load(),
                .history = log.history(),
                .window = log.window(),
                .cursors = log.cursors(),
                .acknowledged = {}};
  for (const auto& replica : replicas_.list()) {
    if (!replica->dropped.load()) now.acknowledged.push_back(replica->acknowledged.load());
  }
  const auto violation = invariants_.observe(now);
  if (violation) log_warning("Replication's invariants: {}", *violation);
  CHECK(!violation, "what replication rests on holds");
}

// A PING is part of the stream like any command: it moves every replica's offset.
void ReplicationControl::ping_replicas(int64_t now_ms) {
  if (replicas_.count() == 0) return;
  if (now_ms - last_ping_ms_ < parts_.options.ping_replica_period_seconds.get() * 1000) return;
  last_ping_ms_ = now_ms;
  append_control("*1\r\n$4\r\nPING\r\n");
}

// repl-backlog-ttl: with no replica for so long, nothing more is kept. A replica keeps all, for the
// day when it is promoted: the others of its former primary are to go on with it then.
void ReplicationControl::retire_backlog(int64_t now_ms) {
  const int64_t ttl_ms = parts_.options.backlog_ttl_seconds.get() * 1000;
  if (is_replica() || replicas_.count() != 0 || !parts_.engine.log.active() || ttl_ms == 0) {
    without_replicas_since_ms_.store(now_ms);
    return;
  }
  if (now_ms - without_replicas_since_ms_.load() < ttl_ms) return;
  const ExclusiveGuard all(parts_.engine.keyspace);
  // A replica that was let in meanwhile has put the clock back.
  if (now_ms - without_replicas_since_ms_.load() < ttl_ms || is_replica()) return;
  parts_.engine.log.deactivate(all);
  log_notice("The replication backlog is freed after {} seconds without a replica", ttl_ms / 1000);
}

// Any stripe will do: a change of role holds them all.
void ReplicationControl::append_control(Bytes command) {
  {
    StripeSet first;
    first.add(0);
    KeyLocks locks(parts_.engine.keyspace);
    locks.take(first);
    if (!is_replica()) parts_.engine.journal.append_control(locks, command);
  }
  replicas_.wake_all();
}

// ---- Replicas ----

void ReplicationControl::set_hello(uint64_t client_id, const ReplicaHello& hello) {
  const Guard guard(lock_);
  hellos_[client_id] = hello;
}

ReplicaHello ReplicationControl::hello(uint64_t client_id) const {
  const Guard guard(lock_);
  const auto found = hellos_.find(client_id);
  return found == hellos_.end() ? ReplicaHello{} : found->second;
}

void ReplicationControl::forget_client(uint64_t client_id) {
  {
    const Guard guard(lock_);
    hellos_.erase(client_id);
  }
  if (replicas_.drop_killed(client_id)) state_.settle();
}

void ReplicationControl::activate_log(const AllStripes& all) {
  without_replicas_since_ms_.store(parts_.loop.clock().monotonic_ms());
  parts_.engine.log.activate(all, fresh_id());
}

Task<void> ReplicationControl::serve_replica(ByteStream& stream, std::string unread,
                                             SyncRequest request, const ClientState& client,
                                             StopToken stop) {
  {
    ReplicaSession session(session_parts_, stream, std::move(unread), hello(client.id), request,
                           client.id, stop);
    // Whoever killed it before it was listed did not find it.
    if (client.is_killed()) forget_client(client.id);
    co_await session.run();
  }
  state_.settle();
  forget_client(client.id);
}

ReplicationThread::~ReplicationThread() {
  CHECK(!thread_.joinable(), "the replication thread is stopped before it is destroyed");
}

Result<void> ReplicationThread::start() {
  auto thread = Thread::start("replication", [this] { loop_.run(); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  return {};
}

void ReplicationThread::begin(ReplicationControl& control) {
  loop_.post([this, &control] {
    serving_ = true;
    scope_.spawn(serve(control, scope_.token()));
  });
}

void ReplicationThread::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    scope_.request_stop();
    if (!serving_) loop_.stop();
  });
  thread_.join();
}

Task<void> ReplicationThread::serve(ReplicationControl& control, StopToken stop) {
  co_await control.run(stop);
  loop_.stop();
}

}  // namespace tandem
