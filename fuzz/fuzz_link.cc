// Any bytes at all from a primary to the replica that follows it: greeting, snapshot and stream, in
// any pieces, connection after connection (link_script.h says how an input is read).
//
// Properties, after each step of the simulated world:
//   1. The invariants of one node hold (replication/invariants.h): its log does not go back, ...
//   2. Keys come and go only with the log's end or by a new snapshot.
//   3. Reads count as stale whenever the link does not follow.
// After each connection:
//   4. What the log gained are the very bytes that came behind the answer or the snapshot, and what
//      it held before has not changed; the history is the one that the answer told.
//   5. Without a whole snapshot, that ends as announced, nothing is replaced.
//   6. The data are what comes of that snapshot and those bytes when they are executed plainly.
//   7. The replica asked for the place it held, or for all once its stream was no commands; and it
//      acknowledged nothing that it did not have.
// And:
//   8. Whatever comes, the link is back at its pause within a bounded time.
//   9. How the bytes are cut into pieces changes nothing.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/logging.h"
#include "base/number.h"
#include "link_world.h"
#include "replication/invariants.h"

namespace tandem {
namespace {

// The longest pause before another try is two minutes, after a snapshot that is not supported.
constexpr int64_t kVisitMsMax = 140'000;
constexpr uint64_t kStepsBeforeAbandoned = 128;

// The replica as it was left by a connection.
struct Standing {
  LogHistory history;
  uint64_t first = 0;
  std::string log;
  Dataset data;
  uint64_t installed = 0;
  int64_t continued = 0;
  int64_t full_syncs = 0;
  int64_t failed_commands = 0;
  std::string ended;

  uint64_t end() const { return first + log.size(); }
};

bool same(const LogHistory& a, const LogHistory& b) {
  return a.id == b.id && a.id2 == b.id2 && a.id2_valid_until == b.id2_valid_until;
}

// Cuts the last line that is not empty off the text, and gives it without its end.
Bytes take_last_line(Bytes& text) {
  while (!text.empty()) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    const size_t begin = text.rfind('\n') + 1;
    Bytes line = text.substr(begin);
    text = text.substr(0, begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return line;
  }
  return {};
}

void check_same(const Standing& a, const Standing& b) {
  CHECK(a.ended == b.ended, "the pieces do not change why a connection ends");
  CHECK(same(a.history, b.history) && a.first == b.first, "the pieces do not change the history");
  CHECK(a.log == b.log, "the pieces do not change the log");
  CHECK(a.data == b.data, "the pieces do not change the data");
  CHECK(a.installed == b.installed && a.continued == b.continued && a.full_syncs == b.full_syncs &&
            a.failed_commands == b.failed_commands,
        "the pieces do not change what is counted");
}

class Trial {
 public:
  Trial(const LinkScript& script, size_t piece_bytes_max) : script_(script), world_(script.seed) {
    world_.wire().options().partial_one_in = piece_bytes_max == 0 ? 0 : 3;
    primary_process_.start([&](SimProcess& process) {
      primary_ = std::make_shared<ScriptedPrimary>(process, script.visits, piece_bytes_max);
      return primary_;
    });
    replica_process_.start([&](SimProcess& process) {
      replica_ = std::make_shared<FuzzedReplica>(process, clock_, script.holds_position);
      return replica_;
    });
    before_ = standing();
    keys_ = key_count(replica_->keyspace);
  }
  ~Trial() {
    primary_.reset();
    replica_.reset();
    primary_process_.stop();
    replica_process_.stop();
  }

  // A standing for each visit that came to its end.
  std::vector<Standing> run() {
    uint64_t steps_left = UINT64_MAX;
    if (script_.is_abandoned) steps_left = world_.chance().below(kStepsBeforeAbandoned) + 1;
    const auto done = [&] {
      observe();
      return ended_.size() == script_.visits.size() || --steps_left == 0;
    };
    const int64_t limit_ms = kVisitMsMax * static_cast<int64_t>(script_.visits.size());
    CHECK(world_.run_until(done, limit_ms), "whatever comes, a connection ends");
    return std::move(ended_);
  }

 private:
  void observe() {
    const LinkProgress& progress = replica_->progress;
    check_step();
    const size_t connections = progress.connections.load();
    if (connections == ended_.size()) return;
    CHECK(connections == ended_.size() + 1, "one connection at a time");
    interfere();
    const LinkPhase phase = progress.phase.load();
    if (phase != LinkPhase::kWaitingToRetry && phase != LinkPhase::kStopped) return;
    if (primary_->visits_over != connections) return;  // its ears are behind
    Standing now = standing();
    check_connection(now);
    before_ = now;
    bytes_before_ = progress.bytes_received.load();
    was_interfered_ = false;
    ended_.push_back(std::move(now));
    // Behind a snapshot that is not supported it would wait for long.
    if (phase != LinkPhase::kStopped) return;
    replica_process_.loop().post([this] { replica_->link.try_now(); });
  }

  void check_step() {
    Log& log = replica_->log;
    const uint64_t installed = replica_->progress.snapshots_installed.load();
    const auto violation = invariants_.observe({.replica = true,
                                                .read_only = false,
                                                .incarnation = installed,
                                                .history = log.history(),
                                                .window = log.window(),
                                                .cursors = {},
                                                .acknowledged = {}});
    CHECK(!violation, "the invariants of one node hold");
    const int64_t keys = key_count(replica_->keyspace);
    CHECK(keys == keys_ || log.end() != end_ || installed != installed_,
          "data change with the log or by a snapshot");
    CHECK(replica_->gate.is(Gate::kLinkDown) != replica_->progress.following(),
          "who does not follow is stale");
    keys_ = keys;
    end_ = log.end();
    installed_ = installed;
  }

  // What the primary cannot do itself, once it has said everything.
  void interfere() {
    const Leave leave = script_.visits[ended_.size()].leave;
    if (was_interfered_ || primary_->visits_said != ended_.size() + 1) return;
    was_interfered_ = true;
    if (leave == Leave::kIsReset) {
      world_.wire().reset_connections(primary_process_.address(), replica_process_.address());
    }
    if (leave == Leave::kIsKilled) {
      replica_process_.loop().post(
          [this] { replica_->link.cut(replica_->progress.connections.load()); });
    }
  }

  Standing standing() {
    const LinkProgress& progress = replica_->progress;
    return {.history = replica_->log.history(),
            .first = replica_->log.window().first,
            .log = held_bytes(replica_->log),
            .data = dataset(replica_->keyspace),
            .installed = progress.snapshots_installed.load(),
            .continued = progress.partial_syncs.load(),
            .full_syncs = progress.full_syncs.load(),
            .failed_commands = progress.unexpected_errors.load(),
            .ended = replica_->failure()};
  }

  void check_connection(const Standing& now) {
    const bool loaded = now.installed != before_.installed;
    const bool continued = now.continued != before_.continued;
    CHECK(!loaded || !continued, "one answer, one way to follow");
    if (loaded || continued) {
      check_stream(now, loaded);
      CHECK(now.data == mirror_.data(), "the data are what the snapshot and the log make of them");
    } else {
      CHECK(same(now.history, before_.history) && now.log == before_.log, "the log stays");
      CHECK(now.data == before_.data, "the data stay");
    }
    check_requests(now);
    CHECK(!now.ended.empty(), "a connection ends for a reason");
    in_doubt_ = now.ended.starts_with("the primary's stream: ") || (in_doubt_ && !loaded);
    was_killed_ = now.ended.starts_with("CLIENT KILL") || (was_killed_ && !loaded);
  }

  // The bytes that came are the preface, the stream up to the log's end, and what was pending.
  void check_stream(const Standing& now, bool loaded) {
    const LinkProgress& progress = replica_->progress;
    const Visit& visit = primary_->visit(ended_.size());
    const uint64_t start = loaded ? now.first : before_.end();
    const auto came = static_cast<size_t>(progress.bytes_received.load() - bytes_before_);
    const uint64_t pending_end = progress.read_offset.load();
    CHECK(start <= now.end() && now.end() <= pending_end, "the offsets are in order");
    CHECK(pending_end - start <= came && came <= visit.bytes.size(), "nothing is made up");
    const size_t preface = came - (pending_end - start);
    if (visit.full_sync || (visit.continues && !loaded)) {
      CHECK(preface == visit.scripted, "the stream begins where the preface ends");
    }
    if (loaded) {
      check_snapshot(now, Bytes(visit.bytes).substr(0, preface));
    } else {
      check_continue(now, Bytes(visit.bytes).substr(0, preface));
    }
    const Bytes gained = Bytes(now.log).substr(start - now.first);
    CHECK(gained == Bytes(visit.bytes).substr(preface, gained.size()), "the log has what came");
    mirror_.execute(gained);
  }

  void check_snapshot(const Standing& now, Bytes preface) {
    const LinkProgress& progress = replica_->progress;
    const size_t mark_size = progress.snapshot_bytes_total.load() < 0 ? kTransferMarkBytes : 0;
    const auto size = static_cast<size_t>(progress.snapshot_bytes_read.load());
    CHECK(preface.size() > size + mark_size, "a snapshot comes behind an answer");
    const Bytes mark = preface.substr(preface.size() - mark_size);
    preface.remove_suffix(mark_size);
    mirror_.load(preface.substr(preface.size() - size));
    preface.remove_suffix(size);
    const auto header = parse_transfer_header(take_last_line(preface));
    CHECK(header.has_value(), "a snapshot comes behind its header");
    CHECK(header->mark ? *header->mark == mark : header->length == size, "it ends as announced");
    const auto answer = parse_sync_answer(take_last_line(preface));
    CHECK(answer && std::holds_alternative<FullResync>(*answer),
          "the header comes behind an answer");
    const Position told = std::get<FullResync>(*answer).position;
    CHECK(told.id == now.history.id && told.offset == now.first, "the history is the one told");
    CHECK(now.history.id2.is_none(), "a snapshot has no earlier history");
  }

  void check_continue(const Standing& now, Bytes preface) {
    CHECK(now.first == before_.first && now.log.starts_with(before_.log), "the log only grows");
    const auto answer = parse_sync_answer(take_last_line(preface));
    CHECK(answer && std::holds_alternative<Continue>(*answer), "the stream comes behind an answer");
    const auto told = std::get<Continue>(*answer).id;
    if (!told || *told == before_.history.id) {
      CHECK(same(now.history, before_.history), "the history goes on");
      return;
    }
    const LogHistory renamed{*told, before_.history.id, before_.end()};
    CHECK(same(now.history, renamed), "the history goes on under the id that was told");
  }

  void check_requests(const Standing& now) {
    RequestParser parser;
    Bytes heard = primary_->heard[ended_.size()];
    uint64_t acknowledged = 0;
    for (; parser.next(heard) == ParseStatus::kRequest; heard.remove_prefix(parser.raw().size())) {
      const auto args = parser.args();
      CHECK(!parser.is_inline() && !args.empty(), "a replica sends arrays");
      if (args[0] == "PSYNC") check_position(parser.raw());
      if (args[0] != "REPLCONF" || args[1] != "ACK") continue;
      const auto offset = parse_uint64(args[2]);
      CHECK(offset && *offset >= acknowledged && *offset <= now.end(), "it has what it says");
      acknowledged = *offset;
    }
  }

  void check_position(Bytes asked) {
    const Position held{before_.history.id, before_.end()};
    const bool has_log = script_.holds_position || before_.installed != 0;
    if (has_log && !in_doubt_ && asked == sync_request_bytes(held)) return;
    // What came just before a CLIENT KILL may have been no commands, and nobody says so.
    CHECK((!has_log || in_doubt_ || was_killed_) && asked == sync_request_bytes({}),
          "it asks for the place it holds");
  }

  const LinkScript& script_;
  StandingClock clock_;
  SimWorld world_;
  SimProcess& primary_process_{world_.add_process("10.0.0.1")};
  SimProcess& replica_process_{world_.add_process("10.0.0.2")};
  std::shared_ptr<ScriptedPrimary> primary_;
  std::shared_ptr<FuzzedReplica> replica_;
  Mirror mirror_{clock_};
  NodeInvariants invariants_;

  // At the last step.
  int64_t keys_ = 0;
  uint64_t end_ = 0;
  uint64_t installed_ = 0;
  // At the end of the last connection.
  Standing before_;
  int64_t bytes_before_ = 0;
  bool in_doubt_ = false;        // its place, since the last snapshot
  bool was_killed_ = false;      // since then
  bool was_interfered_ = false;  // in this one
  std::vector<Standing> ended_;
};

void try_link(Bytes input) {
  const LinkScript script = parse_link_script(input);
  if (script.visits.empty()) return;
  const std::vector<Standing> in_pieces = Trial(script, script.piece_bytes_max).run();
  if (!script.is_tried_whole || !script.is_deterministic()) return;
  const std::vector<Standing> whole = Trial(script, 0).run();
  for (size_t i = 0; i < whole.size(); ++i) check_same(in_pieces[i], whole[i]);
}

}  // namespace
}  // namespace tandem

// A line for each connection that ends is of no use here.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  (void)tandem::open_log("/dev/null", tandem::LogLevel::kWarning);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const tandem::Bytes input(reinterpret_cast<const char*>(data), size);
  if (size <= tandem::kInputBytesMax) tandem::try_link(input);
  return 0;
}
