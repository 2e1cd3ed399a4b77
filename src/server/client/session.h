// One client: reads its requests, executes them in order on its worker, and sends the replies of a
// turn together.
//
//   bytes -> QueryBuffer -> (those of other clients come) -> Executor -> ReplyOutput -> one write,
//                                                            Inbox --^     before the loop sleeps
//
// While the client is blocked by a command or held back by CLIENT PAUSE its requests wait in the
// query buffer; reading goes on, so that a closed connection is noticed. Limits: the query buffer,
// and what waits to be sent, by class of client.
//
// Confined to its worker's thread; what others do to the client is on its card. run() is the
// session's life: when it ends nothing waits on the connection any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crash_log.h"
#include "config/options.h"
#include "engine/admission.h"
#include "engine/executor.h"
#include "io/byte_stream.h"
#include "io/task.h"
#include "io/timer.h"
#include "server/client/client.h"
#include "server/client/lookahead.h"
#include "server/client/query_buffer.h"
#include "server/client/reply_output.h"
#include "stats/counters.h"

namespace tandem {

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
  // The session was held back by CLIENT PAUSE; resume() is to be called when it is over.
  std::function<void(Session&)> held_back;
  ClientMemory* client_memory = nullptr;  // null: nobody counts
  // The worker's last commands; null: nobody looks.
  CrashTrail* trail = nullptr;
  std::optional<int64_t> http_told_ms = {};  // when a request of HTTP was last told of
};

class Session final : public ClientState, public ClientConnection {
 public:
  // Ends when `stop` is requested, too.
  Session(SessionHost& host, std::unique_ptr<ByteStream> stream, std::shared_ptr<ClientCard> card,
          StopToken stop);
  ~Session() override;

  // Until the connection is over.
  Task<void> run();

  // For commands.
  const std::shared_ptr<ClientCard>& card() const override { return card_; }
  void show(const Command& command) override;
  const Address& peer() const override { return stream_->peer(); }
  Loop& loop() const override { return host_.loop; }
  void set_reply_mode(ReplyMode mode) override { output_.set_mode(mode); }
  void hand_over(HandOver next) override;
  void reset() override;
  void close_after_reply() override { output_.close_when_sent(); }
  void close() override { stop_.request(); }

  // Others did something to the client: looks at its card.
  void attend();
  // Ends the wait of a blocked command.
  void unblock(std::string reply);
  // After a pause.
  void resume();
  // From inside another client's command, which keeps the loop from its turn: takes what has come,
  // executes it and sends the answers, as far as this needs no waiting.
  void hear();

  // The worker's check, about once a second.
  void check_limits(int64_t monotonic_ms);

  std::function<void(std::string reply)> unblocker() override;
  std::function<bool()> is_gone() override;
  bool is_killed() const override { return card_->killed.load(std::memory_order_acquire); }
  std::string address() const override { return card_->address; }
  std::string name() const override { return card_->name.get(); }

 private:
  void process();
  bool takes_requests() const;
  ParseStatus parse();
  bool take_request();
  bool input_over_limit() const;
  bool output_over_limit(int64_t monotonic_ms);
  const OutputBufferLimit& output_limit() const;
  bool locked_out() const;
  void cut_off();
  void protocol_error();
  void tell_of_end() const;
  void start_waiting();
  void on_deadline();
  void take_messages();
  void take_messages_if_any() {
    if (card_->inbox_bytes.load(std::memory_order_relaxed) != 0) [[unlikely]]
      take_messages();
  }
  void end_caching(Bytes command_name);
  void update_card();

  SessionHost& host_;
  std::unique_ptr<ByteStream> stream_;
  std::shared_ptr<ClientCard> card_;
  Stop stop_;
  Stop reading_{stop_.token()};  // requests, until the connection is handed over
  QueryBuffer input_;
  ReplyOutput output_;

  bool held_back_ = false;
  bool processing_ = false;
  bool locked_out_ = false;  // when the last request was parsed
  HandOver hand_over_;
  std::optional<Timer> deadline_;
};

}  // namespace tandem
