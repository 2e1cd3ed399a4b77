// The reader is the only task that lives as long as the session. It never waits for replies to go
// out: those leave in flush(), called before the loop sleeps, and only what the kernel does not
// take at once gets a task of its own.
#include "server/session.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/logging.h"

namespace tandem {
namespace {

constexpr size_t kBufferBytesInitial = 2 * 1024;
constexpr size_t kBufferBytesUsual = 16 * 1024;  // what a busy client gets
constexpr size_t kBufferBytesKept = 64 * 1024;   // more is given back once it is empty
constexpr size_t kOutputBytesKept = 64 * 1024;
constexpr size_t kFlushEarlyBytes = 256 * 1024;  // does not wait for the end of the turn
constexpr size_t kSendBytesMax = 64 * 1024;      // at once to a slow reader, who shows life by each

}  // namespace

Session::Session(SessionHost& host, std::unique_ptr<ByteStream> stream,
                 std::shared_ptr<ClientCard> card, StopToken stop)
    : ClientState(ClientKind::kNormal),
      host_(host),
      stream_(std::move(stream)),
      card_(std::move(card)),
      buffer_(std::make_unique_for_overwrite<char[]>(kBufferBytesInitial)),
      capacity_(kBufferBytesInitial),
      reply_(out_),
      stop_(stop) {
  id = card_->id;
}

Session::~Session() {
  host_.leaving(*this);
  if (waiter) host_.executor.abandon(waiter);
  host_.executor.end_transaction(*this);
  host_.executor.unwatch(*this);
}

Task<void> Session::run() {
  bool filled = false;  // by the last read: more was waiting
  while (!stop_.requested()) {
    make_room(filled);
    reading_ = true;
    auto count = co_await stream_->read({buffer_.get() + end_, capacity_ - end_}, stop_.token());
    reading_ = false;
    if (!count) break;
    end_ += *count;
    filled = end_ == capacity_;
    host_.counters.input_bytes.add(*count);
    host_.counters.reads.add(1);
    if (takes_requests() && parse() == ParseStatus::kRequest) {
      host_.lookahead.add(database, parser_.args());
      // The requests of the others that have come are read before any is executed.
      if (!co_await host_.loop.rest_of_turn(stop_.token())) break;
      host_.lookahead.fetch();
    }
    process();
    if (hand_over_) {
      // The answers to what came before go out first.
      flush();
      co_await tasks_.join();
      const std::string rest(unread());
      begin_ = end_ = 0;
      if (!stop_.requested()) co_await hand_over_(*stream_, rest, stop_.token());
      break;
    }
  }
  stop_.request();
  co_await tasks_.join();
  unlink();
}

void Session::process() {
  if (processing_) return;
  processing_ = true;
  host_.executor.begin_batch();
  // The first request was looked at when it came, and most often there is no second.
  int prepared = 1;
  while (takes_requests()) {
    if (prepared == 0) prepared = host_.lookahead.prepare(database, unread());
    if (!take_request()) break;
    prepared = std::max(prepared - 1, 0);
  }
  processing_ = false;
  if (!reading_) compact();
  update_card();
  if (input_over_limit()) {
    log_warning("Closing client that reached max query buffer length: {}",
                describe_client(*card_, card_->last_active_ms.load()));
    host_.counters.query_buffer_closes.add(1);
    close();
  }
  if (!out_.empty() || closing_) schedule_flush();
}

// What waits for EXEC waits as what has not been parsed yet does.
bool Session::input_over_limit() const {
  constexpr uint64_t kUnauthenticatedBytesMax = 1024 * 1024;
  const uint64_t waiting = end_ - begin_ + queue_bytes;
  return waiting > static_cast<uint64_t>(host_.options.query_buffer_bytes_max.get()) ||
         (waiting > kUnauthenticatedBytesMax && locked_out());
}

bool Session::locked_out() const {
  return tandem::locked_out(*this, host_.executor.engine().gate.bits());
}

bool Session::takes_requests() const {
  return !closing_ && !held_back_ && !waiter && !hand_over_ && begin_ < end_;
}

// Once a request: nothing in the buffer moves before it is taken.
ParseStatus Session::parse() {
  if (parsed_ == ParseStatus::kNeedMore) {
    parser_.set_limits(
        {.bulk_bytes_max = host_.options.bulk_bytes_max.get(), .authenticated = !locked_out()});
    parsed_ = parser_.next(unread());
  }
  return parsed_;
}

// False when there is nothing more to execute for now.
bool Session::take_request() {
  const ParseStatus status = parse();
  if (status == ParseStatus::kNeedMore) return false;
  if (status == ParseStatus::kError) {
    protocol_error();
    return false;
  }
  parsed_ = ParseStatus::kNeedMore;
  const Bytes raw = parser_.raw();
  const auto args = parser_.args();
  if (!args.empty()) {
    if (subscribed) [[unlikely]]
      take_messages();
    const Outcome outcome =
        host_.executor.execute(*this, args, parser_.is_inline() ? Bytes() : raw, reply_);
    if (outcome == Outcome::kPaused) {
      // Stays in the buffer, to be parsed again when the pause is over.
      parser_.reset();
      held_back_ = true;
      host_.held_back(*this);
      return false;
    }
    if (outcome == Outcome::kForeign) {
      cut_off();
      return false;
    }
    if (outcome == Outcome::kBlocked) {
      start_waiting();
    } else {
      end_reply();
    }
    if (subscribed) [[unlikely]]
      take_messages();
    if (out_.size() > kFlushEarlyBytes) {
      flush();
      if (output_over_limit(card_->last_active_ms.load())) return false;
    }
  }
  begin_ += raw.size();
  return true;
}

void Session::set_reply_mode(ReplyMode mode) {
  if (mode == ReplyMode::kSkipNext && reply_mode_ == ReplyMode::kOff) return;
  reply_mode_ = mode;
  is_heard() ? reply_.resume() : reply_.divert(unheard_);
}

// A command is over: what SKIP meant begins or ends here.
void Session::end_reply() {
  if (reply_mode_ == ReplyMode::kOn) [[likely]]
    return;
  unheard_.clear();
  if (reply_mode_ == ReplyMode::kSkipNext) {
    set_reply_mode(ReplyMode::kSkipThis);
  } else if (reply_mode_ == ReplyMode::kSkipThis) {
    set_reply_mode(ReplyMode::kOn);
  }
}

void Session::cut_off() {
  log_warning("A request of HTTP came, perhaps by way of somebody's browser; closing {}",
              describe_client(*card_, card_->last_active_ms.load()));
  out_.clear();
  close();
}

void Session::protocol_error() {
  log_verbose("Protocol error ({}) from client: {}", parser_.error(),
              describe_client(*card_, card_->last_active_ms.load()));
  reply_.error(parser_.error());
  closing_ = true;
}

void Session::start_waiting() {
  if (waiter->deadline_ms() == 0) return;
  if (!deadline_) deadline_.emplace(host_.loop, [this] { on_deadline(); });
  const int64_t left = waiter->deadline_ms() - host_.loop.clock().unix_ms();
  deadline_->once_after_ms(std::max<int64_t>(left, 0));
}

void Session::on_deadline() {
  if (!waiter) return;
  std::string reply;
  if (host_.executor.time_out(waiter, reply)) unblock(std::move(reply));
}

void Session::unblock(std::string reply) {
  if (!waiter) return;
  last_write_offset = std::max(last_write_offset, waiter->write_offset.load());
  if (waiter->closes()) closing_ = true;
  waiter.reset();
  if (deadline_) deadline_->cancel();
  if (reply.starts_with('-')) host_.errors.count(reply);
  reply_.raw(reply);
  end_reply();
  process();
}

bool Session::force_unblock(bool with_error) {
  if (!waiter) return false;
  std::string reply;
  const bool taken = with_error ? host_.executor.unblock_with_error(waiter, reply)
                                : host_.executor.time_out(waiter, reply);
  if (!taken) return false;
  unblock(std::move(reply));
  return true;
}

void Session::resume() {
  if (!held_back_) return;
  held_back_ = false;
  process();
}

std::function<void(std::string reply)> Session::unblocker() {
  return [deliver = &host_.deliver, client = id](std::string reply) {
    (*deliver)(client, std::move(reply));
  };
}

void Session::reset_state() {
  host_.executor.end_transaction(*this);
  host_.executor.unwatch(*this);
  database = 0;
  protocol = 2;
  reply_.set_protocol(2);
  // A reply that is to be skipped is this one.
  if (reply_mode_ != ReplyMode::kSkipThis) set_reply_mode(ReplyMode::kOn);
  card_->name.set("");
  card_->set_flag(kClientNoEvict, false);
  card_->set_flag(kClientNoTouch, false);
}

void Session::push(Bytes encoded) {
  out_ += encoded;
  schedule_flush();
  if (output_over_limit(host_.loop.clock().monotonic_ms())) return;
}

// Takes the lock of the inbox and nothing else: it is called under the registry's.
void Session::deliver(const PublishedMessage& message) {
  auto bytes = message.encoded(card_->protocol.load(std::memory_order_relaxed));
  bool first;
  {
    const Guard guard(inbox_lock_);
    first = inbox_.empty();
    inbox_.push_back(std::move(bytes));
  }
  if (first) host_.wake(card_->id);
}

void Session::take_messages() {
  std::vector<std::shared_ptr<const std::string>> messages;
  {
    const Guard guard(inbox_lock_);
    messages.swap(inbox_);
  }
  for (const auto& message : messages) push(*message);
}

// The query buffer.

void Session::make_room(bool busy) {
  const size_t room = capacity_ - end_;
  const size_t wanted = std::min(parser_.bytes_missing(), capacity_);
  const bool too_small = busy && capacity_ < kBufferBytesUsual;
  if (room > 0 && room >= wanted && !too_small) return;
  // Doubles at most: what a length promises is only believed as far as bytes have come.
  const size_t capacity = std::max(capacity_ * 2, kBufferBytesUsual);
  auto grown = std::make_unique_for_overwrite<char[]>(capacity);
  std::memcpy(grown.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  buffer_ = std::move(grown);
  capacity_ = capacity;
}

void Session::compact() {
  if (begin_ == 0) return;
  std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (end_ == 0 && capacity_ > kBufferBytesKept) {
    buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytesUsual);
    capacity_ = kBufferBytesUsual;
  }
}

void Session::update_card() {
  constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  ClientCard& card = *card_;
  card.last_active_ms.store(host_.executor.now_monotonic_us() / 1000, kRelaxed);
  card.command.store(last_command, kRelaxed);
  card.database.store(database, kRelaxed);
  card.protocol.store(protocol, kRelaxed);
  card.query_bytes.store(static_cast<int64_t>(end_ - begin_), kRelaxed);
  card.query_free_bytes.store(static_cast<int64_t>(capacity_ - end_), kRelaxed);
  card.transaction_length.store(in_transaction ? static_cast<int>(queue.size()) : -1, kRelaxed);
  card.transaction_bytes.store(static_cast<int64_t>(queue_bytes), kRelaxed);
  card.argument_bytes.store(waiter == nullptr ? 0 : waiter->argument_bytes(), kRelaxed);
  card.reply_room_bytes.store(static_cast<int64_t>(out_.capacity()), kRelaxed);
  uint32_t flags = card.flags.load(kRelaxed);
  card.channels.store(static_cast<int>(subscriptions.channels.size()), kRelaxed);
  card.patterns.store(static_cast<int>(subscriptions.patterns.size()), kRelaxed);
  const auto mark = [&](ClientFlag flag, bool on) { flags = on ? flags | flag : flags & ~flag; };
  mark(kClientTransaction, in_transaction);
  mark(kClientPubsub, subscriptions.count() > 0);
  mark(kClientBlocked, waiter != nullptr);
  mark(kClientHeldBack, held_back_);
  mark(kClientDirty, watch_mark && watch_mark->dirty.load(kRelaxed));
  mark(kClientClosing, closing_);
  card.flags.store(flags, kRelaxed);
}

// Limits.

void Session::check_limits(int64_t monotonic_ms) {
  if (output_over_limit(monotonic_ms)) return;
  const int64_t idle_seconds_max = host_.options.idle_timeout_seconds.get();
  const bool waits = waiter || held_back_ || subscribed;
  if (idle_seconds_max == 0 || waits || card_->is(kClientReplica) || card_->is(kClientMonitor)) {
    return;
  }
  constexpr int64_t kMsPerSecond = 1000;
  const int64_t idle_ms = monotonic_ms - card_->last_active_ms.load(std::memory_order_relaxed);
  if (idle_ms <= idle_seconds_max * kMsPerSecond) return;
  log_verbose("Closing idle client");
  close();
}

bool Session::output_over_limit(int64_t monotonic_ms) {
  if (card_->is(kClientReplica)) return false;  // its feed has a limit of its own
  const auto which = subscribed ? ClientClass::kPubsub : ClientClass::kNormal;
  const OutputBufferLimit& limit = host_.options.output_buffer_limits[static_cast<size_t>(which)];
  const auto pending = static_cast<int64_t>(output_pending());
  const auto over = [&](int64_t bytes_max) { return bytes_max != 0 && pending >= bytes_max; };
  constexpr int64_t kMsPerSecond = 1000;
  bool end = over(limit.hard_bytes.get());
  if (!over(limit.soft_bytes.get())) {
    soft_limit_since_ms_ = 0;
  } else if (soft_limit_since_ms_ == 0) {
    soft_limit_since_ms_ = monotonic_ms;
  } else {
    const int64_t allowed_ms = limit.soft_seconds.get() * kMsPerSecond;
    end = end || monotonic_ms - soft_limit_since_ms_ > allowed_ms;
  }
  if (!end || stop_.requested()) return end;
  log_warning("Client {} scheduled to be closed ASAP for overcoming of output buffer limits.",
              describe_client(*card_, monotonic_ms));
  host_.counters.output_buffer_closes.add(1);
  out_.clear();
  close();
  return true;
}

// Sending.

void Session::schedule_flush() { host_.flushes.add(*this); }

void Session::flush() {
  if (sending_) return;
  if (!out_.empty() && !stop_.requested()) {
    const size_t taken = stream_->try_write(out_);
    count_sent(taken);
    if (taken < out_.size()) {
      in_flight_.swap(out_);
      sent_ = taken;
      sending_ = true;
      tasks_.spawn(send_rest());
      return;
    }
    out_.clear();
    if (out_.capacity() > kOutputBytesKept) out_.shrink_to_fit();
  }
  after_flush();
}

void Session::count_sent(size_t bytes) {
  host_.counters.output_bytes.add(bytes);
  host_.counters.writes.add(1);
}

void Session::after_flush() {
  card_->output_bytes.store(static_cast<int64_t>(output_pending()), std::memory_order_relaxed);
  if (closing_ && output_pending() == 0) close();
}

Task<void> Session::send_rest() {
  while (true) {
    card_->output_bytes.store(static_cast<int64_t>(output_pending()), std::memory_order_relaxed);
    const Bytes piece = Bytes(in_flight_).substr(sent_, kSendBytesMax);
    auto written = co_await stream_->write(piece, stop_.token());
    if (!written) {
      stop_.request();
      break;
    }
    count_sent(piece.size());
    // Who takes bytes is not idle.
    card_->last_active_ms.store(host_.loop.clock().monotonic_ms(), std::memory_order_relaxed);
    sent_ += piece.size();
    if (sent_ < in_flight_.size()) continue;
    in_flight_.clear();
    sent_ = 0;
    if (out_.empty()) break;
    in_flight_.swap(out_);
  }
  in_flight_ = std::string();
  sent_ = 0;
  sending_ = false;
  after_flush();
}

}  // namespace tandem
