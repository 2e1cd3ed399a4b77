// Strings: whole ones, with and without an expiry, parts of them, several at once, and as numbers.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "commands/arguments.h"
#include "commands/table.h"

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
  ctx.keys.set_text(event::kSet, key, value, expiry_ms,
                    {"SET", key, value, "PXAT", int64_text(expiry_ms)});
  ctx.keys.tell(event::kExpire, key);
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
    ctx.keys.set_text(event::kSet, key, value, old != nullptr ? old->expiry_ms() : kNoExpiry,
                      {"SET", key, value, "KEEPTTL"});
  } else {
    ctx.keys.set_text(event::kSet, key, value, kNoExpiry, {"SET", key, value});
  }
  if (!options.get) ctx.reply.ok();
}

void set(Context& ctx) {
  if (ctx.args.size() > 3) return set_with_options(ctx);
  ctx.keys.set_text(event::kSet, ctx.args[1], ctx.args[2], kNoExpiry, as_is(ctx));
  ctx.reply.ok();
}

void setnx(Context& ctx) {
  if (ctx.keys.exists(ctx.args[1])) return ctx.reply.integer(0);
  ctx.keys.set_text(event::kSet, ctx.args[1], ctx.args[2], kNoExpiry, as_is(ctx));
  ctx.reply.integer(1);
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
  ctx.keys.set_text(event::kSet, ctx.args[1], ctx.args[2], kNoExpiry,
                    {"SET", ctx.args[1], ctx.args[2]});
}

void getdel(Context& ctx) {
  if (!reply_text(ctx, ctx.args[1])) return;
  ctx.keys.erase(event::kDel, ctx.args[1], {"DEL", ctx.args[1]});
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
    ctx.keys.erase(event::kDel, key, {"DEL", key});
  } else if (expiry_ms) {
    ctx.keys.set_expiry(event::kExpire, key, *expiry_ms,
                        {"PEXPIREAT", key, int64_text(*expiry_ms)});
  } else if (options.persist && ctx.keys.find(key)->has_expiry()) {
    ctx.keys.set_expiry(event::kPersist, key, kNoExpiry, {"PERSIST", key});
  }
}

// A primary's stream is obeyed whatever the size.
bool is_too_long(Context& ctx, uint64_t offset, uint64_t bytes) {
  const uint64_t bytes_max = ctx.keys.limits().string_bytes_max;
  if (ctx.from_primary || (offset <= bytes_max && offset + bytes <= bytes_max)) return false;
  ctx.reply.error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
  return true;
}

void append(Context& ctx) {
  const Bytes key = ctx.args[1];
  const Bytes more = ctx.args[2];
  TextEdit text(ctx.keys, key);
  if (text.is_other_type()) return ctx.reply.error(kWrongType);
  if (!text) {
    ctx.keys.set_text(event::kAppend, key, more, kNoExpiry, as_is(ctx));
    return ctx.reply.integer(static_cast<int64_t>(more.size()));
  }
  const size_t before = (*text).size();
  if (is_too_long(ctx, before, more.size())) return;
  const std::span<char> bytes = text.change(before + more.size());
  if (!more.empty()) std::memcpy(bytes.data() + before, more.data(), more.size());
  text.done(event::kAppend, 1, as_is(ctx));
  ctx.reply.integer(static_cast<int64_t>(bytes.size()));
}

void strlen(Context& ctx) {
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(text ? static_cast<int64_t>((*text).size()) : 0);
}

void getrange(Context& ctx) {
  const std::optional<StringRange> range = range_argument(ctx, 2);
  if (!range) return;
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  const auto places = text && !range->is_reversed() ? range->within((*text).size()) : std::nullopt;
  if (!places) return ctx.reply.bulk({});
  ctx.reply.bulk((*text).substr(places->first, places->last - places->first + 1));
}

void substr(Context& ctx) { getrange(ctx); }

void setrange(Context& ctx) {
  const Bytes part = ctx.args[3];
  const std::optional<int64_t> offset = integer_argument(ctx, 2);
  if (!offset) return;
  if (*offset < 0) return ctx.reply.error("ERR offset is out of range");
  TextEdit text(ctx.keys, ctx.args[1]);
  if (text.is_other_type()) return ctx.reply.error(kWrongType);
  const size_t before = (*text).size();
  if (part.empty()) return ctx.reply.integer(static_cast<int64_t>(before));
  const auto start = static_cast<size_t>(*offset);
  if (is_too_long(ctx, start, part.size())) return;
  const std::span<char> bytes = text.change(std::max(before, start + part.size()));
  std::memcpy(bytes.data() + start, part.data(), part.size());
  text.done(event::kSetRange, 1, as_is(ctx));
  ctx.reply.integer(static_cast<int64_t>(bytes.size()));
}

void mget(Context& ctx) {
  ctx.reply.array(static_cast<int64_t>(ctx.args.size()) - 1);
  for (const Bytes key : ctx.args.subspan(1)) {
    StringText text;
    // Another type counts as absent here.
    ctx.keys.read_text(key, text) && text ? ctx.reply.bulk(*text) : ctx.reply.null();
  }
}

void store_pairs(Context& ctx) {
  const Effect effect = as_is(ctx);
  for (size_t i = 1; i + 1 < ctx.args.size(); i += 2) {
    ctx.keys.set_text(event::kSet, ctx.args[i], ctx.args[i + 1], kNoExpiry, effect);
  }
}

void mset(Context& ctx) {
  if (ctx.args.size() % 2 == 0) return wrong_argument_count(ctx);
  store_pairs(ctx);
  ctx.reply.ok();
}

void msetnx(Context& ctx) {
  if (ctx.args.size() % 2 == 0) return wrong_argument_count(ctx);
  for (size_t i = 1; i < ctx.args.size(); i += 2) {
    if (ctx.keys.exists(ctx.args[i])) return ctx.reply.integer(0);
  }
  store_pairs(ctx);
  ctx.reply.integer(1);
}

// The integer at the key, 0 if absent; nothing, and an answer, if it is none.
std::optional<int64_t> read_integer(Context& ctx, Bytes key) {
  const Entry* entry = ctx.keys.find(key);
  if (entry == nullptr) return 0;
  if (entry->type() != ValueType::kString) {
    ctx.reply.error(kWrongType);
    return std::nullopt;
  }
  if (entry->is_integer()) return entry->integer();
  const std::optional<int64_t> value = parse_int64(*StringText(*entry));
  if (!value) ctx.reply.error(kNotInteger);
  return value;
}

void add(Context& ctx, int64_t delta) {
  const std::optional<int64_t> old = read_integer(ctx, ctx.args[1]);
  if (!old) return;
  int64_t sum;
  if (__builtin_add_overflow(*old, delta, &sum)) {
    return ctx.reply.error("ERR increment or decrement would overflow");
  }
  ctx.keys.set_integer(event::kIncrBy, ctx.args[1], sum, as_is(ctx));
  ctx.reply.integer(sum);
}

void incr(Context& ctx) { add(ctx, 1); }
void decr(Context& ctx) { add(ctx, -1); }

void incrby(Context& ctx) {
  const std::optional<int64_t> delta = integer_argument(ctx, 2);
  if (delta) add(ctx, *delta);
}

void decrby(Context& ctx) {
  const std::optional<int64_t> delta = integer_argument(ctx, 2);
  if (!delta) return;
  if (*delta == std::numeric_limits<int64_t>::min()) {
    return ctx.reply.error("ERR decrement would overflow");
  }
  add(ctx, -*delta);
}

void incrbyfloat(Context& ctx) {
  const Bytes key = ctx.args[1];
  StringText old;
  if (!ctx.keys.find_text(key, old)) return ctx.reply.error(kWrongType);
  const std::optional<long double> value =
      old ? parse_long_double(*old) : std::optional<long double>(0);
  if (!value) return ctx.reply.error(kNotFloat);
  const std::optional<long double> delta = parse_long_double(ctx.args[2]);
  if (!delta) return ctx.reply.error(kNotFloat);
  const long double sum = *value + *delta;
  if (!std::isfinite(sum)) {
    return ctx.reply.error("ERR increment would produce NaN or Infinity");
  }
  const std::string text = long_double_text(sum);
  // The result, not the sum: replicas of other machines may round otherwise.
  ctx.keys.replace_text(event::kIncrByFloat, key, text, {"SET", key, text, "KEEPTTL"});
  ctx.reply.bulk(text);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "get", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = get, .group = "string", .since = "1.0.0", .complexity = "O(1)",
     .summary = "Returns the string at a key", .syntax = "key"},
    {.name = "set", .arity = -3, .flags = kWrite | kDenyOom | kBrief,
     .keys = {{.use = "RW access update variable_flags", .begin = 1,
               .milder = {.use = "OW update", .words = "GET", .from = 3}}},
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
    {.name = "setex", .arity = 4, .flags = kWrite | kDenyOom | kBrief,
     .keys = {key_at(1, "OW update")}, .handler = setex, .group = "string", .since = "2.0.0",
     .deprecated = "2.6.12 `SET` with the `EX` argument",
     .complexity = "O(1)",
     .summary = "Stores a string that expires after some seconds", .syntax = "key seconds value"},
    {.name = "psetex", .arity = 4, .flags = kWrite | kDenyOom | kBrief,
     .keys = {key_at(1, "OW update")}, .handler = psetex, .group = "string", .since = "2.6.0",
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
    {.name = "append", .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW insert")}, .handler = append, .group = "string", .since = "2.0.0",
     .complexity = "O(1), amortized", .summary = "Adds to the end of a string",
     .syntax = "key value"},
    {.name = "strlen", .arity = 2, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO")},
     .handler = strlen, .group = "string", .since = "2.2.0", .complexity = "O(1)",
     .summary = "Returns the length of a string", .syntax = "key"},
    {.name = "getrange", .arity = 4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = getrange, .group = "string", .since = "2.4.0",
     .complexity = "O(N) for N bytes returned", .summary = "Returns a part of a string",
     .syntax = "key start end"},
    {.name = "substr", .arity = 4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = substr, .group = "string", .since = "1.0.0",
     .deprecated = "2.0.0 `GETRANGE`",
     .complexity = "O(N) for N bytes returned", .summary = "Returns a part of a string",
     .syntax = "key start end"},
    {.name = "setrange", .arity = 4, .flags = kWrite | kDenyOom, .keys = {key_at(1, "RW update")},
     .handler = setrange, .group = "string", .since = "2.2.0",
     .complexity = "O(N) for N bytes written", .summary = "Overwrites a part of a string",
     .syntax = "key offset value"},
    {.name = "mget", .arity = -2, .flags = kReadOnly | kFast,
     .keys = {keys_range(1, -1, 1, "RO access")}, .handler = mget, .group = "string",
     .tips = "request_policy:multi_shard", .since = "1.0.0", .complexity = "O(N) for N keys",
     .summary = "Returns the strings at several keys", .syntax = "key [key ...]"},
    {.name = "mset", .arity = -3, .flags = kWrite | kDenyOom | kBrief,
     .keys = {keys_range(1, -1, 2, "OW update")}, .handler = mset, .group = "string",
     .tips = "request_policy:multi_shard response_policy:all_succeeded", .since = "1.0.1",
     .complexity = "O(N) for N keys", .summary = "Stores several strings at once",
     .syntax = "key value [key value ...]"},
    {.name = "msetnx", .arity = -3, .flags = kWrite | kDenyOom | kBrief,
     .keys = {keys_range(1, -1, 2, "OW insert")}, .handler = msetnx, .group = "string",
     .since = "1.0.1", .complexity = "O(N) for N keys",
     .summary = "Stores several strings at once if all of the keys are absent",
     .syntax = "key value [key value ...]"},
    {.name = "incr", .arity = 2, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW access update")}, .handler = incr, .group = "string",
     .since = "1.0.0", .complexity = "O(1)", .summary = "Adds one to an integer",
     .syntax = "key"},
    {.name = "decr", .arity = 2, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW access update")}, .handler = decr, .group = "string",
     .since = "1.0.0", .complexity = "O(1)", .summary = "Takes one from an integer",
     .syntax = "key"},
    {.name = "incrby", .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW access update")}, .handler = incrby, .group = "string",
     .since = "1.0.0", .complexity = "O(1)", .summary = "Adds to an integer",
     .syntax = "key increment"},
    {.name = "decrby", .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW access update")}, .handler = decrby, .group = "string",
     .since = "1.0.0", .complexity = "O(1)", .summary = "Takes from an integer",
     .syntax = "key decrement"},
    {.name = "incrbyfloat", .arity = 3, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW access update")}, .handler = incrbyfloat, .group = "string",
     .since = "2.6.0", .complexity = "O(1)", .summary = "Adds to a number with a fraction",
     .syntax = "key increment:double"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> string_rows() { return kRows; }

}  // namespace tandem
