// Mechanism: what has come is cut into batches as long as its commands may be parts of one, and the
// batches are applied. What may not, and what is not there whole, is left to the executor, a
// command at a time; then batches go on. The very bytes go into this server's own log, so that the
// log holds what the primary's holds and offsets agree. What the engine does not execute (blank
// lines, REPLCONF) is appended all the same. The commands of a transaction that is no part of a
// batch are queued as they come; its bytes go into the log together, at its EXEC. So an offset
// never points into the middle of one.
#include "replication/stream_apply.h"

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
      batch_(engine_),
      next_batch_(engine_) {
  client_.role_generation = role_generation;
}

void StreamApply::restart(std::string primary) {
  client_.primary = std::move(primary);
  forget();
  const uint32_t selected = log_.selected_database();
  client_.database = selected == Log::kNoDatabase ? 0 : static_cast<int>(selected);
}

void StreamApply::forget() {
  clear_and_keep(pending_, kKeptBytesMax);
  applied_ = 0;
  parsed_ = 0;
  parser_.reset();
  held_back_ = false;
  ack_requested_ = false;
  if (client_.in_transaction) executor_.end_transaction(client_);
}

// Most of what comes is whole commands: they are executed where they lie, and only what is left of
// them is copied, to wait for its end.
Result<void> StreamApply::feed(Bytes bytes) {
  const bool lies_in_pending = !pending_.empty();
  if (lies_in_pending) pending_.append(bytes);
  const Bytes unapplied = lies_in_pending ? Bytes(pending_) : bytes;
  const auto applied = apply_whole(unapplied);
  keep(unapplied.substr(applied_), lies_in_pending);
  parsed_ -= applied_;
  applied_ = 0;
  if (applied && pending_.size() > pending_bytes_max_) {
    return fail(ErrorCode::kLimit, "the primary sent a command or transaction without an end");
  }
  return applied;
}

void StreamApply::keep(Bytes rest, bool lies_in_pending) {
  if (!lies_in_pending) {
    pending_.assign(rest);
  } else if (pending_.capacity() > kKeptBytesMax && rest.size() <= kKeptBytesMax) {
    std::string(rest).swap(pending_);
  } else {
    pending_.erase(0, pending_.size() - rest.size());
  }
}

Result<void> StreamApply::apply_whole(Bytes unapplied) {
  executor_.begin_batch();
  held_back_ = false;
  for (;;) {
    apply_batches(unapplied);
    const ParseStatus status = parser_.next(unapplied.substr(parsed_));
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
    parsed_ += parser_.raw().size();
    const uint64_t end = log_.end();
    held_back_ = !apply(unapplied.substr(applied_, parsed_ - applied_));
    if (held_back_) {
      parsed_ -= parser_.raw().size();
      return {};
    }
    // Nothing is applied any more. The log itself tells: whoever refused may have changed his mind
    // since.
    if (!client_.in_transaction && log_.end() == end) {
      return fail(ErrorCode::kCancelled, "this server has another role");
    }
  }
}

// As many as there are from the first byte that is not applied. The next one is cut while helpers
// are at the one before, or afterwards.
void StreamApply::apply_batches(Bytes unapplied) {
  if (client_.in_transaction || !parser_.is_between_requests()) return;
  if (!batches_.may_apply(client_.role_generation)) return;
  StreamBatch* batch = &batch_;
  StreamBatch* next = &next_batch_;
  fill(*batch, unapplied, applied_, client_.database);
  while (!batch->empty()) {
    bool has_next = false;
    make_room();
    batches_.apply(*batch, client_.role_generation, [&] {
      has_next = true;
      fill(*next, unapplied, applied_ + batch->bytes().size(), batch->database());
    });
    if (batch->empty()) return;
    note_applied(*batch);
    if (!has_next) fill(*next, unapplied, applied_, client_.database);
    std::swap(batch, next);
  }
}

// As before a command that the executor is given. What helpers have asked for nobody has told.
void StreamApply::make_room() {
  MemoryLimit& memory = engine_.memory;
  if (!memory.exists() || memory.options().replica_ignores.get()) [[likely]]
    return;
  memory.refresh_if_old();
  if (memory.may_be_exceeded()) executor_.evict_some();
}

void StreamApply::fill(StreamBatch& batch, Bytes unapplied, size_t from, int database) {
  batch.begin(unapplied.substr(from), database);
  while (batch.add_step()) {
  }
  commands_cut_ += batch.size();
  batches_.prepare(batch);
}

void StreamApply::note_applied(const StreamBatch& batch) {
  applied_ += batch.bytes().size();
  parsed_ = applied_;
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
bool StreamApply::apply(Bytes raw) {
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
  if (!client_.in_transaction) applied_ = parsed_;
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
