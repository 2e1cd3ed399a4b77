// Mechanism: converse() reads as the conversation runs, from the answer to PSYNC to the stream.
// What changes (the log, the snapshot, an acknowledgement, a second that passed) notifies one
// event, and the loop that waits for it looks anew. Only that loop writes. A second task reads;
// whichever has a reason to end says it with give_up(), which stops the other.
#include "replication/replica_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/logging.h"
#include "base/number.h"
#include "engine/key_locks.h"
#include "replication/link_wire.h"

namespace tandem {

namespace {

constexpr int64_t kCheckPeriodMs = 1000;
constexpr size_t kReceivedBytesMax = 1024 * 1024;
// In the middle of a batch the log rings only when so much has come since the last look.
constexpr uint64_t kRingBytes = 16 * 1024;
// Waited for where the kernel has no room: little, so that each bit of progress is seen.
constexpr size_t kBytesOfProgress = 4096;
// How often it is looked whether a script that keeps everybody out is over.
constexpr int64_t kBehindScriptMs = 20;

Error dropped(const ReplicaRecord& record) {
  return {ErrorCode::kCancelled, record.killed.load()
                                     ? "its client was killed"
                                     : "it is to ask again, for our history has changed"};
}
constexpr const char* kLostItsPlace =
    "it lagged behind by more than client-output-buffer-limit allows, or its history ended";

std::shared_ptr<ReplicaRecord> make_record(const ByteStream& stream, const ReplicaHello& hello,
                                           uint64_t client_id) {
  return std::make_shared<ReplicaRecord>(
      client_id, hello.announced_ip.empty() ? stream.peer().host : hello.announced_ip,
      hello.listening_port, hello.understands_mark);
}

std::string name_in_log(const ReplicaRecord& record) {
  return fmt::format("replica {}:{}", record.ip, record.port);
}

std::string answer_of(const Position& cut) {
  return fmt::format("+FULLRESYNC {} {}\r\n", cut.id.text(), cut.offset);
}

}  // namespace

ReplicaSession::ReplicaSession(const ReplicaSessionParts& parts, ByteStream& stream,
                               std::string unread, const ReplicaHello& hello,
                               const SyncRequest& request, uint64_t client_id, StopToken stop)
    : parts_(parts),
      stream_(stream),
      request_(request),
      hello_(hello),
      record_(make_record(stream, hello, client_id)),
      stop_(stop),
      changed_(stream.loop()),
      bell_(stream.loop(), [this] { changed_.notify(); }),
      every_second_(stream.loop(),
                    [this] {
                      check_limits();
                      changed_.notify();
                    }),
      received_(std::move(unread)),
      last_write_ms_(now_ms()),
      reading_(stop_.token()) {
  record_->acknowledged_at_ms.store(now_ms());
  parts_.replicas.add(record_, bell_);
  if (parts_.options.disable_tcp_nodelay.get()) stream_.set_no_delay(false);
  every_second_.every_ms(kCheckPeriodMs);
}

ReplicaSession::~ReplicaSession() {
  parts_.replicas.remove(*record_);
  if (ticket_) parts_.full_syncs.leave(*ticket_);
}

Task<Error> ReplicaSession::run() {
  reading_.spawn(read_acknowledgements());
  auto ended = co_await converse();
  if (!ended) give_up(ended.error());
  reading_.request_stop();
  co_await reading_.join();
  log_notice("Replica {}:{} left at offset {}: {}", record_->ip, record_->port,
             record_->acknowledged.load(), reason_.text);
  co_return reason_;
}

Task<Result<void>> ReplicaSession::converse() {
  Log& log = parts_.engine.log;
  // Decided and begun in one hold of the log: no reset and no new id can come between.
  SyncDecision decision;
  ReplicationId id;
  log_ = log.open_where(
      name_in_log(*record_), lag_limit().hard_bytes, [this] { bell_.ring(); },
      [&](const LogHistory& history, const LogWindow& window) -> std::optional<uint64_t> {
        decision = decide_sync(request_, history, window);
        id = history.id;
        const auto* partial = std::get_if<PartialSync>(&decision);
        return partial != nullptr ? std::optional(partial->offset) : std::nullopt;
      });
  if (log_ != nullptr) {
    parts_.replicas.syncs().partial.fetch_add(1);
    log_notice("Partial sync of replica {}:{}: {} bytes from offset {}", record_->ip, record_->port,
               log_->lag_bytes(), log_->offset());
    auto answered =
        co_await write(hello_.understands_new_id ? fmt::format("+CONTINUE {}\r\n", id.text())
                                                 : std::string("+CONTINUE\r\n"));
    if (!answered) co_return answered;
  } else {
    parts_.replicas.syncs().full.fetch_add(1);
    if (request_.position) parts_.replicas.syncs().partial_refused.fetch_add(1);
    log_notice("Full sync of replica {}:{}: {}", record_->ip, record_->port,
               describe(std::get<FullSync>(decision)));
    auto sent = hello_.without_keys ? co_await send_without_keys() : co_await send_snapshot();
    if (!sent) co_return sent;
    if (hello_.snapshot_only) co_return fail(ErrorCode::kEnd, "it wanted the snapshot alone");
  }
  expect_signs();
  parts_.replicas.set_streaming(*record_, now_ms());
  co_return co_await stream_log();
}

Task<Result<void>> ReplicaSession::send_snapshot() {
  ticket_ = parts_.full_syncs.join(name_in_log(*record_), hello_, lag_limit().hard_bytes, bell_);
  auto cut = co_await wait_for_cut();
  if (!cut) co_return cut;
  record_->state.store(ReplicaState::kSnapshot);
  if (!request_.plain) {
    auto answered = co_await write(answer_of(ticket_->cut));
    if (!answered) co_return answered;
  }
  auto sent = co_await send_snapshot_bytes();
  if (!sent) co_return sent;
  log_ = std::move(ticket_->log);
  parts_.full_syncs.leave(*ticket_);
  ticket_.reset();
  // A replica that looks for the mark finds it only at the end of what has come, so nothing may
  // follow until it says that it is done.
  const bool follows = !request_.plain && !hello_.snapshot_only;
  expect_signs();
  while (hello_.understands_mark && follows && !acknowledged_) {
    auto changed = co_await wait_for_change();
    if (!changed) co_return changed;
  }
  co_return Result<void>{};
}

// It needs no walk, so it waits for none; nor for a script: that would hold up the worker.
Task<Result<void>> ReplicaSession::send_without_keys() {
  Engine& engine = parts_.engine;
  RdbWriteOptions format;
  format.version = rdb_version_for(hello_.rdb_version, parts_.options);
  RdbHead head;
  Position cut;
  {
    KeyLocks locks(engine.keyspace);
    while (!locks.take_unless(StripeSet::all(),
                              [&engine] { return engine.gate.is(Gate::kBusyScript); })) {
      co_await stream_.loop().sleep_ms(kBehindScriptMs, stop_.token());
      if (stop_.requested()) co_return std::unexpected(reason_);
    }
    if (!engine.gate.is(Gate::kReplica)) engine.log.forget_database();
    head = head_without_keys(locks.all(), engine, hello_.with_functions);
    cut = engine.log.position();
    log_ = engine.log.open_at_end(name_in_log(*record_), lag_limit().hard_bytes,
                                  [this] { bell_.ring(); });
  }
  const std::string rdb = rdb_without_keys(head, format);
  const std::string answer = request_.plain ? std::string() : answer_of(cut);
  co_return co_await write(answer + transfer_header_bytes({.mark = {}, .length = rdb.size()}) +
                           rdb);
}

Task<Result<void>> ReplicaSession::wait_for_cut() {
  while (!ticket_->ready()) {
    auto shown = co_await show_life();
    if (!shown) co_return shown;
    auto changed = co_await wait_for_change();
    if (!changed) co_return changed;
  }
  co_return Result<void>{};
}

// An empty line, from time to time, while there is nothing else to send.
Task<Result<void>> ReplicaSession::show_life() {
  const int64_t period_ms = parts_.options.ping_replica_period_seconds.get() * 1000;
  if (now_ms() - last_write_ms_ < period_ms) co_return Result<void>{};
  co_return co_await write("\n");
}

Task<Result<void>> ReplicaSession::send_snapshot_bytes() {
  acknowledged_ = false;
  SnapshotStream& snapshot = *ticket_->stream;
  TransferHeader header;
  if (hello_.understands_mark) header.mark = ticket_->mark;
  for (bool header_sent = false;;) {
    if (ticket_->failed()) co_return fail(ErrorCode::kIo, "the snapshot was given up");
    // Read before the bytes: what is complete then has all of them.
    const bool complete = snapshot.complete();
    if (!header_sent && (complete || header.mark)) {
      header.length = snapshot.end();
      auto written = co_await write(transfer_header_bytes(header));
      if (!written) co_return written;
      header_sent = true;
    }
    if (header_sent) {
      auto bytes = co_await ticket_->snapshot->next(stream_.loop(), stop_.token());
      if (!bytes) co_return std::unexpected(bytes.error());
      if (!bytes->empty()) {
        auto written = co_await write_some(*bytes);
        if (!written) co_return std::unexpected(written.error());
        ticket_->snapshot->advance(*written);
        parts_.full_syncs.taken();
        continue;
      }
      if (complete) break;
    } else {
      auto shown = co_await show_life();
      if (!shown) co_return shown;
    }
    auto changed = co_await wait_for_change();
    if (!changed) co_return changed;
  }
  if (header.mark) co_return co_await write(*header.mark);
  co_return Result<void>{};
}

Task<Result<void>> ReplicaSession::stream_log() {
  for (;;) {
    auto bytes = log_->peek();
    if (!bytes) co_return fail(ErrorCode::kLimit, kLostItsPlace);
    // After the look at the log: what a new role adds to it comes only when this is set.
    if (record_->dropped.load()) co_return std::unexpected(dropped(*record_));
    if (bytes->empty()) {
      if (!log_->ring_behind(kRingBytes)) continue;
      auto changed = co_await wait_for_change();
      if (!changed) co_return changed;
      continue;
    }
    auto written = co_await write_some(*bytes);
    if (!written) co_return std::unexpected(written.error());
    log_->advance(*written);
  }
}

Task<Result<void>> ReplicaSession::write(std::string bytes) {
  for (Bytes left = bytes; !left.empty();) {
    auto written = co_await write_some(left);
    if (!written) co_return std::unexpected(written.error());
    left.remove_prefix(*written);
  }
  co_return Result<void>{};
}

Task<Result<size_t>> ReplicaSession::write_some(Bytes bytes) {
  size_t written = stream_.try_write(bytes);
  if (written == 0) {
    const Bytes first = bytes.substr(0, kBytesOfProgress);
    taking_.peers_turn(now_ms());
    auto done = co_await stream_.write(first, stop_.token());
    taking_.our_turn(now_ms());
    if (!done) co_return std::unexpected(done.error());
    written = first.size();
  }
  last_write_ms_ = now_ms();
  taking_.progress(last_write_ms_);
  parts_.replicas.syncs().bytes_sent.fetch_add(written, std::memory_order_relaxed);
  co_return written;
}

// It has all of its snapshot, or needs none.
void ReplicaSession::expect_signs() {
  if (request_.plain) return;
  signs_.peers_turn(now_ms());
  signs_.progress(now_ms());
}

Task<Result<void>> ReplicaSession::wait_for_change() {
  auto changed = co_await changed_.wait(stop_.token());
  check_limits();
  if (stop_.requested()) co_return std::unexpected(reason_);
  co_return changed;
}

Task<void> ReplicaSession::read_acknowledgements() {
  std::array<char, 4096> buffer;
  for (;;) {
    if (!take_requests()) co_return;
    auto count = co_await stream_.read(std::span<char>(buffer), stop_.token());
    if (!count) {
      if (count.error().code == ErrorCode::kEnd) {
        give_up({ErrorCode::kEnd, "it closed the connection"});
      } else {
        give_up(count.error());
      }
      co_return;
    }
    received_.append(buffer.data(), *count);
  }
}

// False: what it sends makes no sense.
bool ReplicaSession::take_requests() {
  size_t taken = 0;
  for (;;) {
    const ParseStatus status = parser_.next(Bytes(received_).substr(taken));
    if (status == ParseStatus::kNeedMore && received_.size() - taken <= kReceivedBytesMax) break;
    if (status != ParseStatus::kRequest) {
      give_up({ErrorCode::kInvalid, "it sent something else than acknowledgements"});
      return false;
    }
    const auto args = parser_.args();
    signs_.progress(now_ms());  // empty lines, too: it is busy with its snapshot
    if (args.size() >= 3 && equal_ignore_case(args[0], "replconf") &&
        equal_ignore_case(args[1], "ack")) {
      // What it cannot have does not count.
      const auto offset = parse_uint64(args[2]);
      if (offset && *offset <= parts_.engine.log.end()) {
        parts_.replicas.acknowledge(*record_, *offset, now_ms());
        acknowledged_ = true;
        if (parts_.observer != nullptr) parts_.observer->replica_heard(record_->key);
        changed_.notify();
      }
    }
    taken += parser_.raw().size();
  }
  received_.erase(0, taken);
  return true;
}

void ReplicaSession::check_limits() {
  if (record_->dropped.load()) return give_up(dropped(*record_));
  if (ticket_ && ticket_->failed()) return give_up({ErrorCode::kIo, "the snapshot was given up"});
  const int64_t now = now_ms();
  if (const auto duty = overdue()) return give_up({ErrorCode::kTimeout, std::string(*duty)});
  LogCursor* place = place_in_log();
  const ReplicaLagLimit limit = lag_limit();
  if (place) place->set_lag_bytes_max(limit.hard_bytes);  // it may have been changed
  // A write to a replica that does not read waits for good, and nobody looks at the log meanwhile.
  if (place && place->lost()) return give_up({ErrorCode::kLimit, kLostItsPlace});
  const bool over = place && limit.soft_bytes != 0 && place->lag_bytes() > limit.soft_bytes;
  if (!over) {
    soft_limit_since_ms_ = 0;
  } else if (soft_limit_since_ms_ == 0) {
    soft_limit_since_ms_ = now;
  } else if (now - soft_limit_since_ms_ > limit.soft_seconds * 1000) {
    give_up({ErrorCode::kLimit, "it lagged beyond the soft client-output-buffer-limit for long"});
  }
}

ReplicaLagLimit ReplicaSession::lag_limit() const {
  ReplicaLagLimit limit = parts_.lag_limit();
  const auto backlog_bytes = static_cast<uint64_t>(parts_.options.backlog_bytes.get());
  if (limit.hard_bytes != 0) limit.hard_bytes = std::max(limit.hard_bytes, backlog_bytes);
  return limit;
}

LogCursor* ReplicaSession::place_in_log() const {
  if (log_) return log_.get();
  return ticket_ && ticket_->ready() ? ticket_->log.get() : nullptr;
}

std::optional<Bytes> ReplicaSession::overdue() {
  const int64_t timeout_ms = parts_.options.timeout_seconds.get() * 1000;
  const int64_t now = now_ms();
  const bool owes_taking = request_.plain || record_->state.load() == ReplicaState::kSnapshot;
  if (taking_.look(now) > timeout_ms && owes_taking) {
    return "it took nothing of what was sent for longer than repl-timeout";
  }
  if (signs_.look(now) > timeout_ms) return "it was silent for longer than repl-timeout";
  return std::nullopt;
}

// The first reason counts.
void ReplicaSession::give_up(Error reason) {
  if (!given_up_ && !stop_.requested()) reason_ = std::move(reason);
  given_up_ = true;
  stop_.request();
}

}  // namespace tandem
