#include "replication_sim/schedule.h"

#include <memory>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/random.h"
#include "replication/invariants.h"
#include "replication_sim/node.h"
#include "sim/process.h"
#include "sim/wire.h"
#include "sim/world.h"

namespace tandem {

namespace {

constexpr int kKeys = 12;
constexpr int64_t kConvergeLimitMs = 120'000;

class Schedule {
 public:
  Schedule(uint64_t seed, const std::function<void(std::string_view)>& trace)
      : world_(seed), chance_(seed * 7919 + 17), trace_(trace) {}

  ScheduleResult run() {
    set_up();
    const int steps = 40 + static_cast<int>(chance_.below(80));
    for (int i = 0; i < steps && !result_.violation; ++i) {
      act();
      world_.run_for_ms(world_.between(0, 3) == 0 ? world_.between(200, 4000)
                                                  : world_.between(0, 60));
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
  };

  template <class... Args>
  void tell(fmt::format_string<Args...> format, Args&&... args) {
    if (!trace_) return;
    trace_(fmt::format("{:8} ms  {}", (world_.now_us() - SimWorld::kStartMonotonicUs) / 1000,
                       fmt::format(format, std::forward<Args>(args)...)));
  }

  void set_up() {
    backlog_bytes_ = uint64_t{256} << chance_.below(6);
    const size_t count = 2 + chance_.below(3);
    for (size_t i = 0; i < count; ++i) {
      const std::string address = fmt::format("10.0.0.{}", i + 1);
      SimProcess& process = world_.add_process(address, fmt::format("node{}", i));
      members_.push_back({.process = &process, .name = fmt::format("node{}", i), .node = nullptr});
      start(i);
    }
    for (size_t i = 1; i < count; ++i) follow(i, 0);
  }

  void start(size_t index) {
    Member& member = members_[index];
    const SimNodeOptions options{.incarnation = ++incarnations_,
                                 .backlog_bytes = backlog_bytes_,
                                 .block_bytes = static_cast<uint32_t>(64 + chance_.below(512)),
                                 .sync_delay_seconds = static_cast<int64_t>(chance_.below(2))};
    member.process->start([&](SimProcess& process) {
      member.node = std::make_shared<SimNode>(process, member.name, options);
      return member.node;
    });
    tell("start {}", member.name);
  }

  void take_down(size_t index) {
    Member& member = members_[index];
    collect_counters(*member.node);
    member.node.reset();
    if (chance_.below(2) == 0) {
      tell("kill {}", member.name);
      member.process->kill();
    } else {
      tell("power loss of {}", member.name);
      member.process->lose_power();
    }
    ++result_.crashes;
  }

  void collect_counters(SimNode& node) {
    result_.full_syncs += node.control().link().full_syncs.load();
    result_.partial_syncs += node.control().link().partial_syncs.load();
  }

  void follow(size_t replica, size_t primary) {
    if (replica == primary || !members_[replica].node) return;
    tell("{} follows {}", members_[replica].name, members_[primary].name);
    members_[replica].node->command(
        0, {"replicaof", members_[primary].process->address(), std::to_string(SimNode::kPort)});
  }

  void promote(size_t index) {
    tell("promote {}", members_[index].name);
    members_[index].node->command(0, {"replicaof", "no", "one"});
    primary_ = index;
    ++result_.promotions;
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
    for (int i = 0; i < count; ++i) write_one(node);
  }

  void write_one(SimNode& node) {
    const int database = static_cast<int>(chance_.below(8) == 0);
    const std::string key = fmt::format("key{}", chance_.below(kKeys));
    const std::string other = fmt::format("key{}", chance_.below(kKeys));
    switch (chance_.below(10)) {
      case 0:
        node.command(database, {"del", key, other});
        break;
      case 1:
        node.command(database, {"append", key, chance_.hex(5)});
        break;
      case 2:
        node.command(database, {"pexpire", key, std::to_string(chance_.below(3000))});
        break;
      case 3:
        node.command(database, {"rename", key, other});
        break;
      case 4:
        node.command(database, {"incr", fmt::format("n{}", chance_.below(3))});
        break;
      case 5:
        node.command(database, {"set", key, chance_.hex(8), "px", "1500"});
        break;
      case 6:
        node.command(database, {"mset", key, chance_.hex(4), other, chance_.hex(30)});
        break;
      case 7:
        node.command(database, {"get", key});
        break;
      case 8:
        if (chance_.below(20) == 0) node.command(database, {"flushall"});
        break;
      default:
        node.command(database, {"set", key, chance_.hex(static_cast<int>(chance_.below(200)))});
    }
  }

  void act() {
    write_some();
    check();
    const size_t a = chance_.below(members_.size());
    const size_t b = chance_.below(members_.size());
    const std::string& from = members_[a].process->address();
    const std::string& to = members_[b].process->address();
    switch (chance_.below(22)) {
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
      case 4:
      case 5:
        tell("heal");
        world_.wire().heal_all();
        break;
      case 6:
        if (members_[a].node && a != primary_) take_down(a);
        break;
      case 7:
        fail_over();
        break;
      case 8:
        if (members_[a].node && a != primary_) promote_with_everyone(a);
        break;
      case 9:
      case 10:
        if (members_[a].node && a != primary_ && b != a) chain(a, b);
        break;
      case 11:
        for (size_t i = 0; i < members_.size(); ++i) {
          if (!members_[i].node) {
            start(i);
            follow(i, primary_);
          }
        }
        break;
      case 12:
        if (members_[a].node) members_[a].process->loop().pause_ms(world_.between(1, 3000));
        break;
      case 13:
        if (members_[a].node && a != primary_) promote_for_a_moment(a);
        break;
      default:
        break;  // only writes
    }
    if (members_[primary_].node) members_[primary_].node->expire();
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

  // Promoted and sent back before its link can have heard of either.
  void promote_for_a_moment(size_t index) {
    tell("promote {} for a moment", members_[index].name);
    SimNode& node = *members_[index].node;
    node.command(0, {"replicaof", "no", "one"});
    for (uint64_t i = chance_.below(3); i > 0; --i) write_one(node);
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
      auto violation = invariants_.observe(member.node->observe());
      if (violation) {
        tell("VIOLATION {}", *violation);
        result_.violation = std::move(violation);
      }
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
    for (size_t i = 0; i < members_.size(); ++i) {
      if (!members_[i].node) start(i);
    }
    if (members_[primary_].node->is_replica()) promote(primary_);
    for (size_t i = 0; i < members_.size(); ++i) follow(i, primary_);
    for (int64_t waited_ms = 0; waited_ms < kConvergeLimitMs; waited_ms += 500) {
      world_.run_for_ms(500);
      check();
      if (result_.violation) return;
      if (converged()) break;
    }
    if (!converged()) {
      result_.violation = "the nodes did not come together after everything was healed";
      for (Member& member : members_) {
        const Position at = member.node->log().position();
        tell("{}: {}:{} link {} ({})", member.name, at.id.text(), at.offset,
             member.node->link_up() ? "up" : "down", member.node->control().link().last_failure());
      }
    }
    for (Member& member : members_) collect_counters(*member.node);
  }

  SimWorld world_;
  Random chance_;
  const std::function<void(std::string_view)>& trace_;
  ScheduleResult result_;
  ReplicationInvariants invariants_;
  std::vector<Member> members_;
  size_t primary_ = 0;
  uint64_t incarnations_ = 0;
  uint64_t backlog_bytes_ = 0;
};

}  // namespace

ScheduleResult run_replication_schedule(uint64_t seed,
                                        const std::function<void(std::string_view)>& trace) {
  Schedule schedule(seed, trace);
  return schedule.run();
}

}  // namespace tandem
