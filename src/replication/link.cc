#include "replication/link.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/logging.h"
#include "base/number.h"
#include "engine/dataset_load.h"
#include "io/task.h"
#include "io/timer.h"
#include "replication/link_wire.h"
#include "resp/request.h"

namespace tandem {
namespace {

constexpr int kDoublingsMax = 20;

}  // namespace

int64_t LinkBackoff::next_ms(const LinkEnding& ending) {
  if (ending.unsupported_snapshot) {
    return doubled_ms(kUnsupportedFirstMs, unsupported_in_a_row_++, kUnsupportedMaxMs);
  }
  const bool followed = ending.following_ms >= 0;
  if (followed) unsupported_in_a_row_ = 0;
  if (followed && ending.following_ms >= std::max(kFollowedMsMin, ending.rising_ms)) {
    may_try_at_once_ = true;
    pauses_in_a_row_ = 0;
  }
  if (followed && may_try_at_once_ && !ending.needs_snapshot) {
    may_try_at_once_ = false;
    return 0;
  }
  return doubled_ms(kFirstMs, pauses_in_a_row_++, kMaxMs);
}

int64_t LinkBackoff::doubled_ms(int64_t first_ms, int times, int64_t max_ms) {
  const int64_t full = std::min(max_ms, first_ms << std::min(times, kDoublingsMax));
  return full / 2 + static_cast<int64_t>(random_.below(static_cast<uint64_t>(full / 2) + 1));
}

// Mechanism: one attempt is follow_once(), and it reads as the protocol does: connect, greet, ask
// for the stream, take a snapshot or go on where we are, follow. run() repeats it for as long as
// this server has the role that the link was made for. Each step that changes data or the log asks
// is_wanted() under the stripes: a link that hears late of a change of role can do no harm.
// The first try after a link that was up is made at once; later ones wait longer and longer
// (replication/link.h).

namespace {

constexpr int64_t kAcknowledgePeriodMs = 1000;
constexpr int64_t kRunningSnapshotPollMs = 20;
constexpr int64_t kHeldBackPollMs = 20;
constexpr size_t kReasonBytesMax = 512;

constexpr Bytes kCannotBind = "bind: ";  // how io/network.h begins that error

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
    case LinkPhase::kStopped:
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
      backoff_(random_seed),
      apply_(parts.executor, parts.options, parts.progress, parts.role_generation,
             parts.pending_bytes_max, parts.apply_crew) {}

Task<void> Link::run(StopToken stop) {
  while (!stop.requested() && is_wanted()) {
    attempt_ = {};
    auto ended = co_await follow_once(stop);
    if (stop.requested() || !is_wanted()) break;
    if (connection_->requested()) ended = fail(ErrorCode::kCancelled, "CLIENT KILL ended it");
    // The primary's own words may be a part of it.
    const int64_t pause_ms =
        end_attempt(ended ? std::string() : printable(ended.error().text, kReasonBytesMax));
    pause_.emplace(stop);
    if (pause_ms > 0) co_await parts_.loop.sleep_ms(pause_ms, pause_->token());
  }
  enter(LinkPhase::kStopped);
}

int64_t Link::end_attempt(const std::string& reason) {
  attempt_.needs_snapshot = only_a_snapshot_helps_;
  const int64_t pause_ms = std::max(parts_.pause_ms_min, backoff_.next_ms(attempt_));
  const int64_t now_ms = parts_.loop.clock().monotonic_ms();
  const bool stops = attempt_.unsupported_snapshot;
  parts_.state.attempt_ended(parts_.role_generation,
                             stops ? LinkPhase::kStopped : LinkPhase::kWaitingToRetry, reason,
                             now_ms, now_ms + pause_ms);
  log_warning("The link to the primary {}:{} {}: {}; next try in {} ms{}", role_.primary_host,
              role_.primary_port, stops ? "stops" : "ended", reason, pause_ms,
              stops ? ", or at REPLICAOF" : "");
  return pause_ms;
}

void Link::try_now() {
  if (pause_) pause_->request();
}

void Link::cut(uint64_t connection) {
  if (connection_ && connection == parts_.progress.connections.load()) connection_->request();
}

Task<Result<void>> Link::follow_once(StopToken outer) {
  connection_.emplace(outer);
  const StopToken stop = connection_->token();
  const auto& timeout_seconds = parts_.options.timeout_seconds;
  const int64_t started_ms = parts_.loop.clock().monotonic_ms();
  enter(LinkPhase::kConnecting);
  auto stream = co_await connect(stop);
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
  const int64_t up_ms = parts_.loop.clock().monotonic_ms();
  auto ended = co_await follow(**stream, wire, stop);
  attempt_.rising_ms = up_ms - started_ms;
  attempt_.following_ms = parts_.loop.clock().monotonic_ms() - up_ms;
  co_return ended;
}

// From the configured address where the system allows that, else from any, as Redis does.
Task<Result<std::unique_ptr<ByteStream>>> Link::connect(StopToken stop) {
  ConnectOptions how{.timeout_ms = parts_.options.timeout_seconds.get() * 1000,
                     .source_address = parts_.options.source_address.get()};
  const auto port = static_cast<uint16_t>(role_.primary_port);
  auto stream = co_await parts_.network.connect(role_.primary_host, port, how, stop);
  if (stream || how.source_address.empty() || !stream.error().text.starts_with(kCannotBind)) {
    co_return stream;
  }
  log_warning("bind-source-addr {} cannot be had: {}", how.source_address, stream.error().text);
  how.source_address.clear();
  co_return co_await parts_.network.connect(role_.primary_host, port, how, stop);
}

Task<Result<void>> Link::load_snapshot(LinkWire& wire, Position cut, StopToken stop) {
  LinkProgress& progress = parts_.progress;
  const int64_t started_ms = parts_.loop.clock().monotonic_ms();
  progress.full_syncs.fetch_add(1);
  progress.snapshot_started_ms.store(started_ms);
  progress.snapshot_bytes_total.store(-1);
  progress.snapshot_bytes_read.store(0);
  progress.snapshot_keys_read.store(0);
  enter(LinkPhase::kWaitingForSnapshot);
  log_notice("Full sync from the primary, at {}:{}", cut.id.text(), cut.offset);

  Keyspace& keyspace = engine_.keyspace;
  DatasetLoad load(
      keyspace,
      {.limits = engine_.limits, .databases = static_cast<uint32_t>(keyspace.database_count())},
      engine_.clock.unix_ms(), std::nullopt, engine_.functions);
  auto header = co_await read_transfer_header(wire);
  if (!header) co_return std::unexpected(header.error());
  enter(LinkPhase::kReceivingSnapshot);
  auto received = co_await receive_snapshot(wire, std::move(*header), load, progress);
  if (!received) {
    attempt_.unsupported_snapshot = received.error().code == ErrorCode::kUnsupported;
    co_return received;
  }

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

// False: a snapshot of the former data still runs; to be tried again.
Result<bool> Link::install(DatasetLoad& load, const Position& cut) {
  const Installed installed = install_dataset(
      engine_, load,
      {.is_wanted = [this] { return is_wanted(); },
       .place_log = [this, &load, &cut](const AllStripes& all) { place_log(all, load, cut); }});
  if (installed == Installed::kUnwanted) return fail(ErrorCode::kCancelled, kNoLongerWanted);
  return installed == Installed::kDone;
}

void Link::place_log(const AllStripes& all, const DatasetLoad& load, const Position& cut) {
  engine_.log.reset(all, cut);
  if (load.selected_database()) engine_.log.select_database(*load.selected_database());
  parts_.former.clear();
  only_a_snapshot_helps_ = false;
  parts_.progress.snapshots_installed.fetch_add(1);
}

Result<void> Link::continue_history(const Continue& answer) {
  parts_.progress.partial_syncs.fetch_add(1);
  log_notice("Partial sync from the primary, at offset {}", engine_.log.end());
  if (!answer.id || *answer.id == engine_.log.history().id) return {};
  {
    const ExclusiveGuard all(engine_.keyspace);
    if (!is_wanted()) return fail(ErrorCode::kCancelled, kNoLongerWanted);
    parts_.former.add_second_of(engine_.log.history());
    engine_.log.adopt_id(all, *answer.id);
  }
  // Our replicas must learn the new id.
  parts_.replicas.drop_all();
  return {};
}

Task<Result<void>> Link::follow(const ByteStream& stream, LinkWire& wire, StopToken stop) {
  apply_.restart(stream.peer().text());
  parts_.progress.read_offset.store(apply_.read_offset());
  enter(LinkPhase::kFollowing);

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
  apply_.forget();
  if (ended) co_return ended;
  // Where the stream stopped being the primary's commands is unknown, so it cannot be gone on with.
  // And a transaction that is too long to be taken would come again and again.
  const ErrorCode code = ended.error().code;
  if (code == ErrorCode::kInvalid || code == ErrorCode::kLimit) only_a_snapshot_helps_ = true;
  co_return ended;
}

Task<Result<void>> Link::apply_stream(const ByteStream& stream, LinkWire& wire,
                                      Event& acknowledge) {
  const Listed listed(parts_.observer, stream, parts_.progress.connections.load());
  for (;;) {
    auto count = co_await read_stream(wire);
    if (!count) co_return std::unexpected(count.error());
    if (!is_wanted()) co_return fail(ErrorCode::kCancelled, kNoLongerWanted);
    auto applied =
        apply_.apply(*count, [&wire](std::span<char> place) { return wire.read_at_hand(place); });
    parts_.progress.read_offset.store(apply_.read_offset());
    listed.note(apply_);
    parts_.replicas.wake_all();
    if (!applied) co_return applied;
    if (apply_.take_ack_request()) acknowledge.notify();
  }
}

// None while what came before is to be gone on with: the primary's bytes wait in the socket then.
Task<Result<size_t>> Link::read_stream(LinkWire& wire) {
  if (!apply_.held_back() && !apply_.turn_is_over()) co_return co_await wire.read(apply_.room());
  const int64_t pause_ms = apply_.held_back() ? kHeldBackPollMs : 0;
  auto slept = co_await parts_.loop.sleep_ms(pause_ms, connection_->token());
  if (!slept) co_return std::unexpected(slept.error());
  co_return 0;
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

}  // namespace tandem
