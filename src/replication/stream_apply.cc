#include "replication/stream_apply.h"

#include <fmt/core.h>

#include "base/ascii.h"
#include "base/logging.h"

namespace tandem {

StreamApply::StreamApply(Engine& engine, uint64_t random_seed, uint64_t role_generation)
    : engine_(engine), log_(engine.log), executor_(engine, random_seed) {
  client_.role_generation = role_generation;
  restart();
}

void StreamApply::restart() {
  pending_.clear();
  applied_ = 0;
  parsed_ = 0;
  parser_.reset();
  ack_requested_ = false;
  if (client_.in_transaction) executor_.end_transaction(client_);
  const uint32_t context = log_.context();
  client_.database = context == Log::kNoContext ? 0 : static_cast<int>(context);
}

Result<void> StreamApply::feed(Bytes bytes) {
  pending_.append(bytes);
  executor_.begin_batch();
  for (;;) {
    const ParseStatus status = parser_.next(Bytes(pending_).substr(parsed_));
    if (status == ParseStatus::kNeedMore) break;
    if (status == ParseStatus::kError) {
      return fail(ErrorCode::kInvalid, fmt::format("the primary's stream: {}", parser_.error()));
    }
    parsed_ += parser_.raw().size();
    apply(Bytes(pending_).substr(applied_, parsed_ - applied_));
  }
  pending_.erase(0, applied_);
  parsed_ -= applied_;
  applied_ = 0;
  if (pending_.size() > kPendingBytesMax) {
    return fail(ErrorCode::kLimit, "the primary sent a command or transaction without an end");
  }
  return {};
}

// `raw`: everything since the last command that was applied; that is more than the command inside a
// transaction.
void StreamApply::apply(Bytes raw) {
  const auto args = parser_.args();
  if (args.empty()) {
    // Bytes that are no command (a blank line) count in the offset like any other.
    if (!client_.in_transaction) {
      append(raw);
      applied_ = parsed_;
    }
    return;
  }
  if (equal_ignore_case(args[0], "replconf")) {
    // The engine need not see what is between this server and its primary.
    if (args.size() > 1 && equal_ignore_case(args[1], "getack")) ack_requested_ = true;
    append(raw);
    applied_ = parsed_;
    return;
  }
  execute(raw);
  if (!client_.in_transaction) applied_ = parsed_;
}

void StreamApply::execute(Bytes raw) {
  // A transaction's bytes count at its EXEC.
  const bool begins = equal_ignore_case(parser_.args()[0], "multi");
  const uint64_t end = log_.end();
  reply_text_.clear();
  executor_.execute(client_, parser_.args(), begins ? Bytes() : raw, reply_);
  if (!client_.in_transaction && log_.end() == end) append(raw);
  if (reply_text_.starts_with("-")) {
    log_warning("A command of the primary's stream failed here: {}: {}", parser_.args()[0],
                Bytes(reply_text_).substr(1, reply_text_.find('\r') - 1));
  }
}

// What the engine does not execute (a command unknown here) is part of the stream all the same.
void StreamApply::append(Bytes raw) {
  const Guard guard(engine_.keyspace.stripe(0));
  if (engine_.is_replica_since(client_.role_generation)) log_.append_verbatim(raw);
}

bool StreamApply::take_ack_request() {
  const bool requested = ack_requested_;
  ack_requested_ = false;
  return requested;
}

}  // namespace tandem
