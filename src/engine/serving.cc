// Mechanism: a write that makes a key ready is followed, under the same locks, by the clients who
// wait for that key: the oldest first, each by running its command again. What such a command
// writes may make another key ready (BLMOVE), so ready keys form a queue.
// A waiter may need stripes that the writer does not hold. cover() adds them before the writer
// runs, for all who wait for its keys at that moment. If one comes in between, its key is put aside
// and served behind the unlock, by finish(), under locks of its own.
// The answers are handed over last, without any lock, for delivery wakes other threads.
#include "engine/serving.h"

#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/admission.h"

namespace tandem {
namespace {

constexpr size_t kKeptMax = 1024;  // keys that somebody waits for

// Stands for the blocked client, which lives on another thread.
struct ServedClient final : ClientState {
  explicit ServedClient(const WaitTerms& wait) : ClientState(ClientKind::kNormal) {
    id = wait.client;
    account = wait.account;
    database = wait.database;
    protocol = wait.protocol;
    tracking = wait.tracking;
  }
};

std::string null_reply(int protocol, BlockRequest::OnTimeout kind) {
  std::string out;
  ReplyWriter reply(out, protocol);
  kind == BlockRequest::OnTimeout::kNull ? reply.null() : reply.null_array();
  return out;
}

}  // namespace

void Serving::wait(const Call& call, const Execution& execution) {
  const BlockRequest& request = call.request;
  if (call.client.waiter != nullptr) return;  // block_externally made it
  WaitTerms wait{
      .command = &call.command,
      .client = call.client.id,
      .account = call.client.account,
      .database = call.client.database,
      .protocol = call.client.protocol,
      .tracking = call.client.tracking,
      .args = request.args,
      .keys = request.keys,
      .type = request.type,
      .needs_keys = request.needs_keys,
      .stripes = execution.stripes(),
      .deadline_ms = request.deadline_ms,
      .timeout_reply = [protocol = call.client.protocol,
                        kind = request.on_timeout] { return null_reply(protocol, kind); },
      .deliver = call.client.unblocker(),
      .is_gone = call.client.is_gone()};
  CHECK(wait.deliver != nullptr, "a client that may block can be unblocked");
  if (wait.args.empty()) wait.args.assign(call.args.begin(), call.args.end());
  // The first specification names the alternatives that it waits for; what it needs besides (the
  // destination of a move) stands in the others.
  std::vector<FoundKey> besides;
  find_keys(std::span(call.command.row.keys).subspan(1), call.args, besides);
  for (const FoundKey& key : besides) {
    wait.further.add(engine_.keyspace.place(call.args[static_cast<size_t>(key.position)]).stripe());
  }
  if (wait.needs_keys && wait.stripes.count() > 1) wait.further = wait.stripes;
  call.client.waiter = std::make_shared<Waiter>(std::move(wait));
  engine_.blocked.add(call.client.waiter);
}

bool Serving::cover(KeyLocks& locks, const Execution& execution, int database) {
  const auto is_busy = [this] { return this->is_busy(); };
  // While the locks are free other waiters may come; in the end all stripes suffice for any.
  constexpr int kAttempts = 2;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    StripeSet more;
    for (const DeclaredKey& declared : execution.declared()) {
      if (!engine_.keyspace.interest().any(declared.place.hash)) [[likely]]
        continue;
      engine_.blocked.add_further_stripes(database, declared.key, more);
    }
    if (locks.cover(more)) [[likely]]
      return true;
    if (!locks.extend_unless(more, is_busy)) return false;
  }
  return locks.extend_unless(StripeSet::all(), is_busy);
}

// What a waiter does may make further keys ready (BLMOVE); they queue behind.
void Serving::serve(KeyLocks& locks, std::vector<KeyName>& ready) {
  for (size_t i = 0; i < ready.size(); ++i) {
    const KeyName key = ready[i];
    serve_key(locks, key, ready);
  }
  clear_and_keep(ready, kKeptMax);
}

// What a key holds is asked anew for each waiter: those before it may have changed it.
void Serving::serve_key(KeyLocks& locks, const KeyName& key, std::vector<KeyName>& ready) {
  const Entry* entry = engine_.keyspace.find(key.database, key.key);
  // It is told again when it is deleted.
  if (entry != nullptr && entry->expired_at(clock_.unix_ms())) return;
  const bool served_all = serve_each(locks, key, ready, [&](uint64_t arrival) {
    const std::optional<ValueType> type = type_in(key);
    return type ? engine_.blocked.claim_next(key.database, key.key, *type, arrival) : nullptr;
  });
  if (!served_all) return;
  serve_each(locks, key, ready, [&](uint64_t arrival) {
    return engine_.blocked.claim_next_without(key.database, key.key, type_in(key), arrival);
  });
}

std::optional<ValueType> Serving::type_in(const KeyName& key) const {
  const Entry* entry = engine_.keyspace.find(key.database, key.key);
  if (entry == nullptr || entry->expired_at(clock_.unix_ms())) return std::nullopt;
  return entry->type();
}

// False: the others have to wait for stripes.
bool Serving::serve_each(KeyLocks& locks, const KeyName& key, std::vector<KeyName>& ready,
                         ClaimNext claim_next) {
  StripeSet needed;
  needed.add(engine_.keyspace.place(key.key).stripe());
  for (uint64_t arrival = 0;;) {
    const auto waiter = claim_next(arrival);
    if (waiter == nullptr) return true;
    arrival = waiter->arrival;
    StripeSet all = waiter->wait().further;
    all.add(needed);
    if (!locks.cover(all)) {
      waiter->release();
      later_.push_back(key);
      return false;
    }
    // The role may have changed while the client waited: its write is not ours to make any more.
    if (waiter->command()->has(kWrite) && engine_.gate.is(Gate::kReadOnlyReplica)) {
      waiter->release();
      continue;
    }
    if (waiter->wait().is_gone && waiter->wait().is_gone()) {
      waiter->drop();
      engine_.blocked.remove(*waiter);
      continue;
    }
    if (!refuse_if_denied(waiter)) try_again(locks, waiter, ready);
  }
}

// Its rights may have become others while it waited. The waiter is claimed, and over if this is
// true.
bool Serving::refuse_if_denied(const std::shared_ptr<Waiter>& waiter) {
  const WaitTerms& wait = waiter->wait();
  ServedClient client(wait);
  take_rights(client, engine_.gate.word());
  if (!client.is(kLimited)) [[likely]]
    return false;
  const std::vector<Bytes> args(wait.args.begin(), wait.args.end());
  const auto denied = denial(*wait.command, args, client);
  if (!denied) return false;
  std::string out;
  ReplyWriter(out).error("NOPERM " + denial_text(*denied, *wait.command, wait.account->name));
  engine_.blocked.remove(*waiter);
  served_.push_back({.waiter = waiter, .reply = std::move(out), .denied = denied});
  return true;
}

// The waiter is claimed.
void Serving::try_again(KeyLocks& locks, const std::shared_ptr<Waiter>& waiter,
                        std::vector<KeyName>& ready) {
  const WaitTerms& wait = waiter->wait();
  ServedClient client(wait);
  const std::vector<Bytes> args(wait.args.begin(), wait.args.end());
  std::string out;
  ReplyWriter reply(out, wait.protocol);
  Call call{*wait.command, client, args, {}, reply, true};
  const int64_t begun_us = engine_.clock.monotonic_us();
  locks.add_free(wait.stripes);
  own_.declare_nothing();
  own_.declare(call.command, args);
  own_.begin(locks, client.id, clock_.unix_ms(),
             expiry_mode(engine_.gate, client, call.command.has(kWrite)));
  own_.access().show_only_held();
  own_.invoke(call, random_);
  own_.note_reads(call.command, client, args);
  own_.commit(call);
  std::ranges::move(std::exchange(own_.ready(), {}), std::back_inserter(ready));
  accounts_.step("command-unblocking", engine_.clock.monotonic_us() - begun_us, clock_.unix_us());
  if (call.blocked) return waiter->release();
  accounts_.keys(own_.access().counters());
  waiter->write_offset.store(client.last_write_offset);
  engine_.blocked.remove(*waiter);
  // An error is an answer, too: another of its keys may hold what it should not.
  served_.push_back({.waiter = waiter, .reply = std::move(out), .failed = reply.errors() != 0});
}

void Serving::serve_later(std::vector<KeyName>& ready) {
  std::ranges::move(std::exchange(ready, {}), std::back_inserter(later_));
}

void Serving::tell(Served served) {
  const WaitTerms& wait = served.waiter->wait();
  const ServedClient client(wait);
  const std::vector<Bytes> args(wait.args.begin(), wait.args.end());
  const int64_t duration_us = clock_.advance();
  if (served.denied) {
    accounts_.refused(*wait.command);
    accounts_.denied(client, *wait.command, args, *served.denied, DenialContext::kAlone,
                     clock_.unix_us());
  } else {
    accounts_.executed(*wait.command, client, args, served.failed, duration_us, clock_.unix_us());
  }
  served.waiter->finish(std::move(served.reply));
}

void Serving::finish() {
  for (;;) {
    for (Served& served : std::exchange(served_, {})) tell(std::move(served));
    own_.end();
    if (later_.empty()) return clear_and_keep(later_, kKeptMax);
    KeyLocks locks(engine_.keyspace);
    if (!take_locks_for(later_.back(), locks)) return;
    std::vector<KeyName> ready{std::move(later_.back())};
    later_.pop_back();
    serve(locks, ready);
  }
}

// False: a script is busy.
bool Serving::take_locks_for(const KeyName& key, KeyLocks& locks) {
  own_.declare_nothing();
  own_.declare_key(key.key);
  return locks.take_unless(own_.stripes(), [this] { return is_busy(); }) &&
         cover(locks, own_, key.database);
}

}  // namespace tandem
