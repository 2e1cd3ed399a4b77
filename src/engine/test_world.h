// An engine in a world of its own, with a few commands of every shape, so that it is tested without
// the real families.
#pragma once

#include <atomic>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/number.h"
#include "base/test_clock.h"
#include "data/list.h"
#include "engine/executor.h"
#include "engine/testing.h"

namespace tandem {

inline void set_until(Context& c) {
  c.keys.set_text(event::kSet, c.args[1], c.args[2], *parse_int64(c.args[3]), as_is(c));
  c.reply.ok();
}
inline void increment(Context& c) {
  StringText text;
  c.keys.find_text(c.args[1], text);
  const int64_t value = text ? *parse_int64(*text) + 1 : 1;
  c.keys.set_integer(event::kIncrBy, c.args[1], value, as_is(c));
  c.reply.integer(value);
}
inline void push(Context& c) {
  Edit<List> list(c.keys, c.args[1]);
  if (list.is_other_type()) return c.reply.error(kWrongType);
  list.change_or_create().push(ListEnd::kTail, c.args[2], c.keys.limits());
  list.done(event::kRPush, 1, as_is(c));
  c.reply.integer(static_cast<int64_t>(list->size()));
}
inline void blocking_pop(Context& c) {
  Edit<List> list(c.keys, c.args[1]);
  if (list.is_other_type()) return c.reply.error(kWrongType);
  if (!list) return c.block({.keys = {std::string(c.args[1])}});
  c.reply.bulk(*list.change().pop(ListEnd::kHead, c.keys.limits()));
  list.done(event::kLPop, 1, {"LPOP", c.args[1]});
}
inline void blocking_move(Context& c) {
  Edit<List> from(c.keys, c.args[1]);
  Edit<List> to(c.keys, c.args[2]);
  if (from.is_other_type() || to.is_other_type()) return c.reply.error(kWrongType);
  if (!from) return c.block({.keys = {std::string(c.args[1])}});
  const Effect effect = as_is(c);
  const std::string element(*from.change().pop(ListEnd::kHead, c.keys.limits()));
  to.change_or_create().push(ListEnd::kTail, element, c.keys.limits());
  from.done(event::kLPop, 0, effect);
  to.done(event::kRPush, 1, effect);
  c.reply.bulk(element);
}
// Goes through all stripes: their keys.
inline void walk(Context& c) {
  const ReplyWriter::Mark array = c.reply.begin_array();
  int64_t count = 0;
  for (int stripe = 0; stripe < kStripes; ++stripe) {
    if (!c.visit(stripe)) return;
    c.keys.for_each_in(stripe, [&](const Entry& entry) {
      c.reply.bulk(entry.key());
      ++count;
    });
  }
  c.reply.end_array(array, count);
}
// How many stripes are held on the second visit.
inline void held(Context& c) {
  if (!c.visit(3) || !c.visit(200)) return;
  int64_t count = 0;
  for (int stripe = 0; stripe < kStripes; ++stripe) {
    count += c.keys.access().holds(stripe) ? 1 : 0;
  }
  c.reply.integer(count);
}
// As a script does.
inline void call_held(SessionContext& c) {
  const std::vector<Bytes> args{"HELD"};
  c.executor.call(*c.executor.find_for_script(args, c.reply), c.client, args, c.reply);
}
inline void flush(Context& c) {
  c.keys.clear(as_is(c));
  c.reply.ok();
}

inline std::vector<CommandRow> test_rows() {
  std::vector<CommandRow> all = engine_rows();
  all.push_back(plain_get_row());
  all.push_back(plain_set_row());
  all.push_back({.name = "setuntil",
                 .arity = 4,
                 .flags = kWrite,
                 .keys = {key_at(1, "OW")},
                 .handler = set_until});
  all.push_back({.name = "incr",
                 .arity = 2,
                 .flags = kWrite,
                 .keys = {key_at(1, "RW")},
                 .handler = increment});
  all.push_back(
      {.name = "push", .arity = 3, .flags = kWrite, .keys = {key_at(1, "RW")}, .handler = push});
  all.push_back({.name = "bpop",
                 .arity = 2,
                 .flags = kWrite | kBlocking,
                 .keys = {key_at(1, "RW")},
                 .handler = blocking_pop});
  all.push_back({.name = "bmove",
                 .arity = 3,
                 .flags = kWrite | kBlocking,
                 .keys = {key_at(1, "RW"), key_at(2, "RW")},
                 .handler = blocking_move});
  all.push_back({.name = "walk",
                 .arity = 1,
                 .flags = kReadOnly,
                 .scope = LockScope::kVisits,
                 .handler = walk});
  all.push_back({.name = "held",
                 .arity = 1,
                 .flags = kReadOnly,
                 .scope = LockScope::kVisits,
                 .handler = held});
  all.push_back({.name = "callheld",
                 .arity = 1,
                 .scope = LockScope::kEverything,
                 .session_handler = call_held});
  all.push_back({.name = "flush",
                 .arity = 1,
                 .flags = kWrite,
                 .scope = LockScope::kEverything,
                 .handler = flush});
  return all;
}

struct Client final : ClientState {
  Client() : ClientState(ClientKind::kNormal) {}
  std::function<bool()> is_gone() override {
    return [this] { return gone.load(); };
  }
  std::atomic<bool> gone{false};
  std::function<void(std::string)> unblocker() override {
    return [this](std::string reply) { unblocked.push_back(std::move(reply)); };
  }
  std::vector<std::string> unblocked;
};

struct LinkClient final : ClientState {
  LinkClient() : ClientState(ClientKind::kLink) {}
};

struct World : OpenEngine<TestClock> {
  World() : OpenEngine({.keyspace = {.databases = 16, .hash_seed = 7}}, test_rows()) {}
  std::string run(ClientState& client, std::initializer_list<Bytes> args, Bytes raw = {}) {
    std::string out;
    ReplyWriter reply(out, client.protocol);
    executor.begin_batch();
    const std::vector<Bytes> all(args);
    last = executor.execute(client, all, raw, reply);
    return out;
  }
  // What the log got since the last call.
  std::string logged() { return read_on(*cursor); }

  Executor executor{engine, 1};
  std::unique_ptr<LogCursor> cursor = begin_log();
  Outcome last = Outcome::kDone;
};

inline constexpr Bytes kSelect0 = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";

}  // namespace tandem
