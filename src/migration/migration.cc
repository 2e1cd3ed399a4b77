#include "migration/migration.h"

#include <memory>
#include <string>
#include <utility>

#include "engine/blocked_clients.h"
#include "engine/executor.h"
#include "migration/arrivals.h"
#include "migration/migrate_arguments.h"
#include "rdb/dump.h"

namespace tandem {
namespace {

TransferItem written_down(Bytes key, const Entry& entry) {
  TransferItem item{.key = std::string(key), .payload = {}, .expiry_ms = entry.expiry_ms()};
  char digits[kInt64TextMax];
  dump_value(entry.ref(digits), {}, item.payload);
  return item;
}

// With all keys that are there.
TransferOrder order_of(Context& c, const MigrateArguments& arguments) {
  TransferOrder order{.host = std::string(arguments.host),
                      .port = arguments.port,
                      .timeout_ms = arguments.timeout_ms,
                      .user = std::optional<std::string>(arguments.user),
                      .password = std::optional<std::string>(arguments.password),
                      .database = arguments.database,
                      .replaces = arguments.replaces};
  for (const Bytes key : arguments.keys) {
    const Entry* entry = c.keys.read(key);
    if (entry != nullptr) order.items.push_back(written_down(key, *entry));
  }
  return order;
}

std::vector<SentKey> keys_of(const TransferOrder& order) {
  std::vector<SentKey> keys;
  for (const TransferItem& item : order.items) keys.push_back({.key = item.key});
  return keys;
}

// Stands for the client, which may be gone by then.
struct MovingClient final : ClientState {
  explicit MovingClient(const ClientState& client)
      : ClientState(ClientKind::kNormal), address_(client.address()), name_(client.name()) {
    id = client.id;
    database = client.database;
    protocol = client.protocol;
  }
  std::string address() const override { return address_; }
  std::string name() const override { return name_; }

 private:
  const std::string address_;
  const std::string name_;
};

// One MIGRATE between its two halves. It holds itself, by what it is called back by, until its end;
// a server that ends may drop it before. Confined to the worker's loop but for transferred().
class Move : public std::enable_shared_from_this<Move> {
 public:
  Move(SessionContext& c, Loop& home, std::vector<SentKey> keys, bool copies)
      : executor_(c.executor),
        home_(home),
        client_(c.client),
        args_(c.args.begin(), c.args.end()),
        rest_(c.command),
        keys_(std::move(keys)),
        copies_(copies) {
    rest_.row.session_handler = [this](SessionContext& rest) {
      conclude_transfer(rest, keys_, outcome_, copies_);
    };
    rest_.row.flags |= kSkipMonitor;  // it was shown
    if (!copies_) return;
    // No key is touched: nothing speaks against the answer.
    rest_.row.keys.clear();
    rest_.row.flags = kSkipMonitor | kAllowBusy | kLoading | kStale;
  }

  // REQUIRES: the stripes of the keys held. False: the client cannot wait.
  bool begin(SessionContext& c, Transfers& transfers, TransferOrder order) {
    waiter_ = c.block_until_rest([] { return "-" + std::string(kNotRead) + "\r\n"; });
    if (waiter_ == nullptr) return false;
    if (!copies_) hold_keys();
    transfers.begin(std::move(order), [move = shared_from_this()](TransferOutcome outcome) {
      move->transferred(std::move(outcome));
    });
    return true;
  }

 private:
  Engine& engine() { return executor_.engine(); }

  void hold_keys() {
    for (SentKey& sent : keys_) {
      sent.changed = std::make_shared<WatchMark>();
      engine().moving.add(client_.database, sent.key);
      engine().watch_table.add(client_.database, sent.key, sent.changed);
    }
  }

  void let_go_of_keys() {
    if (copies_) return;
    for (const SentKey& sent : keys_) {
      engine().moving.remove(client_.database, sent.key);
      engine().watch_table.remove(client_.database, sent.key, sent.changed);
    }
    engine().pauses.resume();
  }

  // Any thread.
  void transferred(TransferOutcome outcome) {
    outcome_ = std::move(outcome);
    conclude_soon();
  }
  void conclude_soon() {
    home_.post([move = shared_from_this()] { move->conclude(); });
  }

  void conclude() {
    std::string out;
    ReplyWriter reply(out, client_.protocol);
    const std::vector<Bytes> args(args_.begin(), args_.end());
    executor_.begin_batch();
    if (executor_.execute_rest(client_, rest_, args, reply) == Outcome::kPaused) {
      const bool waits =
          engine().pauses.call_when_over([move = shared_from_this()] { move->conclude_soon(); });
      if (!waits) conclude_soon();
      return;
    }
    let_go_of_keys();
    tell(std::move(out));
  }

  // Once it is over for others: a client that was unblocked by hand counts its own error.
  void tell(std::string reply) {
    if (!waiter_->claim()) return;
    waiter_->write_offset.store(client_.last_write_offset);
    waiter_->error_counted.store(true);
    waiter_->finish(std::move(reply));
  }

  Executor& executor_;
  Loop& home_;
  MovingClient client_;
  const std::vector<std::string> args_;
  Command rest_;
  std::vector<SentKey> keys_;
  const bool copies_;
  std::shared_ptr<Waiter> waiter_;
  TransferOutcome outcome_;
};

void migrate_at_once(Transfers& transfers, SessionContext& c, TransferOrder order, bool copies) {
  if (!transfers.has_thread()) return c.reply.error("ERR MIGRATE cannot wait here");
  const std::vector<SentKey> keys = keys_of(order);
  conclude_transfer(c, keys, transfers.wait_for(std::move(order)), copies);
}

void migrate(Transfers& transfers, const LoopOf& loop_of, SessionContext& c) {
  if (c.from_primary) return c.reply.error("ERR MIGRATE is no part of a replication stream");
  const std::optional<MigrateArguments> arguments = parse_migrate(c);
  if (!arguments) return;
  TransferOrder order = order_of(c, *arguments);
  if (order.items.empty()) return c.reply.simple("NOKEY");
  Loop* home = c.may_block ? loop_of(c.client) : nullptr;
  if (home == nullptr) return migrate_at_once(transfers, c, std::move(order), arguments->copies);
  const auto move = std::make_shared<Move>(c, *home, keys_of(order), arguments->copies);
  if (!move->begin(c, transfers, std::move(order))) c.reply.error("ERR MIGRATE cannot wait here");
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> migration_rows(Transfers& transfers, LoopOf loop_of) {
  KeySpec lone = key_at(3, "RW access delete");
  lone.position_in = lone_key_in;
  const KeySpec several{.use = "RW access delete incomplete", .begin = -2, .begin_keyword = "KEYS",
                        .last = -1, .position_in = first_of_keys_in};
  return {
      {.name = "migrate", .arity = -6, .flags = kWrite | kMovableKeys, .keys = {lone, several},
       .session_handler = [&transfers, loop_of](SessionContext& c) {
         migrate(transfers, loop_of, c);
       },
       .hides = hides_in_migrate, .group = "generic", .categories = "keyspace dangerous",
       .tips = "nondeterministic_output", .since = "2.6.0",
       .history = "3.0.0 Takes COPY and REPLACE; 3.0.6 Takes KEYS; 4.0.7 Takes AUTH; "
                  "6.0.0 Takes AUTH2",
       .complexity = "O(N) for values of N bytes, that many to send, and what RESTORE takes there",
       .summary = "Moves keys to another server",
       .syntax = "host port key-selector:<key | empty-string:\"\"> destination-db timeout:integer "
                 "[COPY]@3.0.0 [REPLACE]@3.0.0 "
                 "authentication:[AUTH auth=password@4.0.7 | AUTH2@6.0.0 username password] "
                 "[KEYS keys:key=key [keys:key=key ...]]@3.0.6"},
  };
}
// clang-format on

}  // namespace tandem
