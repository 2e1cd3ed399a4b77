// Executes commands: the way of every write, in one place.
//
//   make room               where memory has run out                   engine/eviction.h
//   find and judge          the command's row; is it let in?           engine/admission.h
//   (queue)                 inside MULTI it only waits for EXEC
//   lock                    the stripes of its keys, in order          engine/key_locks.h
//                           (what walks through databases takes one after the other as it goes)
//   judge again             if the conditions have changed meanwhile
//   run                     the handler, on the keys that it declared  engine/execution.h
//   commit                  its effects get their place in the log     engine/journal.h
//   serve                   who waited for a key that it changed       engine/serving.h
//   unlock, account, tell
//
// The place in the log is assigned while the keys are held: log order is execution order. No
// deadlock, since stripes are always taken in ascending order and all at once. Who waits for
// stripes behind a script that is busy gives up and is answered so.
//
// Threads: an Executor belongs to one thread (each worker and the replica link have their own);
// what it executes is synchronized with the others by the stripes. It may be entered again by the
// command that it runs, for commands that take no stripes: while a script is busy, others are
// answered on its thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/accounts.h"
#include "engine/active_expiry.h"
#include "engine/context.h"
#include "engine/engine.h"
#include "engine/eviction.h"
#include "engine/execution.h"
#include "engine/serving.h"

namespace tandem {

enum class Outcome : uint8_t {
  kDone,     // the reply is written (or the command was queued)
  kBlocked,  // client.waiter is set; the reply comes by unblocker(), or time_out() gives it
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
  // The thread may sleep now: it has told what it holds.
  void end_turn() { eviction_.end_turn(); }
  // When the last command ended, or the batch began.
  int64_t now_monotonic_us() const { return clock_.monotonic_us(); }

  // One request. `raw` is its RESP text if it came as an array (it is appended to the log as it is,
  // instead of encoding it again), else empty. For a link (ClientKind::kLink) `raw` is what goes
  // into the log verbatim, and for an EXEC it must reach back to the MULTI; MULTI itself and queued
  // commands append nothing.
  Outcome execute(ClientState& client, std::span<const Bytes> args, Bytes raw, ReplyWriter& reply);

  // The rest of a command that let others go on meanwhile (MIGRATE, once its target has answered):
  // judged and executed like a command that comes now, under the stripes of its own keys, whether
  // they are moving or not. `rest` need not be in the registry; it counts as the command whose id
  // it has. kPaused: to be tried again.
  Outcome execute_rest(ClientState& client, const Command& rest, std::span<const Bytes> args,
                       ReplyWriter& reply);

  // ---- For handlers that execute others. ----
  // What a script asks for, or null: then the error is written.
  const Command* find_for_script(std::span<const Bytes> args, ReplyWriter& reply);
  // Executes another command under the same locks; its effects join the same record. Asks nobody
  // whether it is let in.
  void call(const Command& command, ClientState& client, std::span<const Bytes> args,
            ReplyWriter& reply);
  // Runs the queue under one set of locks; for the EXEC handler.
  void run_queue(SessionContext& context);
  // Answers with an error instead of executing; `command` is null if there is none of that name, or
  // if it is not to be counted.
  void refuse(const Command* command, Bytes error, ReplyWriter& reply);
  // Tells who watches that the client's rights did not allow this call.
  void tell_denied(const ClientState& client, const Command& command, std::span<const Bytes> args,
                   const Denial& denial, DenialContext context) {
    accounts_.denied(client, command, args, denial, context, clock_.unix_us());
  }
  // To MONITOR. Commands that it does not see by themselves (kSkipMonitor), as scripts, show
  // themselves.
  void show(const Command& command, const ClientState& client, std::span<const Bytes> args);

  // ---- Clients that wait. Any client's waiter; its reply goes to the caller. ----
  // The deadline passed, or it is to be unblocked with an error. False: it was over already.
  bool time_out(const std::shared_ptr<Waiter>& waiter, std::string& reply);
  bool unblock_with_error(const std::shared_ptr<Waiter>& waiter, std::string& reply);
  // Its client is gone. Once this returns nobody looks at the client's connection any more.
  void abandon(const std::shared_ptr<Waiter>& waiter);

  // ---- Transactions. No call takes a stripe. ----
  // DISCARD and the end of a connection.
  void end_transaction(ClientState& client);
  void unwatch(ClientState& client);
  // Registers the keys with WATCH's meaning; for the WATCH handler, whose keys are locked.
  void watch(SessionContext& context, std::span<const Bytes> keys);

  // Active expiry (engine/active_expiry.h).
  uint64_t expire_some(int64_t budget_us);
  // Goes on evicting, for no client. True: there is more to do, and it is worth another call.
  bool evict_some();

  Engine& engine() { return engine_; }
  const ExecutorCounters& counters() const { return accounts_.counters; }
  ExecutorCounters& counters() { return accounts_.counters; }

 private:
  enum class Verdict : uint8_t { kLetIn, kRefused, kHeldBack };

  // What one execution needs, kept for the next one. More than one is in use only while a script
  // lets others be answered.
  struct Frame {
    explicit Frame(Engine& engine) : locks(engine.keyspace), execution(engine) {}
    KeyLocks locks;
    Execution execution;
    uint64_t judged_under = 0;  // the gate's word
  };
  class Entered;
  class Door;

  // No such command, or too few or too many arguments for it.
  Outcome turn_away(const Command* command, ClientState& client, std::span<const Bytes> args,
                    ReplyWriter& reply);
  // Writes the error, if it is refused.
  Verdict judge(const Command& command, ClientState& client, std::span<const Bytes> args,
                uint64_t word, ReplyWriter& reply);
  std::optional<std::string> objection(const Command& command, uint32_t flags, ClientState& client,
                                       std::span<const Bytes> args, uint64_t word);
  std::optional<std::string> late_objection(const Command& command, ClientState& client,
                                            std::span<const Bytes> args, uint64_t judged_under);
  void refuse_in(ClientState& client, const Command& command, Bytes error, ReplyWriter& reply);
  void queue(const Command& command, ClientState& client, std::span<const Bytes> args,
             ReplyWriter& reply);
  Outcome run(Call& call, uint64_t word);
  static Outcome outcome_of(Verdict verdict);
  void declare(Execution& execution, const Call& call) const;
  Verdict lock(Frame& frame, Call& call);
  bool meets_moving_key(const Execution& execution, const Call& call) const;
  bool take_locks(Frame& frame, const Call& call);
  void invoke(Frame& frame, Call& call);
  void conclude(Call& call, bool failed, int64_t started_us);

  Engine& engine_;
  const Command* const exec_;
  Random random_;
  BatchClock clock_;
  Accounts accounts_;
  Serving serving_;
  ActiveExpiry expiry_;
  Eviction eviction_;
  std::vector<std::unique_ptr<Frame>> frames_;
  size_t entered_ = 0;  // frames in use; the last of them is the one that runs
};

// SELECT, MULTI, EXEC, DISCARD, WATCH, UNWATCH: the commands that the engine itself is about.
std::vector<CommandRow> engine_rows();

}  // namespace tandem
