#include "replication/link.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/ascii.h"
#include "base/logging.h"
#include "base/number.h"
#include "io/scope.h"
#include "io/timer.h"
#include "replication/snapshot_transfer.h"
#include "resp/request_writer.h"

namespace tandem {

namespace {

constexpr int64_t kBackoffFirstMs = 100;
constexpr int64_t kBackoffMaxMs = 5000;
// A snapshot with what this server does not support (a module's data, a function library) will be
// the same for long, and each costs a redis-server a fork.
constexpr int64_t kUnsupportedFirstMs = 10'000;
constexpr int64_t kUnsupportedMaxMs = 120'000;
constexpr int64_t kAcknowledgePeriodMs = 1000;
constexpr int64_t kRunningSnapshotPollMs = 20;
constexpr size_t kReasonBytesMax = 512;

const char* kNoLongerWanted = "this server has another role by now";

// Among the server's clients for as long as it lives.
class Listed {
 public:
  Listed(ConnectionObserver* observer, const ByteStream& stream, uint64_t number)
      : observer_(observer) {
    if (observer_ != nullptr) observer_->link_opened(stream, number);
  }
  ~Listed() {
    if (observer_ != nullptr) observer_->link_closed();
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

  void note(const StreamApply& apply) const {
    if (observer_ != nullptr) observer_->link_executed(apply.client(), apply.pending_bytes());
  }

 private:
  ConnectionObserver* const observer_;
};

}  // namespace

const char* role_word(LinkPhase phase) {
  switch (phase) {
    case LinkPhase::kIdle:
      return "none";
    case LinkPhase::kWaitingToRetry:
      return "connect";
    case LinkPhase::kConnecting:
      return "connecting";
    case LinkPhase::kHandshake:
      return "handshake";
    case LinkPhase::kWaitingForSnapshot:
    case LinkPhase::kReceivingSnapshot:
      return "sync";
    case LinkPhase::kFollowing:
      return "connected";
  }
  return "none";
}

Link::Link(const Parts& parts, ReplicaRole role, uint64_t random_seed)
    : parts_(parts),
      engine_(parts.executor.engine()),
      role_(std::move(role)),
      random_(random_seed),
      apply_(parts.executor, parts.options, parts.progress, parts.role_generation,
             parts.pending_bytes_max) {}

Task<void> Link::run(StopToken stop) {
  parts_.progress.down_since_ms.store(LinkProgress::kNeverUp);
  while (!stop.requested()) {
    auto ended = co_await follow_once(stop);
    if (stop.requested()) break;
    if (connection_->requested()) ended = fail(ErrorCode::kCancelled, "CLIENT KILL ended it");
    if (parts_.progress.following()) {
      parts_.progress.down_since_ms.store(parts_.loop.clock().monotonic_ms());
    }
    enter(LinkPhase::kWaitingToRetry);
    // The primary's own words may be a part of it.
    const std::string reason =
        ended ? std::string() : printable(ended.error().text, kReasonBytesMax);
    parts_.progress.set_last_failure(reason);
    const int64_t delay_ms = backoff_ms();
    log_warning("The link to the primary {}:{} ended: {}; next try in {} ms", role_.primary_host,
                role_.primary_port, reason, delay_ms);
    co_await parts_.loop.sleep_ms(delay_ms, stop);
  }
  enter(LinkPhase::kIdle);
}

void Link::cut(uint64_t connection) {
  if (connection_ && connection == parts_.progress.connections.load()) connection_->request();
}

Task<Result<void>> Link::follow_once(StopToken outer) {
  connection_.emplace(outer);
  const StopToken stop = connection_->token();
  const auto& timeout_seconds = parts_.options.timeout_seconds;
  enter(LinkPhase::kConnecting);
  auto stream =
      co_await parts_.network.connect(role_.primary_host, static_cast<uint16_t>(role_.primary_port),
                                      {.timeout_ms = timeout_seconds.get() * 1000}, stop);
  if (!stream) co_return std::unexpected(stream.error());
  parts_.progress.connections.fetch_add(1);
  LinkWire wire(**stream, timeout_seconds, parts_.progress, stop);

  enter(LinkPhase::kHandshake);
  auto greeted = co_await greet(wire, identity());
  if (!greeted) co_return greeted;
  auto answer = co_await ask_for_stream(wire, held_position());
  if (!answer) co_return std::unexpected(answer.error());

  if (const auto* full = std::get_if<FullResync>(&*answer)) {
    auto loaded = co_await load_snapshot(wire, full->position, stop);
    if (!loaded) co_return loaded;
  } else {
    auto continued = continue_history(std::get<Continue>(*answer));
    if (!continued) co_return continued;
  }
  co_return co_await follow(**stream, wire, stop);
}

Task<Result<void>> Link::load_snapshot(LinkWire& wire, Position cut, StopToken stop) {
  LinkProgress& progress = parts_.progress;
  enter(LinkPhase::kWaitingForSnapshot);
  const int64_t started_ms = parts_.loop.clock().monotonic_ms();
  progress.full_syncs.fetch_add(1);
  progress.snapshot_started_ms.store(started_ms);
  progress.snapshot_bytes_read.store(0);
  progress.snapshot_keys_read.store(0);
  log_notice("Full sync from the primary, at {}:{}", cut.id.text(), cut.offset);

  Keyspace& keyspace = engine_.keyspace;
  DatasetLoad load(
      keyspace,
      {.limits = engine_.limits, .databases = static_cast<uint32_t>(keyspace.database_count())},
      std::nullopt);
  auto received = co_await receive_snapshot(wire, load, progress);
  if (!received) {
    const bool unsupported = received.error().code == ErrorCode::kUnsupported;
    unsupported_in_a_row_ = unsupported ? unsupported_in_a_row_ + 1 : 0;
    co_return received;
  }
  unsupported_in_a_row_ = 0;

  // Our replicas are about to lose the history that they follow.
  parts_.replicas.drop_all();
  for (;;) {
    auto installed = install(load, cut);
    if (!installed) co_return std::unexpected(installed.error());
    if (*installed) break;
    auto waited = co_await parts_.loop.sleep_ms(kRunningSnapshotPollMs, stop);
    if (!waited) co_return waited;
  }
  log_notice("Full sync done: {} keys, {} bytes in {} ms", load.keys(),
             progress.snapshot_bytes_read.load(), parts_.loop.clock().monotonic_ms() - started_ms);
  co_return Result<void>{};
}

// False: a snapshot of the former data still runs, and was asked to end; to be tried again.
Result<bool> Link::install(DatasetLoad& load, const Position& cut) {
  std::vector<TablesRef> former;
  {
    const ExclusiveGuard all(engine_.keyspace);
    if (!is_wanted()) return fail(ErrorCode::kCancelled, kNoLongerWanted);
    if (engine_.keyspace.snapshot().sink != nullptr) {
      engine_.snapshot_turn.interrupt();
      return false;
    }
    former = load.install();
    for (int i = 0; i < engine_.keyspace.database_count(); ++i) {
      const KeyAccess::ChangedDatabase changed{i, former[static_cast<size_t>(i)]};
      engine_.watch_table.mark_database_dirty(
          i, [&](Bytes key) { return changed.concerns(engine_.keyspace, key); });
    }
    engine_.log.reset(cut);
    only_a_snapshot_helps_ = false;
    parts_.progress.snapshots_installed.fetch_add(1);
    if (load.selected_database()) engine_.log.set_context(*load.selected_database());
  }
  for (TablesRef& tables : former) engine_.discard(Garbage(std::move(tables)));
  return true;
}

Result<void> Link::continue_history(const Continue& answer) {
  parts_.progress.partial_syncs.fetch_add(1);
  log_notice("Partial sync from the primary, at offset {}", engine_.log.end());
  if (!answer.id || *answer.id == engine_.log.history().id) return {};
  {
    const ExclusiveGuard all(engine_.keyspace);
    if (!is_wanted()) return fail(ErrorCode::kCancelled, kNoLongerWanted);
    engine_.log.adopt_id(*answer.id);
  }
  // Our replicas must learn the new id.
  parts_.replicas.drop_all();
  return {};
}

Task<Result<void>> Link::follow(const ByteStream& stream, LinkWire& wire, StopToken stop) {
  apply_.restart(stream.peer().text());
  parts_.progress.read_offset.store(apply_.read_offset());
  enter(LinkPhase::kFollowing);
  parts_.progress.set_last_failure("");
  failures_in_a_row_ = 0;

  Event acknowledge(parts_.loop);
  Timer every_second(parts_.loop, [&acknowledge] { acknowledge.notify(); });
  every_second.every_ms(kAcknowledgePeriodMs);
  // At once: a primary that sent its snapshot with a mark waits for it.
  acknowledge.notify();
  Scope acknowledging(stop);
  acknowledging.spawn(acknowledge_when_asked(wire, acknowledge, acknowledging.token()));
  auto ended = co_await apply_stream(stream, wire, acknowledge);
  acknowledging.request_stop();
  co_await acknowledging.join();
  if (ended) co_return ended;
  // Of bytes that are no commands nobody can say since when they were not the primary's; and a
  // transaction that is too long to be taken would come again and again.
  const ErrorCode code = ended.error().code;
  if (code == ErrorCode::kInvalid || code == ErrorCode::kLimit) only_a_snapshot_helps_ = true;
  co_return ended;
}

Task<Result<void>> Link::apply_stream(const ByteStream& stream, LinkWire& wire,
                                      Event& acknowledge) {
  const Listed listed(parts_.observer, stream, parts_.progress.connections.load());
  for (;;) {
    auto bytes = co_await wire.read_some();
    if (!bytes) co_return std::unexpected(bytes.error());
    if (!is_wanted()) {
      co_return fail(ErrorCode::kCancelled, kNoLongerWanted);
    }
    auto applied = apply_.feed(*bytes);
    wire.take(bytes->size());
    parts_.progress.read_offset.store(apply_.read_offset());
    listed.note(apply_);
    parts_.replicas.wake_all();
    if (!applied) co_return applied;
    if (apply_.take_ack_request()) acknowledge.notify();
  }
}

Task<void> Link::acknowledge_when_asked(LinkWire& wire, Event& acknowledge, StopToken stop) {
  for (;;) {
    auto asked = co_await acknowledge.wait(stop);
    if (!asked) co_return;
    std::string request;
    const std::string offset = int64_text(static_cast<int64_t>(engine_.log.end()));
    append_request(request, {"REPLCONF", "ACK", offset});
    auto sent = co_await wire.write(std::move(request));
    if (!sent) co_return;  // the reading side will hear of it
  }
}

std::optional<Position> Link::held_position() const {
  if (!engine_.log.active() || only_a_snapshot_helps_) return std::nullopt;
  return engine_.log.position();
}

LinkIdentity Link::identity() const {
  const int64_t announced_port = parts_.options.replica_announce_port.get();
  return {.user = parts_.options.primary_user.get(),
          .password = parts_.options.primary_password.get(),
          .listening_port =
              announced_port != 0 ? static_cast<int>(announced_port) : parts_.listening_port,
          .announced_ip = parts_.options.replica_announce_ip.get()};
}

int64_t Link::backoff_ms() {
  const auto doubled = [](int64_t first_ms, int times, int64_t max_ms) {
    return std::min(max_ms, first_ms << std::min(times, 10));
  };
  const int64_t full =
      unsupported_in_a_row_ != 0
          ? doubled(kUnsupportedFirstMs, unsupported_in_a_row_ - 1, kUnsupportedMaxMs)
          : doubled(kBackoffFirstMs, failures_in_a_row_, kBackoffMaxMs);
  ++failures_in_a_row_;
  return full / 2 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(full / 2) + 1));
}

// The phase for people, and whether reads are served: stale means that there is no link
// (replica-serve-stale-data no).
void Link::enter(LinkPhase phase) {
  parts_.progress.phase.store(phase);
  const bool up = phase == LinkPhase::kFollowing || phase == LinkPhase::kIdle;
  engine_.gate.set(Gate::kLinkDown, !up);
}

}  // namespace tandem
