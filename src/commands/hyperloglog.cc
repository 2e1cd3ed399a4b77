// HyperLogLogs: PFADD, PFCOUNT and PFMERGE on strings that data/hyperloglog.h describes.
#include "data/hyperloglog.h"

#include <cstring>
#include <optional>

#include "commands/arguments.h"
#include "commands/table.h"

namespace tandem {
namespace {

constexpr Bytes kNoHyperLogLog = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr Bytes kCorrupt = "INVALIDOBJ Corrupted HLL object detected";

// False: an error was answered. An absent key is fine.
bool read_hyperloglog(Context& ctx, Bytes key, StringText& text) {
  const bool is_string = ctx.keys.read_text(key, text);
  const bool good = is_string && (!text || is_hyperloglog(*text));
  if (!good) ctx.reply.error(is_string ? kNoHyperLogLog : kWrongType);
  return good;
}

void store(TextEdit& text, Bytes value) {
  std::memcpy(text.change(value.size()).data(), value.data(), value.size());
}

// How many elements said something new.
uint64_t add_in_place(std::span<char> dense, std::span<const Bytes> elements) {
  uint64_t raised = 0;
  for (const Bytes element : elements) raised += raise_register(dense, observe(element)) ? 1 : 0;
  if (raised > 0) forget_count(dense);
  return raised;
}

// A sparse value changes as a whole or, if it turns out to be none, not at all. Nothing: it is
// none. A new key counts as one change more.
std::optional<uint64_t> add_to_copy(TextEdit& text, std::span<const Bytes> elements,
                                    const EncodingLimits& limits) {
  HyperLogLog changed = text ? HyperLogLog(std::string(*text)) : HyperLogLog();
  uint64_t raised = text ? 0 : 1;
  for (const Bytes element : elements) {
    const auto is_new = changed.raise(observe(element), limits.hyperloglog_sparse_max_bytes);
    if (!is_new) return std::nullopt;
    raised += *is_new ? 1 : 0;
  }
  if (raised == 0) return raised;
  changed.forget_count();
  store(text, changed.text());
  return raised;
}

// Whatever comes of it: a value that PFADD or PFCOUNT has touched has room of its own, as in Redis.
void pfadd(Context& ctx) {
  TextEdit text(ctx.keys, ctx.args[1]);
  if (text.is_other_type()) return ctx.reply.error(kWrongType);
  if (text && !is_hyperloglog(*text)) return ctx.reply.error(kNoHyperLogLog);
  const std::span<char> bytes = text ? text.change() : std::span<char>();
  const std::span<const Bytes> elements = ctx.args.subspan(2);
  const bool is_dense = text && is_dense_hyperloglog(*text);
  const std::optional<uint64_t> raised =
      is_dense ? add_in_place(bytes, elements) : add_to_copy(text, elements, ctx.keys.limits());
  if (raised) {
    ctx.reply.integer(*raised > 0 ? 1 : 0);
  } else {
    ctx.reply.error(kCorrupt);
  }
  raised.value_or(0) > 0 ? text.done(event::kPfAdd, *raised, as_is(ctx)) : text.unchanged();
}

// The values at the keys as one. False: an error was answered.
bool read_union(Context& ctx, std::span<const Bytes> keys, RegisterUnion& all) {
  for (const Bytes key : keys) {
    StringText text;
    if (!read_hyperloglog(ctx, key, text)) return false;
    if (!text) continue;
    if (!all.add(*text)) {
      ctx.reply.error(kCorrupt);
      return false;
    }
  }
  return true;
}

void count_union(Context& ctx) {
  RegisterUnion all;
  if (!read_union(ctx, ctx.args.subspan(1), all)) return;
  ctx.reply.integer(static_cast<int64_t>(all.count()));
}

// The count stays in the value until an element changes it.
void pfcount(Context& ctx) {
  if (ctx.args.size() > 2) return count_union(ctx);
  StringText found;
  if (!read_hyperloglog(ctx, ctx.args[1], found)) return;
  if (!found) return ctx.reply.integer(0);
  TextEdit text(ctx.keys, ctx.args[1]);
  const std::span<char> bytes = text.change();
  const std::optional<uint64_t> kept = kept_count(*text);
  const Result<uint64_t> count = kept ? Result<uint64_t>(*kept) : count_elements(*text);
  if (count) {
    ctx.reply.integer(static_cast<int64_t>(*count));
  } else {
    ctx.reply.error(kCorrupt);
  }
  if (kept || !count) return text.unchanged();
  keep_count(bytes, *count);
  text.done(event::kUntold, 1, as_is(ctx));
}

void pfmerge(Context& ctx) {
  RegisterUnion all;
  if (!read_union(ctx, ctx.args.subspan(1), all)) return;
  TextEdit text(ctx.keys, ctx.args[1]);
  HyperLogLog merged = text ? HyperLogLog(std::string(*text)) : HyperLogLog();
  merged.raise_to(all, ctx.keys.limits().hyperloglog_sparse_max_bytes);
  merged.forget_count();
  store(text, merged.text());
  text.done(event::kPfAdd, 1, as_is(ctx));
  ctx.reply.ok();
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "pfadd", .arity = -2, .flags = kWrite | kDenyOom | kFast,
     .keys = {key_at(1, "RW insert")}, .handler = pfadd, .group = "hyperloglog",
     .since = "2.8.9", .complexity = "O(1) for each element",
     .summary = "Adds elements to a HyperLogLog", .syntax = "key [element ...]"},
    {.name = "pfcount", .arity = -2, .flags = kReadOnly | kMayReplicate,
     .keys = {keys_range(1, -1, 1, "RW access")}, .handler = pfcount, .group = "hyperloglog",
     .since = "2.8.9", .complexity = "O(1) where the count is known, O(N) for N keys otherwise",
     .summary = "Estimates how many elements were added to HyperLogLogs",
     .syntax = "key [key ...]"},
    {.name = "pfmerge", .arity = -2, .flags = kWrite | kDenyOom,
     .keys = {key_at(1, "RW access insert"), keys_range(2, -1, 1, "RO access")},
     .handler = pfmerge, .group = "hyperloglog", .since = "2.8.9",
     .complexity = "O(N) for N keys", .summary = "Merges HyperLogLogs into one",
     .syntax = "destkey:key [sourcekey:key ...]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> hyperloglog_rows() { return kRows; }

}  // namespace tandem
