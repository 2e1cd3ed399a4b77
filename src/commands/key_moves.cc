// Values under another key: RENAME, COPY and MOVE.
#include "commands/arguments.h"
#include "commands/rows.h"
#include "rdb/dump.h"
#include "rdb/rdb_format.h"

namespace tandem {
namespace {

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

void transfer(Context& ctx, Place from, Place to) {
  const Effect effect = as_is(ctx);
  const int64_t expiry_ms = from.view.find(from.key)->expiry_ms();
  std::optional<Value> value = from.view.take(from.event, from.key, effect);
  to.view.put(to.event, to.key, std::move(*value), expiry_ms, effect);
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

// Through the serialized form, which every type has.
std::optional<Value> copy_of(const Entry& entry, const EncodingLimits& limits) {
  char digits[kInt64TextMax];
  const ValueRef source = entry.ref(digits);
  if (source.type == ValueType::kString) {
    return Value(std::string(source.text), entry.string_form());
  }
  std::string payload;
  dump_value(source, {.version = kRdbVersionMax, .compress = false}, payload);
  Result<Value> copied = restore_value(payload, {.limits = limits});
  if (!copied) return std::nullopt;
  return std::move(*copied);
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
  if (!replace && to.exists(target)) return ctx.reply.integer(0);
  std::optional<Value> value = copy_of(*entry, ctx.keys.limits());
  if (!value) return ctx.reply.error("ERR the value is too big to be copied");
  to.put(event::kCopyTo, target, std::move(*value), entry->expiry_ms(), as_is(ctx));
  ctx.reply.integer(1);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "rename", .arity = 3, .flags = kWrite,
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

std::vector<CommandRow> key_move_rows() { return kRows; }

}  // namespace tandem
