// Keys of any type: whether they are there, and how long. Replicas get absolute times.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/table.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"
#include "data/stream.h"

namespace tandem {
namespace {

void del(Context& ctx) {
  int64_t deleted = 0;
  const Effect effect = as_is(ctx);
  for (const Bytes key : ctx.args.subspan(1)) {
    deleted += ctx.keys.erase(event::kDel, key, effect) ? 1 : 0;
  }
  ctx.reply.integer(deleted);
}

// Big values are freed after the locks are let go anyway.
void unlink(Context& ctx) { del(ctx); }

void exists(Context& ctx) {
  int64_t count = 0;
  for (const Bytes key : ctx.args.subspan(1)) count += ctx.keys.read_about(key) != nullptr ? 1 : 0;
  ctx.reply.integer(count);
}

void touch(Context& ctx) {
  int64_t count = 0;
  for (const Bytes key : ctx.args.subspan(1)) count += ctx.keys.read(key) != nullptr ? 1 : 0;
  ctx.reply.integer(count);
}

void type(Context& ctx) {
  const Entry* entry = ctx.keys.read_about(ctx.args[1]);
  ctx.reply.simple(entry != nullptr ? type_name(entry->type()) : "none");
}

struct ExpireConditions {
  bool only_without = false;  // NX
  bool only_with = false;     // XX
  bool only_later = false;    // GT
  bool only_earlier = false;  // LT

  bool allow(int64_t current_ms, int64_t new_ms) const {
    const bool has = current_ms != kNoExpiry;
    if (only_without && has) return false;
    if (only_with && !has) return false;
    // A key without an expiry lives for ever: nothing is later than that.
    if (only_later && (!has || new_ms <= current_ms)) return false;
    if (only_earlier && has && new_ms >= current_ms) return false;
    return true;
  }
};

bool parse_conditions(Context& ctx, ExpireConditions& conditions) {
  for (OptionWords options(ctx, 3); !options.done();) {
    if (options.take("NX")) {
      conditions.only_without = true;
    } else if (options.take("XX")) {
      conditions.only_with = true;
    } else if (options.take("GT")) {
      conditions.only_later = true;
    } else if (options.take("LT")) {
      conditions.only_earlier = true;
    } else {
      const Bytes option = options.peek();
      ctx.reply.error("ERR Unsupported option " + std::string(option.substr(0, option.find('\0'))));
      return false;
    }
  }
  if (conditions.only_without &&
      (conditions.only_with || conditions.only_later || conditions.only_earlier)) {
    ctx.reply.error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return false;
  }
  if (conditions.only_later && conditions.only_earlier) {
    ctx.reply.error("ERR GT and LT options at the same time are not compatible");
    return false;
  }
  return true;
}

void expire_key(Context& ctx, TimeForm form) {
  const Bytes key = ctx.args[1];
  ExpireConditions conditions;
  if (!parse_conditions(ctx, conditions)) return;
  const std::optional<int64_t> value = integer_argument(ctx, 2);
  if (!value) return;
  const std::optional<int64_t> expiry_ms = unix_ms_of(*value, form, ctx.now_ms);
  if (!expiry_ms) return invalid_expire_time(ctx);
  const Entry* entry = ctx.keys.find(key);
  if (entry == nullptr || !conditions.allow(entry->expiry_ms(), *expiry_ms)) {
    return ctx.reply.integer(0);
  }
  if (is_over(ctx, *expiry_ms)) {
    ctx.keys.erase(event::kDel, key, {"DEL", key});
  } else {
    // Below zero only in a primary's stream, where every past moment means the same.
    ctx.keys.set_expiry(event::kExpire, key, std::max<int64_t>(*expiry_ms, 0),
                        {"PEXPIREAT", key, int64_text(*expiry_ms)});
  }
  ctx.reply.integer(1);
}

void expire(Context& ctx) { expire_key(ctx, {.seconds = true, .absolute = false}); }
void pexpire(Context& ctx) { expire_key(ctx, {.seconds = false, .absolute = false}); }
void expireat(Context& ctx) { expire_key(ctx, {.seconds = true, .absolute = true}); }
void pexpireat(Context& ctx) { expire_key(ctx, {.seconds = false, .absolute = true}); }

void persist(Context& ctx) {
  const Entry* entry = ctx.keys.find(ctx.args[1]);
  if (entry == nullptr || !entry->has_expiry()) return ctx.reply.integer(0);
  ctx.keys.set_expiry(event::kPersist, ctx.args[1], kNoExpiry, as_is(ctx));
  ctx.reply.integer(1);
}

constexpr int64_t kNoKey = -2;
constexpr int64_t kForEver = -1;

// Unix milliseconds, kNoKey or kForEver.
int64_t expiry_of(Context& ctx) {
  const Entry* entry = ctx.keys.read_about(ctx.args[1]);
  if (entry == nullptr) return kNoKey;
  return entry->has_expiry() ? entry->expiry_ms() : kForEver;
}

// Not by adding half a second, which the last ones do not survive.
int64_t rounded_seconds(int64_t milliseconds) {
  return milliseconds / 1000 + (milliseconds % 1000 >= 500 ? 1 : 0);
}

void reply_remaining(Context& ctx, bool seconds) {
  const int64_t expiry_ms = expiry_of(ctx);
  if (expiry_ms < 0) return ctx.reply.integer(expiry_ms);
  const int64_t left_ms = std::max<int64_t>(0, expiry_ms - ctx.now_ms);
  ctx.reply.integer(seconds ? rounded_seconds(left_ms) : left_ms);
}

void reply_moment(Context& ctx, bool seconds) {
  const int64_t expiry_ms = expiry_of(ctx);
  ctx.reply.integer(seconds && expiry_ms >= 0 ? rounded_seconds(expiry_ms) : expiry_ms);
}

void ttl(Context& ctx) { reply_remaining(ctx, true); }
void pttl(Context& ctx) { reply_remaining(ctx, false); }
void expiretime(Context& ctx) { reply_moment(ctx, true); }
void pexpiretime(Context& ctx) { reply_moment(ctx, false); }

// Values under another key: RENAME, COPY and MOVE.

constexpr Bytes kSameObject = "ERR source and destination objects are the same";
constexpr Bytes kDatabaseOutOfRange = "ERR DB index is out of range";

std::optional<int> database_argument(Context& ctx, size_t index) {
  const std::optional<int> database = small_integer_argument(ctx, index);
  if (!database) return std::nullopt;
  if (*database < 0 || *database >= ctx.keys.database_count()) {
    ctx.reply.error(kDatabaseOutOfRange);
    return std::nullopt;
  }
  return database;
}

struct Place {
  const KeyEvent& event;
  View view;
  Bytes key;
};

// The target is a new key, whatever it overwrites.
void transfer(Context& ctx, Place from, Place to) {
  const Effect effect = as_is(ctx);
  const Entry& entry = *from.view.find_about(from.key);
  const int64_t expiry_ms = entry.expiry_ms();
  const uint32_t use = entry.use();
  to.view.exists(to.key);  // one whose time is over ends first
  to.view.tell(event::kNew, to.key);
  std::optional<Value> value = from.view.take(from.event, from.key, effect);
  to.view.put_anew(to.event, to.key, std::move(*value), expiry_ms, effect, use);
}

void rename_key(Context& ctx, bool overwrite) {
  const Bytes source = ctx.args[1];
  const Bytes target = ctx.args[2];
  if (!ctx.keys.exists(source)) return ctx.reply.error(kNoSuchKey);
  if (source == target) return overwrite ? ctx.reply.ok() : ctx.reply.integer(0);
  if (!overwrite && ctx.keys.exists(target)) return ctx.reply.integer(0);
  transfer(ctx, {event::kRenameFrom, ctx.keys, source}, {event::kRenameTo, ctx.keys, target});
  overwrite ? ctx.reply.ok() : ctx.reply.integer(1);
}

void rename(Context& ctx) { rename_key(ctx, true); }
void renamenx(Context& ctx) { rename_key(ctx, false); }

void move_key(Context& ctx) {
  const Bytes key = ctx.args[1];
  const std::optional<int> database = database_argument(ctx, 2);
  if (!database) return;
  if (*database == ctx.keys.database()) return ctx.reply.error(kSameObject);
  View target = ctx.keys.at(*database);
  if (!ctx.keys.exists(key) || target.exists(key)) return ctx.reply.integer(0);
  transfer(ctx, {event::kMoveFrom, ctx.keys, key}, {event::kMoveTo, target, key});
  ctx.reply.integer(1);
}

template <class T>
Value container_copy(const Entry& entry) {
  return Value(std::make_unique<T>(entry.as<T>().copy()));
}

// In the form that the value has.
Value copy_of(const Entry& entry) {
  char digits[kInt64TextMax];
  switch (entry.type()) {
    case ValueType::kString:
      return Value(std::string(entry.text(digits)), entry.string_form());
    case ValueType::kList:
      return container_copy<List>(entry);
    case ValueType::kSet:
      return container_copy<Set>(entry);
    case ValueType::kSortedSet:
      return container_copy<SortedSet>(entry);
    case ValueType::kHash:
      return container_copy<Hash>(entry);
    case ValueType::kStream:
      break;
  }
  return Value(std::make_unique<Stream>(entry.as<Stream>()));  // shared until one is changed
}

void copy(Context& ctx) {
  const Bytes source = ctx.args[1];
  const Bytes target = ctx.args[2];
  bool replace = false;
  int database = ctx.keys.database();
  for (OptionWords options(ctx, 3); !options.done();) {
    if (options.take("REPLACE")) {
      replace = true;
    } else if (options.take("DB", 1)) {
      const std::optional<int> named = database_argument(ctx, options.position());
      if (!named) return;
      options.text();
      database = *named;
    } else {
      return ctx.reply.error(kSyntaxError);
    }
  }
  View to = ctx.keys.at(database);
  if (database == ctx.keys.database() && source == target) return ctx.reply.error(kSameObject);
  const Entry* entry = ctx.keys.read(source);
  if (entry == nullptr) return ctx.reply.integer(0);
  if (to.exists(target) && !replace) return ctx.reply.integer(0);  // a dead one ends first
  to.tell(event::kNew, target);
  to.put_anew(event::kCopyTo, target, copy_of(*entry), entry->expiry_ms(), as_is(ctx),
              to.access().fresh_use());
  ctx.reply.integer(1);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "del", .arity = -2, .flags = kWrite | kBrief,
     .keys = {keys_range(1, -1, 1, "RM delete")}, .handler = del, .group = "generic",
     .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "1.0.0",
     .complexity = "O(N) for N keys, and O(M) for a container of M elements",
     .summary = "Deletes keys", .syntax = "key [key ...]"},
    {.name = "unlink", .arity = -2, .flags = kWrite | kFast,
     .keys = {keys_range(1, -1, 1, "RM delete")}, .handler = unlink, .group = "generic",
     .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "4.0.0",
     .complexity = "O(1) for each key", .summary = "Deletes keys and frees their values later",
     .syntax = "key [key ...]"},
    {.name = "exists", .arity = -2, .flags = kReadOnly | kFast,
     .keys = {keys_range(1, -1, 1, "RO")}, .handler = exists, .group = "generic",
     .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "1.0.0",
     .history = "3.0.3 Takes several keys",
     .complexity = "O(N) for N keys", .summary = "Counts which of the keys exist",
     .syntax = "key [key ...]"},
    {.name = "touch", .arity = -2, .flags = kReadOnly | kFast | kAlwaysUses,
     .keys = {keys_range(1, -1, 1, "RO")}, .handler = touch, .group = "generic",
     .tips = "request_policy:multi_shard response_policy:agg_sum", .since = "3.2.1",
     .complexity = "O(N) for N keys",
     .summary = "Counts which of the keys exist and marks them as used",
     .syntax = "key [key ...]"},
    {.name = "type", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = type, .group = "generic", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Names the type of a value", .syntax = "key"},
    {.name = "expire", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
     .handler = expire, .group = "generic", .since = "1.0.0",
     .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
     .summary = "Sets when a key expires, in seconds from now",
     .syntax = "key seconds condition:[NX | XX | GT | LT]@7.0.0"},
    {.name = "pexpire", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
     .handler = pexpire, .group = "generic", .since = "2.6.0",
     .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
     .summary = "Sets when a key expires, in milliseconds from now",
     .syntax = "key milliseconds condition:[NX | XX | GT | LT]@7.0.0"},
    {.name = "expireat", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
     .handler = expireat, .group = "generic", .since = "1.2.0",
     .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
     .summary = "Sets when a key expires, as Unix time in seconds",
     .syntax = "key unix-time-seconds condition:[NX | XX | GT | LT]@7.0.0"},
    {.name = "pexpireat", .arity = -3, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
     .handler = pexpireat, .group = "generic", .since = "2.6.0",
     .history = "7.0.0 Takes NX, XX, GT and LT", .complexity = "O(1)",
     .summary = "Sets when a key expires, as Unix time in milliseconds",
     .syntax = "key unix-time-milliseconds condition:[NX | XX | GT | LT]@7.0.0"},
    {.name = "persist", .arity = 2, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
     .handler = persist, .group = "generic", .since = "2.2.0", .complexity = "O(1)",
     .summary = "Takes the expiry from a key", .syntax = "key"},
    {.name = "ttl", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = ttl, .group = "generic", .tips = "nondeterministic_output", .since = "1.0.0",
     .history = "2.8.0 Tells absent keys, by -2, from keys that stay", .complexity = "O(1)",
     .summary = "Returns the seconds left before a key expires", .syntax = "key"},
    {.name = "pttl", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = pttl, .group = "generic", .tips = "nondeterministic_output", .since = "2.6.0",
     .history = "2.8.0 Tells absent keys, by -2, from keys that stay", .complexity = "O(1)",
     .summary = "Returns the milliseconds left before a key expires", .syntax = "key"},
    {.name = "expiretime", .arity = 2, .flags = kReadOnly | kFast,
     .keys = {key_at(1, "RO access")}, .handler = expiretime, .group = "generic",
     .since = "7.0.0", .complexity = "O(1)",
     .summary = "Returns when a key expires, as Unix time in seconds", .syntax = "key"},
    {.name = "pexpiretime", .arity = 2, .flags = kReadOnly | kFast,
     .keys = {key_at(1, "RO access")}, .handler = pexpiretime, .group = "generic",
     .since = "7.0.0", .complexity = "O(1)",
     .summary = "Returns when a key expires, as Unix time in milliseconds", .syntax = "key"},
    {.name = "rename", .arity = 3, .flags = kWrite | kBrief,
     .keys = {key_at(1, "RW access delete"), key_at(2, "OW update")}, .handler = rename,
     .group = "generic", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Gives a value another key, overwriting what is there", .syntax = "key newkey"},
    {.name = "renamenx", .arity = 3, .flags = kWrite | kFast,
     .keys = {key_at(1, "RW access delete"), key_at(2, "OW insert")}, .handler = renamenx,
     .group = "generic", .since = "1.0.0",
     .history = "3.2.0 A key may be renamed to itself", .complexity = "O(1)",
     .summary = "Gives a value another key if that key is absent", .syntax = "key newkey"},
    {.name = "move", .arity = 3, .flags = kWrite | kFast, .keys = {key_at(1, "RW access update")},
     .handler = move_key, .group = "generic", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Moves a key to another database", .syntax = "key db"},
    {.name = "copy", .arity = -3, .flags = kWrite | kDenyOom,
     .keys = {key_at(1, "RO access"), key_at(2, "OW update")}, .handler = copy,
     .group = "generic", .since = "6.2.0", .complexity = "O(N) for a container of N elements",
     .summary = "Copies a value to another key",
     .syntax = "source destination [DB destination-db] [REPLACE]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> key_rows() { return kRows; }

}  // namespace tandem
