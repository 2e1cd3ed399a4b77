// Blocked clients: how they come to wait, and how they are served.
//
// First come, first served, by whoever makes the key ready and before anybody else can see it: a
// write to a key that somebody waits for takes the stripes of all that these waiters' commands
// name, too, and runs them again, in the order of their arrival, before it lets go of any. So
// nobody who comes later finds what an earlier one waits for. Most waiters name one key, and then
// the writer holds all it needs anyway.
//
// A key that changes without those stripes (it expired, or was read and found expired) is served a
// little later, under locks of its own: nothing came that could be taken away.

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/executor.h"

namespace tandem {

void Executor::register_waiter(Run& run) {
  if (run.client.waiter != nullptr) return;  // block_externally made it
  auto waiter = std::make_shared<Waiter>();
  waiter->command = &run.command;
  waiter->database = run.client.database;
  waiter->protocol = run.client.protocol;
  waiter->args = std::move(run.request.args);
  if (waiter->args.empty()) waiter->args.assign(run.args.begin(), run.args.end());
  waiter->keys = std::move(run.request.keys);
  waiter->type = run.request.type;
  for (const DeclaredKey& declared : declared_) {
    waiter->stripes.push_back(declared.place.stripe());
  }
  put_in_order(waiter->stripes);
  waiter->deadline_ms = run.request.deadline_ms;
  waiter->timeout_reply = [protocol = waiter->protocol, kind = run.request.on_timeout] {
    std::string out;
    ReplyWriter reply(out, protocol);
    kind == BlockRequest::OnTimeout::kNull ? reply.null() : reply.null_array();
    return out;
  };
  waiter->deliver = run.client.unblocker();
  CHECK(waiter->deliver != nullptr, "a client that may block can be unblocked");
  run.client.waiter = waiter;
  engine_.waiting_room.add(waiter);
}

// Some stripes are held; takes the others that waiters for their keys need, letting go in between.
// True: all are held, for the waiters changed meanwhile.
bool Executor::cover_waiters() {
  for (int attempt = 0;; ++attempt) {
    const size_t held = stripes_.size();
    for (size_t i = 0; i < held; ++i) {
      if (engine_.keyspace.interest(stripes_[i]) != 0) [[unlikely]] {
        engine_.waiting_room.add_further_stripes(stripes_[i], stripes_);
      }
    }
    if (stripes_.size() == held) [[likely]]
      return false;
    std::vector<int> wanted = stripes_;
    stripes_.resize(held);
    put_in_order(wanted);
    if (std::ranges::includes(stripes_, wanted)) return false;
    unlock_stripes();
    if (attempt == 1) {
      engine_.keyspace.lock_all();
      return true;
    }
    stripes_ = std::move(wanted);
    lock_stripes();
  }
}

bool Executor::covers(const Waiter& waiter, bool everything) {
  return everything || std::ranges::includes(stripes_, waiter.stripes);
}

// What a waiter does may make further keys ready (BLMOVE); they queue behind.
void Executor::serve_ready(bool everything) {
  for (size_t i = 0; i < ready_.size(); ++i) {
    const KeyName key = ready_[i];
    for (const auto& waiter : engine_.waiting_room.waiting_for(key.database, key.key)) {
      if (!engine_.keyspace.holds(engine_.keyspace.tables(key.database), key.key)) break;
      if (!covers(*waiter, everything)) {
        later_.push_back(key);
        break;
      }
      serve_waiter(waiter, key.key, everything);
    }
  }
  ready_.clear();
}

namespace {

// Stands for the blocked client, which lives on another thread.
struct ServedClient final : ClientState {
  ServedClient() : ClientState(ClientKind::kNormal) {}
};

}  // namespace

// The stripes of its keys are held.
void Executor::serve_waiter(const std::shared_ptr<Waiter>& waiter, Bytes ready_key,
                            bool everything) {
  // The role may have changed while the client waited: its write is not ours to make any more.
  if (waiter->command->has(kWrite) && engine_.gate.is(Gate::kReadOnlyReplica)) return;
  if (!waiter->try_claim()) return;
  ServedClient client;
  client.database = waiter->database;
  client.protocol = waiter->protocol;
  const std::vector<Bytes> args(waiter->args.begin(), waiter->args.end());
  std::string out;
  ReplyWriter reply(out, waiter->protocol);
  Run run{*waiter->command, client, args, {}, reply};
  run.everything = everything;
  run.may_block = true;
  declared_.clear();
  declare_keys(run.command, args);
  begin(run);
  const Entry* ready = View(access_, client.database).find(ready_key);
  const bool worth_a_try = ready != nullptr && ready->type() == waiter->type;
  if (worth_a_try) invoke(run);
  // An error is an answer, too: another of its keys may hold what it should not.
  const bool served = worth_a_try && !run.blocked;
  const bool failed = reply.errors() != 0;
  run.blocked = false;
  commit(run);
  if (!served) return waiter->release_claim();
  account_keys();
  waiter->write_offset.store(client.last_write_offset);
  engine_.waiting_room.remove_held(waiter);
  served_.push_back({waiter, std::move(out), failed});
}

// Without locks: tells those who were served, and serves what could not be served at once.
void Executor::finish_serving() {
  for (;;) {
    for (Served& served : std::exchange(served_, {})) {
      ServedClient client;
      client.database = served.waiter->database;
      const std::vector<Bytes> args(served.waiter->args.begin(), served.waiter->args.end());
      account(*served.waiter->command, client, args, served.failed);
      counters_.unblocked_clients.add(1);
      served.waiter->finish(std::move(served.reply));
    }
    if (later_.empty()) return;
    ready_.push_back(std::move(later_.back()));
    later_.pop_back();
    stripes_.assign(1, engine_.keyspace.place(ready_[0].key).stripe());
    lock_stripes();
    const bool everything = cover_waiters();
    serve_ready(everything);
    everything ? engine_.keyspace.unlock_all() : unlock_stripes();
    release_garbage();
  }
}

bool Executor::take_waiter(const std::shared_ptr<Waiter>& waiter, bool failed) {
  if (!waiter->cancel()) return false;
  engine_.waiting_room.remove(waiter);
  if (!waiter->keys.empty()) {
    count(*waiter->command, 0, failed);
  } else if (failed) {
    counters_.by_command[static_cast<size_t>(waiter->command->id)].failed.add(1);
  }
  return true;
}

bool Executor::time_out(const std::shared_ptr<Waiter>& waiter, std::string& reply) {
  if (!take_waiter(waiter, false)) return false;
  reply = waiter->timeout_reply();
  return true;
}

bool Executor::unblock_with_error(const std::shared_ptr<Waiter>& waiter, std::string& reply) {
  if (!take_waiter(waiter, true)) return false;
  // What waits elsewhere for this client's sake lets go of it.
  (void)waiter->timeout_reply();
  reply = "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";
  return true;
}

void Executor::abandon(const std::shared_ptr<Waiter>& waiter) {
  if (!waiter->cancel()) return;
  engine_.waiting_room.remove(waiter);
  (void)waiter->timeout_reply();  // as above
}

}  // namespace tandem
