// Mechanism: what has come is cut into batches as long as its commands may be parts of one, and the
// batches are applied. What may not, and what is not there whole, is left to the executor, a
// command at a time; then batches go on. The very bytes go into this server's own log, so that the
// log holds what the primary's holds and offsets agree. What the engine does not execute (blank
// lines, REPLCONF) is appended all the same. The commands of a transaction that is no part of a
// batch are queued as they come; its bytes go into the log together, at its EXEC. So an offset
// never points into the middle of one.
#include "replication/stream_apply.h"

#include <utility>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/logging.h"

namespace tandem {

namespace {

constexpr size_t kShownBytesMax = 64;
constexpr size_t kReasonBytesMax = 256;
// Each of the first failures is logged, then one in a while.
constexpr int64_t kFailuresLogged = 10;
constexpr int64_t kFailureLogPeriodMs = 1000;

// The words do not tell: a line may hold none and yet be more than its end.
bool is_blank(Bytes line) { return line == "\n" || line == "\r\n"; }

}  // namespace

StreamApply::StreamApply(Executor& executor, const ReplicationOptions& options,
                         LinkProgress& progress, uint64_t role_generation, size_t pending_bytes_max,
                         Crew* crew)
    : executor_(executor),
      engine_(executor.engine()),
      log_(engine_.log),
      options_(options),
      progress_(progress),
      pending_bytes_max_(pending_bytes_max),
      batches_(engine_, executor.counters(), crew, role_generation),
      first_batch_(engine_),
      second_batch_(engine_) {
  client_.role_generation = role_generation;
}

void StreamApply::restart(std::string primary) {
  client_.primary = std::move(primary);
  forget();
  const uint32_t selected = log_.selected_database();
  client_.database = selected == Log::kNoDatabase ? 0 : static_cast<int>(selected);
}

void StreamApply::forget() {
  buffer_.clear();
  is_next_cut_ = false;
  parsed_ = 0;
  parser_.reset();
  pause_ = Pause::kNone;
  ack_requested_ = false;
  if (client_.in_transaction) executor_.end_transaction(client_);
}

std::span<char> StreamApply::room() {
  is_next_cut_ = false;  // it lies where it lay
  return buffer_.room();
}

Result<void> StreamApply::apply(size_t count, ReadMore read_more) {
  buffer_.add(count);
  pause_ = Pause::kNone;
  turn_began_us_ = engine_.clock.monotonic_us();
  auto applied = apply_whole(read_more);
  if (applied && buffer_.size() > pending_bytes_max_) {
    return fail(ErrorCode::kLimit, "the primary sent a command or transaction without an end");
  }
  return applied;
}

Result<void> StreamApply::apply_whole(ReadMore read_more) {
  executor_.begin_batch();
  for (;;) {
    apply_batches(read_more);
    if (turn_is_over()) return {};
    const ParseStatus status = parser_.next(buffer_.bytes().substr(parsed_));
    if (status == ParseStatus::kNeedMore) return {};
    if (status == ParseStatus::kError) {
      return fail(ErrorCode::kInvalid, fmt::format("the primary's stream: {}", parser_.error()));
    }
    if (parser_.is_inline() && !is_blank(parser_.raw())) {
      // Primaries send arrays, and blank lines as signs of life. Other lines are somebody else's.
      return fail(
          ErrorCode::kInvalid,
          fmt::format("the primary's stream: Protocol error: text instead of a command: '{}'",
                      printable(parser_.raw().substr(0, parser_.raw().find_first_of("\r\n")),
                                kShownBytesMax)));
    }
    const uint64_t end = log_.end();
    if (!apply_command(buffer_.bytes().substr(0, parsed_ + parser_.raw().size()))) {
      pause_ = Pause::kHeldBack;
      return {};
    }
    parsed_ += parser_.raw().size();
    if (!client_.in_transaction) {
      // Nothing is applied any more. The log itself tells: whoever refused may have changed his
      // mind since.
      if (log_.end() == end) return fail(ErrorCode::kCancelled, "this server has another role");
      buffer_.take(std::exchange(parsed_, 0));
    }
    end_turn_in_time();
    if (turn_is_over()) return {};
  }
}

void StreamApply::end_turn_in_time() {
  if (engine_.clock.monotonic_us() - turn_began_us_ >= kTurnUs) pause_ = Pause::kTurnIsOver;
}

// As many as there are from the first byte that is not applied.
void StreamApply::apply_batches(ReadMore read_more) {
  bool is_next_cut = std::exchange(is_next_cut_, false);
  if (client_.in_transaction || !parser_.is_between_requests()) return;
  if (!batches_.may_apply(client_.role_generation)) return;
  for (;;) {
    if (is_next_cut) {
      std::swap(batch_, next_batch_);
    } else {
      cut(*batch_, client_.database);
    }
    if (batch_->empty()) return;
    is_next_cut = apply_batch(read_more);
    if (batch_->empty()) return;
    end_turn_in_time();
    if (turn_is_over()) {
      is_next_cut_ = is_next_cut;
      return;
    }
  }
}

// Whether the next one was read and cut, beside the helpers. Nothing is left of this one if it may
// not be applied.
bool StreamApply::apply_batch(ReadMore read_more) {
  bool is_next_cut = false;
  make_room();
  batches_.apply(*batch_, client_.role_generation, [&] {
    is_next_cut = true;
    buffer_.lend(batch_->bytes().size());
    if (buffer_.size() < StreamBatch::kBytesMax) buffer_.add(read_more(buffer_.room_beside()));
    cut(*next_batch_, batch_->database());
  });
  if (batch_->empty()) return false;
  is_next_cut ? buffer_.take_back() : buffer_.take(batch_->bytes().size());
  note_applied(*batch_);
  return is_next_cut;
}

void StreamApply::cut(StreamBatch& batch, int database) {
  batch.begin(buffer_.bytes(), database, batches_.commands_max());
  while (batch.add_step()) {
  }
  commands_cut_ += batch.size();
  batches_.prepare(batch);
}

// As before a command that the executor is given. What helpers have asked for nobody has told.
void StreamApply::make_room() {
  MemoryLimit& memory = engine_.memory;
  if (!memory.exists() || memory.options().replica_ignores.get()) [[likely]]
    return;
  memory.refresh_if_old();
  if (memory.may_be_exceeded()) executor_.evict_some();
}

void StreamApply::note_applied(const StreamBatch& batch) {
  progress_.batches.fetch_add(1, std::memory_order_relaxed);
  if (batches_.shared()) progress_.shared_batches.fetch_add(1, std::memory_order_relaxed);
  client_.database = batch.database();
  client_.last_command = batch.items().back().command;
  for (const BatchFailure& failure : batches_.failures()) {
    note_failure(batch.items()[failure.at].command->full_name, failure.reply);
  }
}

// `raw`: everything since the last command that was applied; that is more than the command inside a
// transaction.
bool StreamApply::apply_command(Bytes raw) {
  const auto args = parser_.args();
  // The engine need not see bytes that are no command (a blank line), nor what is between this
  // server and its primary. They count in the offset like any other.
  const Command* command = args.empty() ? nullptr : engine_.registry.resolve(args);
  const bool for_the_link = command != nullptr && command->has(kBetweenServers);
  if (for_the_link && args.size() > 1 && equal_ignore_case(args[1], "getack")) {
    ack_requested_ = true;
  }
  if (!args.empty() && !for_the_link) {
    if (!execute(raw)) return false;
  } else if (!client_.in_transaction) {
    if (!append(raw)) return false;
  }
  return true;
}

bool StreamApply::execute(Bytes raw) {
  const uint64_t end = log_.end();
  const Outcome outcome = executor_.execute(client_, parser_.args(), raw, reply_);
  if (outcome == Outcome::kPaused) return false;
  if (!client_.in_transaction && log_.end() == end && !append(raw)) return false;
  if (reply_text_.starts_with("-")) note_failure(parser_.args()[0], reply_text_);
  clear_and_keep(reply_text_, kKeptBytesMax);
  return true;
}

void StreamApply::note_failure(Bytes name, Bytes reply) {
  const int64_t total = progress_.unexpected_errors.fetch_add(1) + 1;
  const int64_t now_ms = engine_.clock.monotonic_ms();
  const bool panics = options_.replica_read_only.get() && options_.panic_on_stream_error.get() != 0;
  if (++failures_ <= kFailuresLogged || panics ||
      now_ms - failure_logged_ms_ >= kFailureLogPeriodMs) {
    failure_logged_ms_ = now_ms;
    log_warning(
        "CRITICAL: a command of the primary's stream failed here, so the data may differ from the "
        "primary's: '{}': {} (unexpected_error_replies: {})",
        printable(name, kShownBytesMax),
        printable(reply.substr(1, reply.find('\r') - 1), kReasonBytesMax), total);
  }
  CHECK(!panics, "propagation-error-behavior tells to end when the primary's stream fails");
}

// What the engine does not execute (a command unknown here) is part of the stream all the same.
bool StreamApply::append(Bytes raw) {
  StripeSet first;
  first.add(0);
  KeyLocks locks(engine_.keyspace);
  locks.take(first);
  if (engine_.journal.closed()) return false;
  if (engine_.is_replica_since(client_.role_generation)) engine_.journal.append_stream(locks, raw);
  return true;
}

bool StreamApply::take_ack_request() {
  const bool requested = ack_requested_;
  ack_requested_ = false;
  return requested;
}

}  // namespace tandem
