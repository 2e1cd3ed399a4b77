// Clients that wait, and the registry of those who wait for keys.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "engine/registrations.h"
#include "engine/rights.h"
#include "keyspace/stripe_lock.h"
#include "keyspace/value.h"
#include "keyspace/view.h"

namespace tandem {

// A client that waits, as every thread may see it.
//
//   waiting --claim--> claimed --finish--> over        its command was run again, and had a result
//      ^                  |
//      +----- release ----+                            it had none
//   waiting --end-------------------------> over       a timeout, a kill, the end of its connection
//
// Whoever moves it out of `waiting` owns it: so a push, a timeout and a closing connection meet
// without a lock, and what one of them has done is done for all the others at that moment. A claim
// lasts as long as one command; end() waits for it.
//
// Threads: any.

struct Command;

// What a client waits for, and how it is reached. Constant while it waits.
struct WaitTerms {
  const Command* command = nullptr;
  uint64_t client = 0;  // its id
  std::shared_ptr<const Account> account = {};
  int database = 0;
  int protocol = 2;
  TrackingChoice tracking = {};
  // To run the command again. Empty where it waits for something else than keys (WAIT).
  std::vector<std::string> args = {};
  std::vector<std::string> keys = {};
  ValueType type = ValueType::kList;  // what a key must hold to be worth a try
  bool needs_keys = false;  // or else, worth a try when one of its keys does not hold that any more
  // Stripes of all keys that the command looks at, and those of them that it needs besides the key
  // that became ready: a move's destination, or all where it needs its keys.
  StripeSet stripes = {};
  StripeSet further = {};
  int64_t deadline_ms = 0;  // unix time; 0: none
  bool goes_on = false;     // its command does, when what it waits for is there (MIGRATE)
  // The reply when the deadline passes.
  std::function<std::string()> timeout_reply = {};
  // What is waited for elsewhere lets go of this client; called once if it ends without a result
  // and without timeout_reply. May be null.
  std::function<void()> let_go = {};
  // Called once with the reply, by any thread, perhaps after the client is gone.
  std::function<void(std::string reply)> deliver = {};
  // Whether nobody is there to take a result. Called only while it is claimed. May be null.
  std::function<bool()> is_gone = {};
};

class Waiter {
 public:
  explicit Waiter(WaitTerms wait) : wait_(std::move(wait)) {}

  const WaitTerms& wait() const { return wait_; }
  const Command* command() const { return wait_.command; }
  int64_t deadline_ms() const { return wait_.deadline_ms; }
  bool for_keys() const { return !wait_.keys.empty(); }
  bool is_counted_later() const { return for_keys() || wait_.goes_on; }
  int64_t argument_bytes() const {
    int64_t bytes = 0;
    for (const std::string& argument : wait_.args) bytes += static_cast<int64_t>(argument.size());
    return bytes;
  }

  // False: somebody else has it, or it is over.
  bool claim() {
    State expected = State::kWaiting;
    return state_.compare_exchange_strong(expected, State::kClaimed, std::memory_order_acq_rel);
  }
  // These two end a claim. finish() delivers the reply.
  void release() { leave_claim(State::kWaiting); }
  void finish(std::string reply) {
    leave_claim(State::kOver);
    wait_.deliver(std::move(reply));
  }
  // Ends a claim for a client that is gone.
  void drop() { leave_claim(State::kOver); }

  // Ends the wait without a reply. False: it was over already; its reply is on its way. Not for who
  // has claimed it.
  bool end();
  // Ends it with this reply. The second closes the connection behind it.
  bool end_with(std::string reply) {
    if (!end()) return false;
    wait_.deliver(std::move(reply));
    return true;
  }
  bool end_with_and_close(std::string reply) {
    if (!end()) return false;
    closes_.store(true, std::memory_order_release);
    wait_.deliver(std::move(reply));
    return true;
  }
  bool is_claimed() const { return state_.load(std::memory_order_acquire) == State::kClaimed; }
  bool over() const { return state_.load(std::memory_order_acquire) == State::kOver; }
  bool closes() const { return closes_.load(std::memory_order_acquire); }

  // In which order clients came; 0 before BlockedClients::add.
  uint64_t arrival = 0;
  // Once served: the end of what its command wrote, for WAIT.
  std::atomic<uint64_t> write_offset{0};
  // The reply, if it is an error, was counted where it arose.
  std::atomic<bool> error_counted{false};

 private:
  enum class State : uint32_t { kWaiting, kClaimed, kOver };
  void leave_claim(State next) {
    state_.store(next, std::memory_order_release);
    state_.notify_all();
  }

  const WaitTerms wait_;
  std::atomic<State> state_{State::kWaiting};
  std::atomic<bool> closes_{false};
};

// The clients that wait for keys, by key, in the order of their arrival.
//
// Threads: any; each call takes short locks of its own and no stripe, so that a wait can end while
// somebody holds every stripe for long. A push cannot slip in between a look at a key and the
// registration, for add() is called under the stripes of the keys, and so is claim_next().
class BlockedClients {
 public:
  explicit BlockedClients(Keyspace& keyspace) : keyspace_(keyspace), queues_(keyspace) {}

  // REQUIRES: the stripes of all its keys held.
  void add(const std::shared_ptr<Waiter>& waiter);
  // Once, when it is over.
  void remove(const Waiter& waiter);

  // The first who waits for a value of this type in the key and came after `arrival`, claimed.
  // Null: there is none. Costs the same however many wait.
  std::shared_ptr<Waiter> claim_next(int database, Bytes key, ValueType type, uint64_t arrival);
  // The first who came after `arrival` and cannot go on waiting, claimed: it needs the key, which
  // holds nothing now, or a value of another type.
  std::shared_ptr<Waiter> claim_next_without(int database, Bytes key,
                                             std::optional<ValueType> holds, uint64_t arrival);
  // Adds the stripes that those who are first in a key's queue need besides the key's: of some
  // dozen, or all stripes where more than that need any.
  void add_further_stripes(int database, Bytes key, StripeSet& out);
  // Every key of a database that somebody waits for: SWAPDB may have made them ready.
  std::vector<std::string> keys_waited_for(int database);
  // Ends all waits with this reply and closes the connections.
  void end_all(const AllStripes& all, const std::string& reply);

  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  // Keys that are waited for, and waiters with a deadline.
  int64_t key_count() const { return key_count_.load(std::memory_order_relaxed); }
  int64_t timed_count() const { return timed_count_.load(std::memory_order_relaxed); }

 private:
  using Order = std::pair<ValueType, uint64_t>;
  struct Queue {
    std::map<Order, std::shared_ptr<Waiter>> waiters;
    std::map<uint64_t, const Waiter*> with_further;  // those whose WaitTerms::further is not empty
    std::map<uint64_t, std::shared_ptr<Waiter>> in_need;  // WaitTerms::needs_keys
  };

  Keyspace& keyspace_;
  Registrations<Queue> queues_;
  std::atomic<uint64_t> arrivals_{0};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> key_count_{0};
  std::atomic<int64_t> timed_count_{0};
};

}  // namespace tandem
