// Executes commands: the way of every write, in one place.
//
//   admit (arity, gate, MULTI queue)
//   -> lock the stripes of the keys, in order
//   -> run the handler
//   -> append its effects to the log
//   -> tell watchers, and run again whoever waited for a key that changed
//   -> unlock
//
// The place in the log is assigned while the keys are held: log order is execution order. No
// deadlock, since stripes are always taken in ascending order. Nothing else appends what was
// executed; replication adds only what holds a stream together (PING).
//
// Threads: an Executor belongs to one thread (each worker and the replica link have their own);
// what it executes is synchronized with the others by the stripes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/context.h"
#include "engine/engine.h"

namespace tandem {

enum class Outcome : uint8_t {
  kDone,     // the reply is written (or the command was queued)
  kBlocked,  // client.waiter is set; the reply comes by unblocker(), or timeout_reply says it
  kPaused,   // CLIENT PAUSE: nothing happened, try again when it is over
  kForeign,  // a request of HTTP: the client is to be cut off without an answer
};

class Executor {
 public:
  Executor(Engine& engine, uint64_t random_seed);
  ~Executor();

  // Time stands still within a command; it is read once at the start of a batch and after each
  // command.
  void begin_batch();
  // When the last command ended, or the batch began.
  int64_t now_monotonic_us() const { return now_monotonic_us_; }

  // One request. `raw` is its RESP text if it came as an array (it is appended to the log as it is,
  // instead of encoding it again), else empty. For a link (ClientKind::kLink) `raw` is what goes
  // into the log verbatim, and for an EXEC it must reach back to the MULTI; MULTI itself and queued
  // commands append nothing.
  Outcome execute(ClientState& client, std::span<const Bytes> args, Bytes raw, ReplyWriter& reply);

  // What a script asks for, or null: then the error is written.
  const Command* find_for_script(std::span<const Bytes> args, ReplyWriter& reply);
  // From inside a SessionHandler whose row has scope everything (scripts): executes another command
  // under the same locks, its effects join the same record. Asks no gate.
  void call(const Command& command, ClientState& client, std::span<const Bytes> args,
            ReplyWriter& reply);
  // Answers with an error instead of executing; `command` is null if there is none of that name.
  void refuse(const Command* command, Bytes error, ReplyWriter& reply);

  // To MONITOR. Commands that it does not see by themselves (kSkipMonitor), as scripts, show
  // themselves.
  void show(const Command& command, const ClientState& client, std::span<const Bytes> args);

  // A waiter's deadline passed, it is to be unblocked with an error, or its client is gone. The
  // first two return the reply if the waiter could be taken.
  bool time_out(const std::shared_ptr<Waiter>& waiter, std::string& reply);
  bool unblock_with_error(const std::shared_ptr<Waiter>& waiter, std::string& reply);
  void abandon(const std::shared_ptr<Waiter>& waiter);
  // DISCARD and the end of a connection.
  void end_transaction(ClientState& client);
  void unwatch(ClientState& client);
  // Registers the keys with WATCH's meaning; for the WATCH handler, whose keys are locked.
  void watch(SessionContext& context, std::span<const Bytes> keys);
  // Runs the queue under one set of locks; for the EXEC handler.
  void run_queue(SessionContext& context);

  // Deletes keys whose time is over, for up to `budget_us`, going on where the last call stopped.
  // Returns how many. On a replica: only what its own clients set (engine/own_expiries.h).
  uint64_t expire_some(int64_t budget_us);

  Engine& engine() { return engine_; }
  const ExecutorCounters& counters() const { return counters_; }
  ExecutorCounters& counters() { return counters_; }

 private:
  // One execution under locks: from lock to unlock.
  struct Run {
    const Command& command;
    ClientState& client;
    std::span<const Bytes> args;
    Bytes raw;
    ReplyWriter& reply;
    bool everything = false;
    bool may_block = false;
    bool blocked = false;
    bool error_counted = false;
    BlockRequest request = {};
  };

  bool admit(const Command& command, ClientState& client, std::span<const Bytes> args,
             ReplyWriter& reply);
  void queue(const Command& command, ClientState& client, std::span<const Bytes> args,
             ReplyWriter& reply);
  // No such command, or too few or too many arguments for it.
  Outcome turn_away(const Command* command, ClientState& client, std::span<const Bytes> args,
                    ReplyWriter& reply);
  Outcome run(const Command& command, ClientState& client, std::span<const Bytes> args, Bytes raw,
              ReplyWriter& reply);

  void run_nested(const Command& command, ClientState& client, std::span<const Bytes> args,
                  ReplyWriter& reply);
  void begin(Run& run);
  void invoke(Run& run);
  void commit(Run& run);
  void unlock(const Run& run) TANDEM_NO_ANALYSIS;
  void declare(Run& run);
  void declare_keys(const Command& command, std::span<const Bytes> args);
  void declare_queue(const ClientState& client, bool& everything);
  // Ascending and each once: how stripes are taken.
  static void put_in_order(std::vector<int>& stripes);
  void lock_stripes() TANDEM_NO_ANALYSIS;
  void unlock_stripes() const TANDEM_NO_ANALYSIS;

  void note_changes();
  // Blocked clients: engine/serving.cc.
  struct Served {
    std::shared_ptr<Waiter> waiter;
    std::string reply;
    bool failed;
  };
  void register_waiter(Run& run);
  bool cover_waiters() TANDEM_NO_ANALYSIS;
  bool covers(const Waiter& waiter, bool everything);
  void serve_ready(bool everything);
  void serve_waiter(const std::shared_ptr<Waiter>& waiter, Bytes ready_key, bool everything);
  void finish_serving() TANDEM_NO_ANALYSIS;

  void note_error(Bytes reply);
  void account(const Command& command, const ClientState& client, std::span<const Bytes> args,
               bool failed);
  void account_keys();
  void count(const Command& command, int64_t duration_us, bool failed);
  void report_if_slow(const Command& command, const ClientState& client,
                      std::span<const Bytes> args, int64_t duration_us);
  bool take_waiter(const std::shared_ptr<Waiter>& waiter, bool failed);
  void release_garbage();

  // Active expiry: engine/expiry.cc.
  uint64_t expire_all(int64_t deadline_us);
  uint64_t expire_own(int64_t deadline_us);
  bool expire_if_still_own(const OwnExpiry& own);
  bool expire_own_held(const OwnExpiry& own, const KeyPlace& place);
  uint64_t expire_partition(int database, int partition);
  uint64_t expire_held(int database, int partition);
  int partitions_without_expiry() const;
  void end_expire_round();
  ExpiryMode expiry_mode(const ClientState& client, bool writes) const;
  int64_t now_unix_us() const { return batch_unix_us_ + now_monotonic_us_ - batch_monotonic_us_; }

  Engine& engine_;
  const Command* const exec_;
  Random random_;
  ExecutorCounters counters_;
  Effects effects_;
  KeyAccess access_;

  // Scratch, kept to avoid allocations.
  std::vector<int> positions_;
  std::vector<DeclaredKey> declared_;
  std::vector<int> stripes_;
  std::vector<KeyName> ready_;  // changed by what runs, and somebody waits for them
  std::vector<KeyName> later_;  // the same, to be served under locks of their own
  std::vector<Served> served_;  // to be told when the locks are free

  int64_t batch_unix_us_ = 0;
  int64_t batch_monotonic_us_ = INT64_MIN / 2;
  int64_t now_monotonic_us_ = 0;
  int expire_partition_ = 0;
  int expire_database_ = 0;
  KeyName own_expiry_ = OwnExpiries::before_all();  // the last that was looked at
  // Of the keys with an expiry that the running round over the database has met so far.
  double ttl_sum_ms_ = 0;
  int64_t ttl_count_ = 0;
};

// SELECT, MULTI, EXEC, DISCARD, WATCH, UNWATCH: the commands that the engine itself is about.
std::vector<CommandRow> engine_rows();

}  // namespace tandem
