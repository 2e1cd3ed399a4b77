// SET and its relatives: whole strings, with and without an expiry.
#include <algorithm>

#include "commands/arguments.h"
#include "commands/deadlines.h"
#include "commands/rows.h"

namespace tandem {
namespace {

// What may stand behind SET key value and GETEX key.
struct SetOptions {
  bool only_absent = false;
  bool only_present = false;
  bool get = false;
  bool keep_expiry = false;
  bool persist = false;
  std::optional<TimeForm> form;
  Bytes expiry;
};

struct ExpiryWord {
  Bytes word;
  TimeForm form;
};
constexpr ExpiryWord kExpiryWords[] = {
    {"EX", {.seconds = true, .absolute = false}},
    {"PX", {.seconds = false, .absolute = false}},
    {"EXAT", {.seconds = true, .absolute = true}},
    {"PXAT", {.seconds = false, .absolute = true}},
};

// EX, PX, EXAT or PXAT. The same word twice is fine: the last one counts.
bool take_expiry(OptionWords& words, SetOptions& options) {
  for (const ExpiryWord& known : kExpiryWords) {
    if (!words.take(known.word, 1)) continue;
    const bool other_form = options.form && (options.form->seconds != known.form.seconds ||
                                             options.form->absolute != known.form.absolute);
    options.form = known.form;
    options.expiry = words.text();
    return !other_form && !options.keep_expiry && !options.persist;
  }
  return false;
}

bool parse_set_options(Context& ctx, size_t first, bool is_set, SetOptions& options) {
  OptionWords words(ctx, first);
  bool good = true;
  while (good && !words.done()) {
    if (is_set && words.take("NX")) {
      options.only_absent = true;
      good = !options.only_present;
    } else if (is_set && words.take("XX")) {
      options.only_present = true;
      good = !options.only_absent;
    } else if (is_set && words.take("GET")) {
      options.get = true;
    } else if (is_set && words.take("KEEPTTL")) {
      options.keep_expiry = true;
      good = !options.form;
    } else if (!is_set && words.take("PERSIST")) {
      options.persist = true;
      good = !options.form;
    } else {
      good = take_expiry(words, options);
    }
  }
  if (!good) ctx.reply.error(kSyntaxError);
  return good;
}

// Unix milliseconds of a positive time; has answered if there is nothing.
std::optional<int64_t> read_expiry(Context& ctx, Bytes text, TimeForm form) {
  const std::optional<int64_t> value = parse_int64(text);
  if (!value) {
    ctx.reply.error(kNotInteger);
    return std::nullopt;
  }
  const std::optional<int64_t> unix_ms =
      *value > 0 ? unix_ms_of(*value, form, ctx.now_ms) : std::nullopt;
  if (!unix_ms) invalid_expire_time(ctx);
  return unix_ms;
}

// Answers with the string at the key, or null. False: it was no string.
bool reply_text(Context& ctx, Bytes key) {
  StringText text;
  if (!ctx.keys.read_text(key, text)) {
    ctx.reply.error(kWrongType);
    return false;
  }
  text ? ctx.reply.bulk(*text) : ctx.reply.null();
  return true;
}

void store_expiring(Context& ctx, Bytes key, Bytes value, int64_t expiry_ms) {
  ctx.keys.set_text(key, value, expiry_ms);
  if (ctx.replicates()) ctx.replicate({"SET", key, value, "PXAT", int64_text(expiry_ms)});
}

void get(Context& ctx) { reply_text(ctx, ctx.args[1]); }

void set_with_options(Context& ctx) {
  const Bytes key = ctx.args[1];
  const Bytes value = ctx.args[2];
  SetOptions options;
  if (!parse_set_options(ctx, 3, true, options)) return;
  std::optional<int64_t> expiry_ms;
  if (options.form) {
    expiry_ms = read_expiry(ctx, options.expiry, *options.form);
    if (!expiry_ms) return;
  }
  if (options.get && !reply_text(ctx, key)) return;
  if (options.only_absent || options.only_present) {
    if (ctx.keys.exists(key) == options.only_absent) {
      if (!options.get) ctx.reply.null();
      return;
    }
  }
  if (expiry_ms) {
    store_expiring(ctx, key, value, *expiry_ms);
  } else if (options.keep_expiry) {
    const Entry* old = ctx.keys.find(key);
    ctx.keys.set_text(key, value, old != nullptr ? old->expiry_ms() : kNoExpiry);
    ctx.replicate({"SET", key, value, "KEEPTTL"});
  } else {
    ctx.keys.set_text(key, value, kNoExpiry);
    ctx.replicate({"SET", key, value});
  }
  if (!options.get) ctx.reply.ok();
}

void set(Context& ctx) {
  if (ctx.args.size() > 3) return set_with_options(ctx);
  ctx.keys.set_text(ctx.args[1], ctx.args[2], kNoExpiry);
  ctx.replicate_as_is();
  ctx.reply.ok();
}

void setnx(Context& ctx) {
  const bool absent = !ctx.keys.exists(ctx.args[1]);
  if (absent) {
    ctx.keys.set_text(ctx.args[1], ctx.args[2], kNoExpiry);
    ctx.replicate_as_is();
  }
  ctx.reply.integer(absent ? 1 : 0);
}

void set_expiring(Context& ctx, bool seconds) {
  const std::optional<int64_t> expiry_ms =
      read_expiry(ctx, ctx.args[2], {.seconds = seconds, .absolute = false});
  if (!expiry_ms) return;
  store_expiring(ctx, ctx.args[1], ctx.args[3], *expiry_ms);
  ctx.reply.ok();
}

void setex(Context& ctx) { set_expiring(ctx, true); }
void psetex(Context& ctx) { set_expiring(ctx, false); }

void getset(Context& ctx) {
  if (!reply_text(ctx, ctx.args[1])) return;
  ctx.keys.set_text(ctx.args[1], ctx.args[2], kNoExpiry);
  ctx.replicate({"SET", ctx.args[1], ctx.args[2]});
}

void getdel(Context& ctx) {
  if (!reply_text(ctx, ctx.args[1])) return;
  if (ctx.keys.erase(ctx.args[1])) ctx.replicate({"DEL", ctx.args[1]});
}

void getex(Context& ctx) {
  const Bytes key = ctx.args[1];
  SetOptions options;
  if (!parse_set_options(ctx, 2, false, options)) return;
  StringText text;
  if (!ctx.keys.read_text(key, text)) return ctx.reply.error(kWrongType);
  if (!text) return ctx.reply.null();
  std::optional<int64_t> expiry_ms;
  if (options.form) {
    expiry_ms = read_expiry(ctx, options.expiry, *options.form);
    if (!expiry_ms) return;
  }
  ctx.reply.bulk(*text);
  if (expiry_ms && is_over(ctx, *expiry_ms)) {
    ctx.keys.erase(key);
    ctx.replicate({"DEL", key});
  } else if (expiry_ms) {
    ctx.keys.set_expiry(key, *expiry_ms);
    if (ctx.replicates()) ctx.replicate({"PEXPIREAT", key, int64_text(*expiry_ms)});
  } else if (options.persist && ctx.keys.find(key)->has_expiry()) {
    ctx.keys.set_expiry(key, kNoExpiry);
    ctx.replicate({"PERSIST", key});
  }
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> string_rows() {
  return {
      {.name = "get", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
       .handler = get, .group = "string", .since = "1.0.0", .complexity = "O(1)",
       .summary = "Returns the string at a key", .syntax = "key"},
      {.name = "set", .arity = -3, .flags = kWrite | kDenyOom,
       .keys = {{.flags = "RW access update variable_flags", .begin = 1,
                 .milder = {.flags = "OW update", .words = "GET", .from = 3}}},
       .handler = set, .group = "string", .since = "1.0.0",
       .history = "2.6.12 Takes EX, PX, NX and XX; 6.0.0 Takes KEEPTTL; "
                  "6.2.0 Takes GET, EXAT and PXAT; 7.0.0 Takes NX and GET together",
       .complexity = "O(1)",
       .summary = "Stores a string at a key, whatever was there before",
       .syntax = "key value condition:[NX | XX]@2.6.12 [GET]@6.2.0 "
                 "expiration:[EX seconds@2.6.12 | PX milliseconds@2.6.12 | "
                 "EXAT unix-time-seconds@6.2.0 | PXAT unix-time-milliseconds@6.2.0 | "
                 "KEEPTTL@6.0.0]"},
      {.name = "setnx", .arity = 3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "OW insert")}, .handler = setnx, .group = "string", .since = "1.0.0",
       .deprecated = "2.6.12 `SET` with the `NX` argument",
       .complexity = "O(1)", .summary = "Stores a string if the key is absent",
       .syntax = "key value"},
      {.name = "setex", .arity = 4, .flags = kWrite | kDenyOom, .keys = {key_at(1, "OW update")},
       .handler = setex, .group = "string", .since = "2.0.0",
       .deprecated = "2.6.12 `SET` with the `EX` argument",
       .complexity = "O(1)",
       .summary = "Stores a string that expires after some seconds", .syntax = "key seconds value"},
      {.name = "psetex", .arity = 4, .flags = kWrite | kDenyOom, .keys = {key_at(1, "OW update")},
       .handler = psetex, .group = "string", .since = "2.6.0",
       .deprecated = "2.6.12 `SET` with the `PX` argument",
       .complexity = "O(1)",
       .summary = "Stores a string that expires after some milliseconds",
       .syntax = "key milliseconds value"},
      {.name = "getset", .arity = 3, .flags = kWrite | kDenyOom | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = getset, .group = "string",
       .since = "1.0.0",
       .deprecated = "6.2.0 `SET` with the `!GET` argument",
       .complexity = "O(1)",
       .summary = "Stores a string and returns the one it replaces", .syntax = "key value"},
      {.name = "getdel", .arity = 2, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access delete")}, .handler = getdel, .group = "string",
       .since = "6.2.0", .complexity = "O(1)",
       .summary = "Returns the string at a key and deletes the key", .syntax = "key"},
      {.name = "getex", .arity = -2, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW access update")}, .handler = getex, .group = "string",
       .since = "6.2.0", .complexity = "O(1)",
       .summary = "Returns the string at a key and changes its expiry",
       .syntax = "key expiration:[EX seconds | PX milliseconds | EXAT unix-time-seconds | "
                 "PXAT unix-time-milliseconds | PERSIST]"},
  };
}
// clang-format on

}  // namespace tandem
