// DUMP and RESTORE.
#include "rdb/dump.h"

#include <optional>
#include <string>
#include <vector>

#include "commands/arguments.h"
#include "commands/table.h"
#include "rdb/rdb_format.h"

namespace tandem {
namespace {

void dump(Context& ctx) {
  const Entry* entry = ctx.keys.read(ctx.args[1]);
  if (entry == nullptr) return ctx.reply.null();
  char digits[kInt64TextMax];
  std::string payload;
  dump_value(entry->ref(digits), {}, payload);
  ctx.reply.bulk(payload);
}

struct RestoreOptions {
  bool replace = false;
  bool absolute = false;
  // At most one of the two.
  std::optional<uint64_t> idle_s = {};
  std::optional<uint8_t> frequency = {};
};

bool parse_restore(Context& ctx, RestoreOptions& options) {
  for (OptionWords words(ctx, 4); !words.done();) {
    if (words.take("REPLACE")) {
      options.replace = true;
    } else if (words.take("ABSTTL")) {
      options.absolute = true;
    } else if (!options.frequency && words.take("IDLETIME", 1)) {
      const std::optional<int64_t> seconds = words.integer();
      if (!seconds) return false;
      if (*seconds < 0) {
        ctx.reply.error("ERR Invalid IDLETIME value, must be >= 0");
        return false;
      }
      options.idle_s = static_cast<uint64_t>(*seconds);
    } else if (!options.idle_s && words.take("FREQ", 1)) {
      const std::optional<int64_t> value = words.integer();
      if (!value) return false;
      if (*value < 0 || *value > 255) {
        ctx.reply.error("ERR Invalid FREQ value, must be >= 0 and <= 255");
        return false;
      }
      options.frequency = static_cast<uint8_t>(*value);
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// What replicas get: the payload, or the same value again if it came in a version that stock
// replicas may not read.
std::string payload_for_replicas(Bytes payload, const Value& value) {
  const RdbWriteOptions options;
  if (dump_version(payload) <= options.version) return std::string(payload);
  std::string rewritten;
  dump_value(ref(value), options, rewritten);
  return rewritten;
}

void restore(Context& ctx) {
  const Bytes key = ctx.args[1];
  const Bytes payload = ctx.args[3];
  RestoreOptions options;
  if (!parse_restore(ctx, options)) return;
  if (!options.replace && ctx.keys.exists(key)) {
    return ctx.reply.error("BUSYKEY Target key name already exists.");
  }
  const std::optional<int64_t> ttl = integer_argument(ctx, 2);
  if (!ttl) return;
  if (*ttl < 0) return ctx.reply.error("ERR Invalid TTL value, must be >= 0");
  Result<Value> value = restore_value(payload, {.limits = ctx.keys.limits()});
  if (!value) {
    return ctx.reply.error(value.error().code == ErrorCode::kRefused
                               ? "ERR DUMP payload version or checksum are wrong"
                               : "ERR Bad data format");
  }
  int64_t expiry_ms = kNoExpiry;
  if (*ttl != 0) {
    const TimeForm form{.seconds = false, .absolute = options.absolute};
    // What lies beyond the end of time wraps around to the past, as in Redis.
    expiry_ms = unix_ms_of(*ttl, form, ctx.now_ms).value_or(0);
  }
  if (*ttl != 0 && is_over(ctx, expiry_ms)) {
    ctx.keys.erase_unseen(event::kDel, key, {"DEL", key});
    return ctx.reply.ok();
  }
  const std::string when = int64_text(*ttl == 0 ? 0 : expiry_ms);
  std::string copy;
  if (ctx.replicates()) copy = payload_for_replicas(payload, *value);
  std::vector<Bytes> effect{"RESTORE", key, when, copy, "REPLACE", "ABSTTL"};
  const std::string use = int64_text(
      static_cast<int64_t>(options.idle_s ? *options.idle_s : options.frequency.value_or(0)));
  if (options.idle_s) effect.insert(effect.end(), {"IDLETIME", use});
  if (options.frequency) effect.insert(effect.end(), {"FREQ", use});
  ctx.keys.tell(event::kNew, key);
  ctx.keys.put_anew(event::kRestore, key, std::move(*value), expiry_ms, Effect(effect),
                    ctx.keys.access().told_use(options.idle_s, options.frequency));
  ctx.reply.ok();
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> dump_rows() {
  return {
      {.name = "dump", .arity = 2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
       .handler = dump, .group = "generic", .tips = "nondeterministic_output", .since = "2.6.0",
       .complexity = "O(N) for a value of N bytes",
       .summary = "Returns the serialized value of a key", .syntax = "key"},
      {.name = "restore", .arity = -4, .flags = kWrite | kDenyOom | kBrief,
       .keys = {key_at(1, "OW update")}, .handler = restore, .group = "generic",
       .categories = "keyspace dangerous", .since = "2.6.0",
       .history = "3.0.0 Takes REPLACE; 5.0.0 Takes ABSTTL; 5.0.0 Takes IDLETIME and FREQ",
       .complexity = "O(N) for a payload of N bytes, O(N*log(N)) for sorted sets",
       .summary = "Makes a key from a serialized value",
       .syntax = "key ttl serialized-value [REPLACE]@3.0.0 [ABSTTL]@5.0.0 "
                 "[IDLETIME seconds]@5.0.0 [FREQ frequency]@5.0.0"},
  };
}
// clang-format on

}  // namespace tandem
