// The reader is the only task that lives as long as the session. It never waits for replies to go
// out (server/client/reply_output.h), and it waits for bytes without giving a buffer away: so the
// query buffer may change at any time, and somebody else on this thread may read in the reader's
// place.
#include "server/client/session.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "server/client/client_tracking.h"

namespace tandem {
namespace {

constexpr size_t kFlushEarlyBytes = 256 * 1024;  // does not wait for the end of the turn
constexpr size_t kUnauthenticatedInputBytesMax = 1024 * 1024;
// Errors are short; who has not authenticated is sent nothing else.
constexpr size_t kUnauthenticatedOutputBytesMax = 16 * 1024;
constexpr int64_t kHttpToldEveryMs = 60'000;
constexpr int64_t kRestsAfterMs = 2000;  // a client without a request gives its buffer back

}  // namespace

Session::Session(SessionHost& host, std::unique_ptr<ByteStream> stream,
                 std::shared_ptr<ClientCard> card, StopToken stop)
    : ClientState(ClientKind::kNormal),
      host_(host),
      stream_(std::move(stream)),
      card_(std::move(card)),
      stop_(stop),
      output_({*stream_, *card_, host_.counters, host_.flushes, stop_, host_.client_memory}) {
  id = card_->id;
  connection = this;
  card_->set_stream(stream_.get());
}

Session::~Session() {
  card_->set_stream(nullptr);
  if (waiter) host_.executor.abandon(waiter);
  host_.executor.end_transaction(*this);
  host_.executor.unwatch(*this);
}

Task<void> Session::run() {
  log_verbose("Accepted {}", stream_->peer().text());
  bool filled = false;  // by the last read: more was waiting
  while (!reading_.requested()) {
    if (!co_await stream_->readable(reading_.token())) break;
    const std::span<char> room = input_.room(filled);
    const auto count = stream_->try_read(room);
    if (!count) {
      tell_of_end();
      break;
    }
    if (*count == 0) continue;
    input_.took(*count);
    filled = *count == room.size();
    host_.counters.input_bytes.add(*count);
    host_.counters.reads.add(1);
    if (takes_requests() && parse() == ParseStatus::kRequest) {
      if (input_.args().size() > 1) host_.lookahead.add(database, input_.args()[1]);
      // The requests of the others that have come are read before any is executed.
      if (!co_await host_.loop.rest_of_turn(stop_.token())) break;
      host_.lookahead.fetch();
    }
    process();
  }
  if (hand_over_ && !stop_.requested()) {
    // The answers to what came before go out first.
    output_.send();
    co_await output_.join();
    const std::string rest(input_.unread());
    input_.clear();
    if (!stop_.requested()) co_await hand_over_(*stream_, rest, stop_.token());
  }
  stop_.request();
  co_await output_.join();
}

void Session::process() {
  if (processing_) return;
  if (output_.has_dropped()) {
    (void)output_over_limit(card_->last_active_ms.load());
    return;
  }
  processing_ = true;
  host_.executor.begin_batch();
  output_.set_limit(output_limit().hard_bytes.get());
  // The first request was looked at when it came, and most often there is no second.
  int prepared = 1;
  while (takes_requests()) {
    if (prepared == 0) prepared = host_.lookahead.prepare(database, input_.unread());
    if (!take_request()) break;
    prepared = std::max(prepared - 1, 0);
  }
  processing_ = false;
  input_.tidy();
  update_card();
  if (input_over_limit()) {
    log_warning("Closing client that reached max query buffer length: {}",
                describe_client(*card_, card_->last_active_ms.load()));
    host_.counters.query_buffer_closes.add(1);
    close();
  }
  if (output_.wants_flush()) output_.send_soon();
}

// What waits for EXEC is not counted, as in Redis 7.2.
bool Session::input_over_limit() const {
  const auto waiting = static_cast<uint64_t>(input_.bytes());
  return waiting > static_cast<uint64_t>(host_.options.query_buffer_bytes_max.get()) ||
         (waiting > kUnauthenticatedInputBytesMax && locked_out());
}

bool Session::locked_out() const {
  return tandem::locked_out(*this, host_.executor.engine().gate.bits());
}

bool Session::takes_requests() const {
  return !output_.is_closing() && !held_back_ && !waiter && !hand_over_ && !input_.is_empty() &&
         !card_->killed.load(std::memory_order_acquire);
}

ParseStatus Session::parse() {
  locked_out_ = locked_out();
  return input_.parse(
      {.bulk_bytes_max = host_.options.bulk_bytes_max.get(), .authenticated = !locked_out_});
}

// False when there is nothing more to execute for now.
bool Session::take_request() {
  const ParseStatus status = parse();
  if (status == ParseStatus::kNeedMore) return false;
  if (status == ParseStatus::kError) {
    protocol_error();
    return false;
  }
  if (const auto args = input_.args(); !args.empty()) {
    take_messages_if_any();
    if (host_.trail != nullptr) host_.trail->note(id, args[0]);
    switch (host_.executor.execute(*this, args, input_.raw(), output_.writer())) {
      case Outcome::kPaused:
        input_.postpone();
        held_back_ = true;
        host_.held_back(*this);
        return false;
      case Outcome::kForeign:
        cut_off();
        return false;
      case Outcome::kBlocked:
        start_waiting();
        break;
      case Outcome::kDone:
        output_.end_reply();
        break;
    }
    if (tracking.caching) [[unlikely]]
      end_caching(args[0]);
    take_messages_if_any();
    const size_t allowed = locked_out_ ? kUnauthenticatedOutputBytesMax : kFlushEarlyBytes;
    if (output_.gathered_bytes() > allowed || output_.has_dropped()) [[unlikely]] {
      output_.send();
      if (output_over_limit(card_->last_active_ms.load())) return false;
      output_.set_limit(output_limit().hard_bytes.get());
    }
  }
  input_.consume();
  return true;
}

// Said once in a while, for whoever looks whether the server lives may ask so again and again.
void Session::cut_off() {
  const int64_t now_ms = host_.loop.clock().monotonic_ms();
  if (!host_.http_told_ms || now_ms - *host_.http_told_ms >= kHttpToldEveryMs) {
    host_.http_told_ms = now_ms;
    log_warning(
        "Possible SECURITY ATTACK detected: a request of HTTP came, perhaps by way of somebody's "
        "browser; closing {}",
        describe_client(*card_, card_->last_active_ms.load()));
  }
  output_.drop();
  close();
}

void Session::tell_of_end() const {
  if (!log_enabled(LogLevel::kVerbose)) return;
  log_verbose("Client closed connection {}", describe_client(*card_, card_->last_active_ms.load()));
}

void Session::protocol_error() {
  log_verbose("Protocol error ({}) from client: {}", input_.error(),
              describe_client(*card_, card_->last_active_ms.load()));
  output_.writer().error(input_.error());
  output_.close_when_sent();
}

// Whoever comes between the waiter's registration and this finds nobody blocked, as if it had come
// before the command; but for who kills the client: then is_gone() says so.
void Session::start_waiting() {
  card_->set_waiter(waiter);
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
  if (waiter->closes()) output_.close_when_sent();
  const bool error_counted = waiter->error_counted.load();
  waiter.reset();
  card_->set_waiter(nullptr);
  if (deadline_) deadline_->cancel();
  if (reply.starts_with('-') && !error_counted) host_.errors.count(reply);
  output_.writer().raw(reply);
  output_.end_reply();
  take_messages_if_any();
  process();
}

void Session::resume() {
  if (!held_back_) return;
  held_back_ = false;
  process();
}

// What ends the connection is left to the reader, who finds the same.
void Session::hear() {
  if (processing_ || hand_over_ || stop_.requested()) return;
  if (const auto count = stream_->try_read(input_.room(false)); count && *count != 0) {
    input_.took(*count);
    host_.counters.input_bytes.add(*count);
    host_.counters.reads.add(1);
  }
  if (!input_.is_empty()) process();
  if (output_.wants_flush()) output_.send();
}

std::function<void(std::string reply)> Session::unblocker() {
  return [deliver = &host_.deliver, client = id](std::string reply) {
    (*deliver)(client, std::move(reply));
  };
}

std::function<bool()> Session::is_gone() {
  // Weak: the card holds the waiter, which holds this.
  return [card = std::weak_ptr(card_)] {
    const auto there = card.lock();
    return there == nullptr || there->is_gone();
  };
}

void Session::reset() {
  host_.executor.end_transaction(*this);
  host_.executor.unwatch(*this);
  end_tracking(*this, host_.executor.engine().tracking);
  database = 0;
  protocol = 2;
  output_.writer().set_protocol(2);
  // A reply that is to be skipped is this one.
  if (output_.mode() != ReplyMode::kSkipThis) set_reply_mode(ReplyMode::kOn);
  card_->name.set("");
  card_->set_flag(kClientNoEvict, false);
  card_->set_flag(kClientNoTouch, false);
  leaves_no_trace = false;
}

// CLIENT CACHING is about the next command, or transaction, that is not CLIENT itself.
void Session::end_caching(Bytes command_name) {
  const Registry& registry = host_.executor.engine().registry;
  const bool is_client = registry.find(command_name) == registry.find_original("client");
  if (!in_transaction && !is_client) tracking.caching = false;
}

// Messages must not get between the bytes of what comes. Behind a wait or a pause the request is
// not executed by the reader, who would wait for more of them.
void Session::hand_over(HandOver next) {
  take_messages();
  card_->inbox.close();
  hand_over_ = std::move(next);
  reading_.request();
}

void Session::attend() {
  if (card_->killed.load(std::memory_order_acquire)) {
    if (card_->inbox.overflowed()) (void)output_over_limit(host_.loop.clock().monotonic_ms());
    return close();
  }
  // What it waited for may have been read before what a message tells of: the reply goes first.
  if (waiter && waiter->is_claimed()) return card_->wake();  // not for long
  if (waiter && waiter->over()) return;
  take_messages();
}

void Session::take_messages() {
  for (const Inbox::Message& message : card_->inbox.take()) {
    const bool wanted = !message.of_monitor || (card_->is(kClientMonitor) && output_.is_heard());
    if (wanted) output_.push(*message.bytes);
  }
  if (!output_.wants_flush()) return;
  if (output_.gathered_bytes() > kFlushEarlyBytes) {
    output_.send();
    if (output_over_limit(host_.loop.clock().monotonic_ms())) return;
  }
  output_.send_soon();
}

void Session::show(const Command& command) {
  last_command = &command;
  update_card();
}

void Session::update_card() {
  constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  ClientCard& card = *card_;
  card.last_active_ms.store(host_.executor.now_monotonic_us() / 1000, kRelaxed);
  card.command.store(last_command, kRelaxed);
  card.database.store(database, kRelaxed);
  card.protocol.store(protocol, kRelaxed);
  card.query_bytes.store(input_.bytes(), kRelaxed);
  card.query_free_bytes.store(input_.free_bytes(), kRelaxed);
  card.transaction_length.store(in_transaction ? static_cast<int>(queue.size()) : -1, kRelaxed);
  card.transaction_bytes.store(static_cast<int64_t>(queue_bytes), kRelaxed);
  card.argument_bytes.store(waiter == nullptr ? 0 : waiter->argument_bytes(), kRelaxed);
  uint32_t flags = card.flags.load(kRelaxed);
  const auto mark = [&](ClientFlag flag, bool on) { flags = on ? flags | flag : flags & ~flag; };
  mark(kClientTransaction, in_transaction);
  mark(kClientPubsub, card.inbox.subscriptions.count() > 0);
  mark(kClientHeldBack, held_back_);
  mark(kClientDirty, watch_mark && watch_mark->dirty.load(kRelaxed));
  mark(kClientClosing, output_.is_closing());
  card.flags.store(flags, kRelaxed);
  if (host_.client_memory != nullptr) host_.client_memory->recount(card);
}

// Limits.

void Session::check_limits(int64_t monotonic_ms) {
  if (output_over_limit(monotonic_ms)) return;
  constexpr int64_t kMsPerSecond = 1000;
  const int64_t idle_ms = monotonic_ms - card_->last_active_ms.load(std::memory_order_relaxed);
  if (idle_ms >= kRestsAfterMs && !processing_) {
    input_.rest();
    card_->query_free_bytes.store(input_.free_bytes(), std::memory_order_relaxed);
  }
  const int64_t idle_seconds_max = host_.options.idle_timeout_seconds.get();
  const bool waits = waiter || held_back_ || is(kSubscribed);
  if (idle_seconds_max == 0 || waits || card_->is(kClientReplica) || card_->is(kClientMonitor)) {
    return;
  }
  if (idle_ms <= idle_seconds_max * kMsPerSecond) return;
  log_verbose("Closing idle client");
  close();
}

const OutputBufferLimit& Session::output_limit() const {
  const auto which = is(kSubscribed) ? ClientClass::kPubsub : ClientClass::kNormal;
  return host_.options.output_buffer_limits[static_cast<size_t>(which)];
}

bool Session::output_over_limit(int64_t monotonic_ms) {
  if (card_->is(kClientReplica)) return false;  // its stream has a limit of its own
  const bool over = output_.has_dropped() || card_->inbox.overflowed() ||
                    output_.is_over(output_limit(), card_->inbox.bytes(), monotonic_ms) ||
                    (output_.unsent_bytes() > kUnauthenticatedOutputBytesMax && locked_out());
  if (!over || stop_.requested()) return over;
  log_warning("Client {} scheduled to be closed ASAP for overcoming of output buffer limits.",
              describe_client(*card_, monotonic_ms));
  host_.counters.output_buffer_closes.add(1);
  output_.drop();
  close();
  return true;
}

}  // namespace tandem
