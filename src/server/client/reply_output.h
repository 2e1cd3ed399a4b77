// Who has replies to send in this turn of a loop: they are sent together, one system call each,
// before the loop sleeps. Confined to the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "config/options.h"
#include "engine/command_stats.h"
#include "io/byte_stream.h"
#include "io/loop.h"
#include "io/task.h"
#include "io/wait.h"
#include "resp/reply_writer.h"
#include "server/client/client.h"
#include "server/client/client_memory.h"

namespace tandem {

class Flushable : public ListNode {
 public:
  virtual void flush() = 0;

 protected:
  ~Flushable() = default;
};

class FlushQueue {
 public:
  explicit FlushQueue(Loop& loop) : hook_(loop, [this] { run(); }) {}

  void add(Flushable& member) {
    if (!member.linked()) members_.push_back(member);
  }

 private:
  void run() {
    while (!members_.empty()) members_.pop_front().flush();
  }

  IntrusiveList<Flushable> members_;
  BeforeSleep hook_;
};

// What a client is sent: replies are written here, and leave together in one system call, before
// the loop sleeps. What the kernel does not take at once is sent by a task of its own while further
// replies gather behind it; that buffer is given back when it is empty.
//
// The limit holds in the middle of a reply, too: see ReplyWriter's bound. Confined to its session's
// thread.

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

class ReplyOutput final : private Flushable {
 public:
  // All of it outlives this.
  struct Parts {
    ByteStream& stream;
    ClientCard& card;
    NetworkCounters& counters;
    FlushQueue& flushes;
    Stop& stop;                      // of the session; requested here when the connection breaks
    ClientMemory* memory = nullptr;  // told of what the client holds; null: nobody counts
  };

  explicit ReplyOutput(Parts parts) : parts_(parts), writer_(out_) {}

  ReplyWriter& writer() { return writer_; }
  // From here on replies are dropped that would make it hold this many bytes; 0: no limit.
  void set_limit(int64_t bytes_max);
  // Some were. Not of a client that does not hear them.
  bool has_dropped() const { return is_heard() && writer_.is_full(); }

  // CLIENT REPLY.
  void set_mode(ReplyMode mode);
  ReplyMode mode() const { return mode_; }
  bool is_heard() const { return mode_ == ReplyMode::kOn || mode_ == ReplyMode::kSkipNext; }
  // A command is over: what SKIP meant begins or ends here.
  void end_reply() {
    if (mode_ != ReplyMode::kOn) [[unlikely]]
      end_unheard();
  }

  // Bytes that are no reply, and go out whatever the mode: a message of a channel.
  void push(Bytes encoded) { out_ += encoded; }

  // Before the loop sleeps, or now.
  void send_soon() { parts_.flushes.add(*this); }
  void send() { flush(); }
  // The connection ends behind what is written.
  void close_when_sent() { closing_ = true; }
  bool is_closing() const { return closing_; }
  // Throws away what no call has handed to the kernel yet.
  void drop();
  // co_await: until nothing is being sent any more, or the session stops.
  Scope::Join join() { return tasks_.join(); }

  bool wants_flush() const { return !out_.empty() || closing_; }
  // Written since the last flush, and not sent at all.
  size_t gathered_bytes() const { return out_.size(); }
  size_t unsent_bytes() const { return out_.size() + in_flight_.size() - sent_; }
  // Whether that is more than may wait: now, or for too long. Ask about once a second, and when
  // there is much.
  bool is_over(const OutputBufferLimit& limit, int64_t waiting_bytes, int64_t monotonic_ms);

  // Tells the card.
  void show();

 private:
  void flush() override;
  void after_flush();
  void count_sent(size_t bytes);
  void end_unheard();
  Task<void> send_rest();

  const Parts parts_;
  std::string out_;        // where writer_ writes
  std::string unheard_;    // what it writes while replies are switched off
  std::string in_flight_;  // what a write wait is sending, up to sent_ gone
  ReplyWriter writer_;
  size_t sent_ = 0;
  int64_t limit_bytes_ = 0;
  bool sending_ = false;
  bool closing_ = false;
  ReplyMode mode_ = ReplyMode::kOn;
  int64_t soft_limit_since_ms_ = 0;
  Scope tasks_;  // what still sends when the reader ends
};

}  // namespace tandem
