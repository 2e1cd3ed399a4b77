#include "replication_sim/schedule.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/check.h"
#include "base/random.h"
#include "replication/invariants.h"
#include "replication_sim/clients.h"
#include "replication_sim/node.h"
#include "replication_sim/numbered_keys.h"
#include "replication_sim/oracles.h"
#include "sim/network.h"
#include "sim/process.h"
#include "sim/world.h"

namespace tandem {

namespace {

constexpr int64_t kConvergeLimitMs = 120'000;
// A process may be paused for seconds meanwhile.
constexpr int64_t kLoadLimitMs = 10'000;
constexpr int64_t kClockOffMsMax = 200;
// A connection whose peer reads nothing holds less than any snapshot.
constexpr size_t kSmallWindowBytes = 64;
// repl-timeout of the nodes, twice, and a walk's own delays.
constexpr int64_t kLetGoLimitMs = 30'000;

class Schedule final : private FileObserver {
 public:
  Schedule(uint64_t seed, const std::function<void(std::string_view)>& trace)
      : world_(seed), chance_(seed * 7919 + 17), trace_(trace) {}

  ScheduleResult run() {
    set_up();
    const int steps = 40 + static_cast<int>(chance_.below(80));
    for (int i = 0; i < steps && !result_.violation; ++i) {
      act();
      run_for_ms(world_.between(0, 3) == 0 ? world_.between(200, 4000) : world_.between(0, 60));
      check();
      ++result_.steps;
    }
    if (!result_.violation) converge();
    result_.trace_hash = world_.trace_hash();
    return result_;
  }

 private:
  struct Member {
    SimProcess* process;
    std::string name;
    std::shared_ptr<SimNode> node;  // null while it is down
    std::optional<size_t> follows{};
    DiskOracle disk{};
    std::optional<Resumption> resumption{};  // a replica's, until its first sync
    std::optional<Position> file_place{};    // a primary's that started from a file
  };

  template <class... Args>
  void tell(fmt::format_string<Args...> format, Args&&... args) {
    if (!trace_) return;
    trace_(fmt::format("{:8} ms  {}", (world_.now_us() - SimWorld::kStartMonotonicUs) / 1000,
                       fmt::format(format, std::forward<Args>(args)...)));
  }

  void set_up() {
    backlog_bytes_ = uint64_t{256} << chance_.below(6);
    if (chance_.below(2) == 0) save_points_ = {{.seconds = 1, .changes = 20}};
    const size_t count = 2 + chance_.below(3);
    for (size_t i = 0; i < count; ++i) {
      const std::string address = fmt::format("10.0.0.{}", i + 1);
      SimProcess& process = world_.add_process(address, fmt::format("node{}", i));
      members_.push_back({.process = &process, .name = fmt::format("node{}", i), .node = nullptr});
      // Each machine has its own idea of what has expired.
      process.clock().set_wall_offset_us(world_.between(-kClockOffMsMax, kClockOffMsMax) * 1000);
      start(i, std::nullopt);
    }
    for (size_t i = 1; i < count; ++i) follow(i, 0);
    taker_.emplace(world_.add_process("10.0.0.9", "taker"));
  }

  // As the primary, or as the configuration says, as somebody's replica.
  void start(size_t index, std::optional<size_t> primary) {
    Member& member = members_[index];
    member.follows = primary;
    const SimNodeOptions options{
        .observer = *this,
        .look = [this](SimNode& node) { look_at_numbers(node); },
        .primary = primary ? members_[*primary].process->address() : std::string(),
        .save_points = save_points_,
        .write_bytes = 64 + chance_.below(1024),
        .incarnation = ++incarnations_,
        .backlog_bytes = backlog_bytes_,
        .block_bytes = static_cast<uint32_t>(64 + chance_.below(512)),
        .sync_delay_seconds = static_cast<int64_t>(chance_.below(2))};
    member.process->start([&](SimProcess& process) {
      member.node = std::make_shared<SimNode>(process, member.name, options);
      return member.node;
    });
    tell("start {}{}", member.name, primary ? " as a replica" : "");
  }

  void wait_for_load(size_t index) {
    const SimNode& node = *members_[index].node;
    run_until([&] { return !node.is_loading() || result_.violation; }, kLoadLimitMs);
  }

  // ---- FileObserver ----

  // As a client of the node may, at this moment.
  void look_at_numbers(SimNode& node) {
    if (auto wrong = check_numbers(node.engine())) violate(member_of(node), *wrong);
  }

  Member& member_of(const SimNode& node) {
    for (Member& member : members_) {
      if (member.node.get() == &node) return member;
    }
    CHECK(false, "a node that runs is a member's");
  }

  void at_cut(SimNode& node) override {
    // The history gets the digest of this place, whoever comes to it later.
    check();
    Member& member = member_of(node);
    tell("{} saves, at {}", member.name, node.log().end());
    member.disk.begin_save(node.data());
  }

  void save_ended(SimNode& node, bool saved) override {
    Member& member = member_of(node);
    tell("{} {}", member.name, saved ? "saved" : "did not save");
    member.disk.end_save(saved);
    if (saved) ++result_.saves;
  }

  void loaded(SimNode& node, const FileLoad::Outcome& outcome) override {
    Member& member = member_of(node);
    if (!outcome) return violate(member, fmt::format("cannot start: {}", outcome.error().text));
    NodeData data = node.data();
    // A primary has a new id by now.
    if (*outcome) data.position = (*outcome)->position;
    const bool primary = !node.is_replica();
    auto wrong = member.disk.check_loaded(*outcome ? &data : nullptr,
                                          primary ? std::optional(node.unix_ms()) : std::nullopt);
    if (wrong) return violate(member, *wrong);
    if (!*outcome) return;
    ++result_.restarts_from_disk;
    tell("{} starts from its file, at {}", member.name, node.log().end());
    if (!data.position) return;
    if (primary) {
      member.file_place = data.position;
    } else {
      member.resumption.emplace(*data.position);
    }
  }

  // ---- Time ----

  bool run_until(const std::function<bool()>& done, int64_t limit_ms) {
    return world_.run_until(
        [&] {
          for (Member& member : members_) look_at_resumption(member);
          return done();
        },
        limit_ms);
  }
  void run_for_ms(int64_t duration_ms) {
    run_until([] { return false; }, duration_ms);
  }

  void look_at_resumption(Member& member) {
    if (!member.resumption) return;
    const auto& followed = members_[*member.follows].node;
    using Verdict = Resumption::Verdict;
    const Verdict verdict = member.resumption->look(member.node->control().link(),
                                                    followed ? &followed->log() : nullptr);
    if (verdict == Verdict::kPending) return;
    member.resumption.reset();
    if (verdict == Verdict::kResumed) {
      tell("{} went on from its file", member.name);
      ++result_.resumed;
    }
    if (verdict == Verdict::kFullThoughItHadTheBytes) {
      violate(member, "got a full sync though the bytes from its file's place on were there");
    }
  }

  // Former replicas have taken the id under which a primary went on from its file.
  void look_for_resumed_primary(Member& member) {
    if (!member.file_place) return;
    for (const Member& other : members_) {
      if (!other.node || &other == &member) continue;
      const LogHistory history = other.node->log().history();
      if (history.id != member.node->log().history().id || history.id2 != member.file_place->id ||
          history.id2_valid_until != member.file_place->offset) {
        continue;
      }
      tell("{} went on with {} from its file", other.name, member.name);
      ++result_.resumed_primaries;
      member.file_place.reset();
      return;
    }
  }

  void violate(const Member& member, const std::string& what) {
    if (result_.violation) return;
    result_.violation = fmt::format("{} {}", member.name, what);
    tell("VIOLATION {}", *result_.violation);
  }

  // ---- What happens ----

  void take_down(size_t index) {
    Member& member = members_[index];
    forget_node(member);
    if (chance_.below(2) == 0) {
      tell("kill {}", member.name);
      member.process->kill();
    } else {
      tell("power loss of {}", member.name);
      member.process->lose_power(/*keep_part=*/chance_.below(4) != 0);
    }
    ++result_.crashes;
  }

  void forget_node(Member& member) {
    collect_counters(*member.node);
    member.resumption.reset();
    member.file_place.reset();
    member.node.reset();
  }

  void collect_counters(SimNode& node) {
    result_.full_syncs += node.control().link().full_syncs.load();
    result_.partial_syncs += node.control().link().partial_syncs.load();
    result_.expired_keys += node.expired_keys();
    result_.shared_batches += node.shared_batches();
  }

  void follow(size_t replica, size_t primary) {
    Member& member = members_[replica];
    if (replica == primary || !member.node) return;
    wait_for_load(replica);
    // If it was a primary, its history is known from here on.
    check();
    tell("{} follows {}", member.name, members_[primary].name);
    if (member.resumption && member.follows != primary) member.resumption->redirected();
    member.follows = primary;
    member.node->end_pause();
    member.node->command(
        0, {"replicaof", members_[primary].process->address(), std::to_string(SimNode::kPort)});
  }

  void promote(size_t index) {
    wait_for_load(index);
    tell("promote {}", members_[index].name);
    take_role_from(index);
    primary_ = index;
    ++result_.promotions;
  }

  void take_role_from(size_t index) {
    Member& member = members_[index];
    // What it got as a replica is known from here on.
    check();
    member.node->end_pause();
    member.node->command(0, {"replicaof", "no", "one"});
    member.resumption.reset();
    member.follows.reset();
  }

  // A member that is up, at random; nothing if there is none besides `except`.
  std::optional<size_t> someone_up(std::optional<size_t> except) {
    std::vector<size_t> up;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].node && i != except) up.push_back(i);
    }
    if (up.empty()) return std::nullopt;
    return up[chance_.below(up.size())];
  }

  void write_some() {
    if (!members_[primary_].node) return;
    SimNode& node = *members_[primary_].node;
    const int count = 1 + static_cast<int>(chance_.below(chance_.below(5) == 0 ? 60 : 6));
    for (int i = 0; i < count; ++i) {
      if (chance_.below(8) == 0) write_numbers(node, chance_);
      write_at_random(node, chance_);
    }
  }

  void read_some() {
    const auto reader = someone_up(primary_);
    if (!reader) return;
    for (int i = 0; i < 3; ++i) read_at_random(*members_[*reader].node, chance_);
  }

  void act() {
    write_some();
    read_some();
    check();
    const size_t a = chance_.below(members_.size());
    const size_t b = chance_.below(members_.size());
    const bool replica_up = members_[a].node && a != primary_;
    switch (chance_.below(32)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        disturb_network(a, b);
        break;
      case 6:
        if (replica_up) take_down(a);
        break;
      case 7:
        fail_over();
        break;
      case 8:
        if (replica_up) promote_with_everyone(a);
        break;
      case 9:
      case 10:
        if (replica_up && b != a) chain(a, b);
        break;
      case 11:
      case 12:
        start_who_is_down();
        break;
      case 13:
        if (members_[a].node) members_[a].process->loop().pause_ms(world_.between(1, 3000));
        break;
      case 14:
        if (replica_up) promote_for_a_moment(a);
        break;
      case 15:
      case 16:
      case 17:
        if (members_[a].node) save_in_background(a);
        break;
      case 18:
      case 19:
        if (members_[a].node) crash_while_saving(a);
        break;
      case 20:
        if (members_[a].node) restart_in_order(a);
        break;
      case 21:
      case 22:
        take_slowly_from(a);
        break;
      case 23:
        if (members_[a].node) pause_clients(a);
        break;
      case 24:
        if (replica_up) flip_role(a);
        break;
      default:
        break;  // only writes
    }
    for (Member& member : members_) {
      if (member.node) member.node->tick();
    }
  }

  void disturb_network(size_t a, size_t b) {
    const std::string& from = members_[a].process->address();
    const std::string& to = members_[b].process->address();
    switch (chance_.below(6)) {
      case 0:
      case 1:
        tell("reset {} - {}", from, to);
        if (a != b) world_.wire().reset_connections(from, to);
        break;
      case 2:
        tell("silence {} - {}", from, to);
        if (a != b) world_.wire().drop_silently(from, to);
        break;
      case 3:
        tell("partition {} - {}", from, to);
        if (a != b) world_.wire().partition(from, to);
        break;
      default:
        tell("heal");
        world_.wire().heal_all();
        break;
    }
  }

  // ---- Disks ----

  // One disk in eight fails in this: the file stays the old one.
  void save_in_background(size_t index) {
    Member& member = members_[index];
    if (member.node->is_loading() || !member.node->persistence().begin_background()) return;
    if (chance_.below(8) != 0) return;
    tell("the disk of {} fails", member.name);
    member.process->files().fail_next_syncs(1);
  }

  // At one of the save's steps, or right after them.
  void crash_while_saving(size_t index) {
    if (!members_[index].node->is_loading()) {
      (void)members_[index].node->persistence().begin_background();
    }
    run_for_ms(world_.between(0, 40));
    check();
    take_down(index);
    start_again(index);
  }

  // What a shutdown that saves leaves to the next start.
  void restart_in_order(size_t index) {
    Member& member = members_[index];
    if (chance_.below(2) == 0) run_for_ms(500);  // the replicas have everything
    check();
    if (!member.node->save()) return;
    tell("stop {}", member.name);
    forget_node(member);
    member.process->stop();
    start_again(index);
  }

  // What was a replica follows whom it followed; a primary is one again, and wherever its replicas
  // are further than its file, that is lost.
  void start_again(size_t index) {
    if (chance_.below(2) == 0) run_for_ms(world_.between(0, 300));
    start(index, index == primary_ ? std::nullopt : members_[index].follows);
    if (index == primary_) wait_for_load(index);
  }

  void start_who_is_down() {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].node) continue;
      // Two in three know from their configuration whom to follow, the rest is told.
      const bool told = chance_.below(3) == 0;
      start(i, told ? std::nullopt : std::optional(primary_));
      if (told) follow(i, primary_);
    }
  }

  // A replica of a replica; never in a circle: the one it follows must follow the primary.
  void chain(size_t replica, size_t middle) {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (i != replica && i != primary_) follow(i, primary_);
    }
    follow(replica, middle);
  }

  // The primary dies; a replica takes its place.
  void fail_over() {
    if (!members_[primary_].node) return;
    const auto next = someone_up(primary_);
    if (!next) return;
    take_down(primary_);
    promote_with_everyone(*next);
  }

  void take_slowly_from(size_t index) {
    tell("somebody takes slowly from {}", members_[index].name);
    taker_->turn_to(members_[index].process->address(), SimNode::kPort, chance_);
    ++result_.slow_takers;
  }

  // Its writes, and its primary's stream, are held back for a time.
  void pause_clients(size_t index) {
    Member& member = members_[index];
    const std::string ms = std::to_string(world_.between(1, 3000));
    tell("{} pauses clients for {} ms", member.name, ms);
    const bool all = chance_.below(2) == 0;
    ++result_.pauses;
    member.node->command(0, {"client", "pause", ms, all ? "all" : "write"});
    const uint64_t end = member.node->log().end();
    write_at_random(*member.node, chance_);
    if (member.node->log().end() != end) violate(member, "logged a write in a pause");
  }

  // To and fro, with writes in every role, faster than any link can follow.
  void flip_role(size_t index) {
    wait_for_load(index);
    tell("{} changes its role again and again", members_[index].name);
    for (uint64_t i = 1 + chance_.below(4); i > 0; --i) {
      take_role_from(index);
      write_at_random(*members_[index].node, chance_);
      check();
      follow(index, primary_);
      const uint64_t end = members_[index].node->log().end();
      write_at_random(*members_[index].node, chance_);
      if (members_[index].node->log().end() != end) {
        violate(members_[index], "logged a client's write as a replica");
      }
      ++result_.role_flips;
      if (chance_.below(2) == 0) run_for_ms(world_.between(0, 20));
    }
  }

  // Promoted and sent back before its link can have heard of either.
  void promote_for_a_moment(size_t index) {
    wait_for_load(index);
    tell("promote {} for a moment", members_[index].name);
    SimNode& node = *members_[index].node;
    take_role_from(index);
    for (uint64_t i = chance_.below(3); i > 0; --i) write_at_random(node, chance_);
    check();
    follow(index, primary_);
  }

  void promote_with_everyone(size_t index) {
    promote(index);
    for (size_t i = 0; i < members_.size(); ++i) follow(i, primary_);
  }

  // Primaries first: a history's owner shows its bytes before those who follow it.
  void check() {
    check_those(false);
    check_those(true);
  }

  void check_those(bool replicas) {
    for (Member& member : members_) {
      if (!member.node || result_.violation || member.node->is_replica() != replicas) continue;
      // A log that nobody reads yet names no history.
      if (!member.node->log().active()) continue;
      if (member.node->control().link().unexpected_errors.load() != 0) {
        return violate(member, "could not execute a command of its primary's stream");
      }
      if (auto violation = invariants_.observe(member.node->observe())) {
        tell("VIOLATION {}", *violation);
        result_.violation = std::move(violation);
      }
      look_for_resumed_primary(member);
      look_at_numbers(*member.node);
      if (replicas && member.node->has_expired_keys()) ++result_.expired_on_replicas;
    }
  }

  bool converged() {
    const SimNode& primary = *members_[primary_].node;
    for (Member& member : members_) {
      if (member.node.get() == &primary) continue;
      if (!member.node->is_replica() || !member.node->link_up()) return false;
      if (member.node->log().position() != members_[primary_].node->log().position()) return false;
      if (member.node->digest() != members_[primary_].node->digest()) return false;
    }
    return true;
  }

  void converge() {
    tell("heal everything");
    world_.wire().heal_all();
    taker_->leave();
    const bool clings = chance_.below(2) == 0;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].node) start(i, primary_);
      members_[i].node->end_pause();
    }
    wait_for_load(primary_);
    if (members_[primary_].node->is_replica()) promote(primary_);
    for (size_t i = 0; i < members_.size(); ++i) follow(i, primary_);
    if (clings) cling_to_primary();
    for (int64_t waited_ms = 0; waited_ms < kConvergeLimitMs; waited_ms += 500) {
      run_for_ms(500);
      for (Member& member : members_) {
        member.node->tick();
        // Who could not save refuses writes, and a replica's greeting, until he can.
        if (!member.node->persistence().figures().last_save_ok) {
          (void)member.node->persistence().begin_background();
        }
      }
      check();
      if (result_.violation) return;
      if (converged()) break;
    }
    if (!converged()) {
      result_.violation = "the nodes did not come together after everything was healed";
      for (Member& member : members_) {
        const Position at = member.node->log().position();
        tell("{}: {}:{} link {} ({})", member.name, at.id.text(), at.offset,
             member.node->link_up() ? "up" : "down", member.node->control().view().failure);
      }
    }
    if (clings) see_it_let_go();
    for (Member& member : members_) collect_counters(*member.node);
  }

  // Somebody takes nothing of a full sync while all others come together.
  void cling_to_primary() {
    tell("somebody takes nothing from {}", members_[primary_].name);
    world_.wire().options().window_bytes = kSmallWindowBytes;
    taker_->cling_to(members_[primary_].process->address(), SimNode::kPort, chance_);
    run_until([this] { return taker_->is_served(); }, kLoadLimitMs);
  }

  void see_it_let_go() {
    if (result_.violation) return;
    run_until([this] { return !taker_->is_served(); }, kLetGoLimitMs);
    if (taker_->is_served()) {
      result_.violation = "who takes nothing of its full sync keeps its place";
    } else {
      ++result_.takers_let_go;
    }
  }

  SimWorld world_;
  Random chance_;
  const std::function<void(std::string_view)>& trace_;
  ScheduleResult result_;
  ReplicationInvariants invariants_;
  std::vector<Member> members_;
  std::optional<SlowTaker> taker_;
  size_t primary_ = 0;
  uint64_t incarnations_ = 0;
  uint64_t backlog_bytes_ = 0;
  std::vector<SavePoint> save_points_;
};

}  // namespace

void ScheduleResult::add(const ScheduleResult& other) {
  steps += other.steps;
  full_syncs += other.full_syncs;
  partial_syncs += other.partial_syncs;
  promotions += other.promotions;
  crashes += other.crashes;
  role_flips += other.role_flips;
  pauses += other.pauses;
  slow_takers += other.slow_takers;
  takers_let_go += other.takers_let_go;
  shared_batches += other.shared_batches;
  saves += other.saves;
  restarts_from_disk += other.restarts_from_disk;
  resumed += other.resumed;
  resumed_primaries += other.resumed_primaries;
  expired_keys += other.expired_keys;
  expired_on_replicas += other.expired_on_replicas;
}

ScheduleResult run_replication_schedule(uint64_t seed,
                                        const std::function<void(std::string_view)>& trace) {
  Schedule schedule(seed, trace);
  return schedule.run();
}

}  // namespace tandem
