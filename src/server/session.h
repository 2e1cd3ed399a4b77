// One client: reads its requests, executes them in order on its worker, and sends the replies of a
// turn together.
//
//   bytes -> query buffer -> RequestParser -> (those of other clients come) -> Executor -> replies
//   -> one write, before the loop sleeps
//
// While the client is blocked by a command or held back by CLIENT PAUSE its requests wait in the
// query buffer; reading goes on, so that a closed connection is noticed. Limits: the query buffer,
// and the replies that wait, by class of client.
//
// Confined to its worker's thread. run() is the session's life: when it ends nothing waits on the
// connection any more.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/server_options.h"
#include "engine/admission.h"
#include "engine/command_stats.h"
#include "engine/executor.h"
#include "io/byte_stream.h"
#include "io/scope.h"
#include "io/task.h"
#include "io/timer.h"
#include "pubsub/subscriber.h"
#include "resp/request_parser.h"
#include "server/client_card.h"
#include "server/flush_queue.h"
#include "server/lookahead.h"
#include "stats/error_counts.h"

namespace tandem {

// Written by one worker, read by INFO.
struct NetworkCounters {
  Counter connections;
  Counter rejected_connections;
  Counter input_bytes;
  Counter output_bytes;
  Counter query_buffer_closes;
  Counter output_buffer_closes;
  Counter reads;
  Counter writes;
};

class Session;

// What a session needs of its worker. All of it outlives the session.
struct SessionHost {
  Loop& loop;
  Executor& executor;
  const NetworkOptions& options;
  NetworkCounters& counters;
  FlushQueue& flushes;
  ErrorCounts& errors;
  Lookahead& lookahead;
  // Any thread: the reply of a blocked command goes to the session with this id, if it still
  // exists.
  std::function<void(uint64_t id, std::string reply)> deliver;
  // Any thread: messages wait for the session with this id.
  std::function<void(uint64_t id)> wake;
  // The session was held back by CLIENT PAUSE; resume() is to be called when it is over.
  std::function<void(Session&)> held_back;
  // Called once, before the session is gone: subscriptions, monitors and the like let go of it.
  std::function<void(Session&)> leaving;
};

class Session final : public ClientState, public Subscriber, private Flushable {
 public:
  // What goes on with the connection when a command has made it something else than a client's: a
  // replica's feed. It gets what the peer had sent behind the command.
  using HandOver =
      std::move_only_function<Task<void>(ByteStream& stream, std::string unread, StopToken stop)>;

  // Ends when `stop` is requested, too.
  Session(SessionHost& host, std::unique_ptr<ByteStream> stream, std::shared_ptr<ClientCard> card,
          StopToken stop);
  ~Session() override;

  // Until the connection is over.
  Task<void> run();

  // For command handlers.
  ClientCard& card() { return *card_; }
  const ClientCard& card() const { return *card_; }
  const std::shared_ptr<ClientCard>& shared_card() const { return card_; }
  ByteStream& stream() { return *stream_; }
  SessionHost& host() { return host_; }
  // Brings the card up to date in the middle of a batch.
  void show(const Command& command) {
    last_command = &command;
    update_card();
  }
  void close_after_reply() { closing_ = true; }
  void close() { stop_.request(); }
  void hand_over(HandOver next) { hand_over_ = std::move(next); }
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipThis, kSkipNext };
  // In force at once: what the same command still answers follows it. SKIP means the command that
  // follows, and has no effect while replies are off.
  void set_reply_mode(ReplyMode mode);
  bool is_heard() const {
    return reply_mode_ == ReplyMode::kOn || reply_mode_ == ReplyMode::kSkipNext;
  }
  // Back to a fresh connection's state, but for the connection and its id (RESET).
  void reset_state();

  // Bytes that are no reply: a message of a channel, a line of MONITOR.
  void push(Bytes encoded);
  // Any thread, from the registry of subscriptions.
  void deliver(const PublishedMessage& message) override;
  // Sends what was delivered.
  void take_messages();
  // Ends the wait of a blocked command.
  void unblock(std::string reply);
  // CLIENT UNBLOCK: as if timed out, or with an error. False: it is not blocked.
  bool force_unblock(bool with_error);
  // After a pause.
  void resume();

  // The worker's check, about once a second.
  void check_limits(int64_t monotonic_ms);
  bool blocked() const { return waiter != nullptr; }

  std::function<void(std::string reply)> unblocker() override;
  std::string address() const override { return card_->address; }
  std::string name() const override { return card_->name.get(); }

 private:
  void process();
  bool takes_requests() const;
  ParseStatus parse();
  bool take_request();
  bool input_over_limit() const;
  bool locked_out() const;
  void end_reply();
  void cut_off();
  void protocol_error();
  void start_waiting();
  void on_deadline();
  void make_room(bool busy);
  void compact();
  void update_card();
  bool output_over_limit(int64_t monotonic_ms);
  size_t output_pending() const { return out_.size() + in_flight_.size() - sent_; }
  void schedule_flush();
  void flush() override;
  void count_sent(size_t bytes);
  void after_flush();
  Task<void> send_rest();

  Bytes unread() const { return {buffer_.get() + begin_, end_ - begin_}; }

  SessionHost& host_;
  std::unique_ptr<ByteStream> stream_;
  std::shared_ptr<ClientCard> card_;

  RequestParser parser_;
  ParseStatus parsed_ = ParseStatus::kNeedMore;  // a request or an error waits to be taken
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;

  ReplyWriter reply_;
  std::string out_;        // where reply_ writes
  std::string unheard_;    // what it writes while replies are switched off
  std::string in_flight_;  // what a write wait is sending, up to sent_ gone
  size_t sent_ = 0;
  bool sending_ = false;

  bool closing_ = false;
  bool held_back_ = false;
  bool processing_ = false;
  bool reading_ = false;  // a read into the buffer is under way: nothing in it may move
  ReplyMode reply_mode_ = ReplyMode::kOn;
  int64_t soft_limit_since_ms_ = 0;
  HandOver hand_over_;
  std::optional<Timer> deadline_;

  // Messages on their way from publishers.
  Lock inbox_lock_;
  std::vector<std::shared_ptr<const std::string>> inbox_ TANDEM_GUARDED_BY(inbox_lock_);

  Stop stop_;
  Scope tasks_;  // what still sends when the reader ends
};

}  // namespace tandem
