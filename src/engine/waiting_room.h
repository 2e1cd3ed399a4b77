// Clients that wait for keys, first come first served.
//
// A waiter is in one of three states: waiting, running (some thread tries its command again), done.
// Whoever moves it out of waiting owns it: so a push, a timeout and a closing connection can meet
// without a lock.
//
// Threads: a key's queue belongs to whoever holds the key's stripe; a Waiter's state is atomic.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "base/bytes.h"
#include "keyspace/view.h"

namespace tandem {

struct Command;

class Waiter {
 public:
  const Command* command = nullptr;
  int database = 0;
  int protocol = 2;
  std::vector<std::string> args;
  std::vector<std::string> keys;
  std::vector<int> stripes;           // of all keys that its command declares, ascending
  ValueType type = ValueType::kList;  // what a key must hold to be worth a try
  int64_t deadline_ms = 0;            // unix time; 0: none
  std::function<std::string()> timeout_reply;
  std::function<void(std::string reply)> deliver;

  // Takes the waiter for one more try. False: somebody else has it, or it is over.
  bool try_claim() { return move(State::kWaiting, State::kRunning); }
  void release_claim() { state_.store(State::kWaiting, std::memory_order_release); }
  // Ends a claimed waiter with its reply.
  void finish(std::string reply) {
    state_.store(State::kDone, std::memory_order_release);
    deliver(std::move(reply));
  }
  // For waits that are not for keys: ends it if nobody else has.
  bool complete(std::string reply) {
    if (!move(State::kWaiting, State::kDone)) return false;
    deliver(std::move(reply));
    return true;
  }
  // The same, and the connection ends behind the reply.
  bool complete_and_close(std::string reply) {
    if (!move(State::kWaiting, State::kDone)) return false;
    closes_.store(true, std::memory_order_release);
    deliver(std::move(reply));
    return true;
  }
  int64_t argument_bytes() const {
    int64_t bytes = 0;
    for (const std::string& argument : args) bytes += static_cast<int64_t>(argument.size());
    return bytes;
  }
  bool closes() const { return closes_.load(std::memory_order_acquire); }

  // Once served: the end of what its command wrote, for WAIT.
  std::atomic<uint64_t> write_offset{0};

  // Ends it without a reply (timeout, disconnect, CLIENT KILL). False: it is being served or was;
  // when it is being served the reply may still come, or the claim is released and a later cancel
  // succeeds.
  bool cancel() { return move(State::kWaiting, State::kDone); }
  bool done() const { return state_.load(std::memory_order_acquire) == State::kDone; }

 private:
  enum class State : uint8_t { kWaiting, kRunning, kDone };
  bool move(State from, State to) {
    return state_.compare_exchange_strong(from, to, std::memory_order_acq_rel);
  }
  std::atomic<State> state_{State::kWaiting};
  std::atomic<bool> closes_{false};
};

class WaitingRoom {
 public:
  explicit WaitingRoom(Keyspace& keyspace) : keyspace_(keyspace) {}

  // REQUIRES: the stripes of all its keys held.
  void add(const std::shared_ptr<Waiter>& waiter);
  // Takes the stripes itself, one by one. Call once after a waiter is done.
  void remove(const std::shared_ptr<Waiter>& waiter);
  // The same. REQUIRES: the stripes of all its keys held.
  void remove_held(const std::shared_ptr<Waiter>& waiter);
  // Adds the stripes that waiters for this stripe's keys need besides it. REQUIRES: it is held.
  void add_further_stripes(int stripe, std::vector<int>& out) const;
  // The queue of a key, in order of arrival. REQUIRES: its stripe held.
  std::vector<std::shared_ptr<Waiter>> waiting_for(int database, Bytes key);
  bool anybody_waits_for(int database, Bytes key);
  // Every key of a database that somebody waits for (SWAPDB may have made them ready). REQUIRES:
  // all stripes held.
  std::vector<std::string> keys_waited_for(int database);
  int64_t count() const { return count_.load(std::memory_order_relaxed); }
  // Keys that are waited for, and waiters with a deadline.
  int64_t key_count() const { return key_count_.load(std::memory_order_relaxed); }
  int64_t timed_count() const { return timed_count_.load(std::memory_order_relaxed); }

 private:
  using Queue = std::deque<std::shared_ptr<Waiter>>;
  using Queues = absl::flat_hash_map<std::string, Queue>;
  static std::string name(int database, Bytes key);
  void leave(const std::shared_ptr<Waiter>& waiter, const std::string& key, int stripe);
  void discount(const Waiter& waiter);

  Keyspace& keyspace_;
  std::array<Queues, kStripes> queues_;
  // How many places in a stripe's queues are of waiters that need other stripes, too.
  std::array<uint32_t, kStripes> wide_{};
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> key_count_{0};
  std::atomic<int64_t> timed_count_{0};
};

}  // namespace tandem
