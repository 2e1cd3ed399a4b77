// Mechanism: an execution is a begin and a commit around handlers. Time stands still in between, so
// that a key cannot expire halfway; effects are only noted. commit() turns them into one record and
// gives it its place in the log while the stripes are still held: that is what makes the order of
// the log the order of execution.
#include "engine/execution.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/bytes.h"

namespace tandem {
namespace {

// A large transaction or MSET declares many; the next execution need not keep room for them.
constexpr size_t kDeclaredKeptMax = 1024;

}  // namespace

ExpiryMode expiry_mode(const Gate& gate, const ClientState& client, bool writes) {
  if (client.obeys_primary) return ExpiryMode::kIgnore;
  const uint32_t bits = gate.bits();
  if ((bits & (Gate::kPausedWrites | Gate::kPausedAll)) != 0) return ExpiryMode::kHide;
  if ((bits & Gate::kReplica) == 0) return ExpiryMode::kDelete;
  // A write of a writable replica's own client must not revive what no client can see.
  const bool clears = writes && (bits & Gate::kReadOnlyReplica) == 0;
  return clears ? ExpiryMode::kClear : ExpiryMode::kHide;
}

void Execution::declare_nothing() {
  declared_.clear();
  stripes_.clear();
}

void Execution::declare(const Command& command, std::span<const Bytes> args) {
  for_each_key(command, args, found_, [this](Bytes key) { declare_key(key); });
}

void Execution::declare_key(Bytes key) {
  declared_.push_back({key, engine_.keyspace.place(key)});
  stripes_.add(declared_.back().place.stripe());
}

void Execution::declare_partition(int partition) {
  declared_.push_back({{}, KeyPlace{static_cast<uint16_t>(partition), 0}});
  stripes_.add(declared_.back().place.stripe());
}

void Execution::begin(const KeyLocks& locks, uint64_t client, int64_t now_ms, ExpiryMode mode) {
  locks_ = &locks;
  // A replica's log is its primary's: what its own clients do there stays here.
  effects_.begin(engine_.journal.wanted() && !engine_.gate.is(Gate::kReplica));
  access_.begin(now_ms, mode, declared_, locks.held());
  access_.listen(announcer_.begin(client));
}

Context Execution::context(Call& call, View& view, Random& random) {
  const bool always = call.command.has(kAlwaysUses) && call.client.kind != ClientKind::kScript;
  access_.let_uses_count(!call.client.leaves_no_trace || always);
  return {.command = call.command,
          .args = call.args,
          .keys = view,
          .reply = call.reply,
          .random = random,
          .now_ms = access_.now_ms(),
          .raw = call.raw,
          .may_block = call.may_block,
          .from_primary = call.client.obeys_primary,
          .from_script = call.client.kind == ClientKind::kScript,
          .rights = call.client.is(kLimited) ? call.client.rights.get() : nullptr,
          .door = call.door};
}

void Execution::invoke(Call& call, Random& random) {
  View view(access_, call.client.database);
  Context handed = context(call, view, random);
  call.command.row.handler(handed);
  call.blocked = handed.blocked;
  if (handed.blocked) call.request = std::move(handed.block_request);
}

// A command that runs others (EVAL_RO) reads by them.
void Execution::remember_reads(const Command& command, uint64_t client,
                               std::span<const Bytes> args) {
  if (command.row.handler == nullptr) return;
  for_each_key(command, args, found_, [&](Bytes key) {
    const KeyPlace place = access_.place(key);
    if (access_.shows(place)) announcer_.note_read(client, place, key);
  });
}

void Execution::commit(const Call& call) {
  if (call.client.kind == ClientKind::kLink) {
    // The bytes of a transaction of the stream come with its EXEC.
    if (!call.client.in_transaction) {
      engine_.journal.append_stream(*locks_, call.raw, call.client.database);
    }
  } else if (effects_.count() != 0) {
    call.client.last_write_offset = engine_.journal.append(*locks_, effects_);
  }
  note_changes();
  announcer_.tell();
}

void Execution::commit() {
  if (effects_.count() != 0) engine_.journal.append(*locks_, effects_);
  note_changes();
  announcer_.tell();
}

void Execution::note_changes() {
  if (!access_.has_outcome()) [[likely]]
    return;
  for (KeyName& changed : access_.changed_keys()) {
    engine_.watch_table.mark_dirty(changed.database, changed.key);
    ready_.push_back(std::move(changed));
  }
  std::ranges::move(access_.woken_keys(), std::back_inserter(ready_));
  if (!access_.changed_databases().empty()) announcer_.note_everything_changed();
  for (const KeyAccess::ChangedDatabase& changed : access_.changed_databases()) {
    const auto concerned = [&](Bytes key) { return changed.concerns(engine_.keyspace, key); };
    engine_.watch_table.mark_database_dirty(locks_->all(), changed.database, concerned);
    for (std::string& key : engine_.blocked.keys_waited_for(changed.database)) {
      ready_.push_back({changed.database, std::move(key)});
    }
  }
  for (OwnExpiry& expiry : access_.own_expiries()) engine_.own_expiries.note(std::move(expiry));
  access_.forget_outcome();
}

void Execution::end() {
  access_.free_garbage();
  if (!access_.large_garbage().empty()) [[unlikely]] {
    engine_.discard(std::exchange(access_.large_garbage(), Garbage()));
  }
  if (!access_.dropped_tables().empty()) [[unlikely]] {
    for (TablesRef& tables : std::exchange(access_.dropped_tables(), {})) {
      engine_.discard(Garbage(std::move(tables)));
    }
  }
  effects_.clear();
  clear_and_keep(found_, kDeclaredKeptMax);
  clear_and_keep(declared_, kDeclaredKeptMax);
}

}  // namespace tandem
