// Commands on a part of a string: its end, a range, its length.
#include <algorithm>
#include <cstring>

#include "commands/arguments.h"
#include "commands/rows.h"

namespace tandem {
namespace {

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
  StringText old;
  if (!ctx.keys.find_text(key, old)) return ctx.reply.error(kWrongType);
  if (!old) {
    ctx.keys.set_text(key, more, kNoExpiry);
    ctx.replicate_as_is();
    return ctx.reply.integer(static_cast<int64_t>(more.size()));
  }
  const size_t before = (*old).size();
  if (is_too_long(ctx, before, more.size())) return;
  const std::span<char> bytes = ctx.keys.resize_text(key, before + more.size());
  if (!more.empty()) std::memcpy(bytes.data() + before, more.data(), more.size());
  ctx.replicate_as_is();
  ctx.reply.integer(static_cast<int64_t>(bytes.size()));
}

void strlen(Context& ctx) {
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(text ? static_cast<int64_t>((*text).size()) : 0);
}

void getrange(Context& ctx) {
  const std::optional<int64_t> start = integer_argument(ctx, 2);
  if (!start) return;
  const std::optional<int64_t> stop = integer_argument(ctx, 3);
  if (!stop) return;
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  if (!text || (*text).empty()) return ctx.reply.bulk({});
  if (*start < 0 && *stop < 0 && *start > *stop) return ctx.reply.bulk({});
  const auto size = static_cast<int64_t>((*text).size());
  const int64_t first = std::max<int64_t>(0, *start < 0 ? *start + size : *start);
  const int64_t last = std::min(size - 1, std::max<int64_t>(0, *stop < 0 ? *stop + size : *stop));
  if (first > last) return ctx.reply.bulk({});
  ctx.reply.bulk((*text).substr(static_cast<size_t>(first), static_cast<size_t>(last - first + 1)));
}

void substr(Context& ctx) { getrange(ctx); }

void setrange(Context& ctx) {
  const Bytes key = ctx.args[1];
  const Bytes part = ctx.args[3];
  const std::optional<int64_t> offset = integer_argument(ctx, 2);
  if (!offset) return;
  if (*offset < 0) return ctx.reply.error("ERR offset is out of range");
  StringText old;
  if (!ctx.keys.find_text(key, old)) return ctx.reply.error(kWrongType);
  const size_t before = old ? (*old).size() : 0;
  if (part.empty()) return ctx.reply.integer(static_cast<int64_t>(before));
  const auto start = static_cast<size_t>(*offset);
  if (is_too_long(ctx, start, part.size())) return;
  const std::span<char> bytes = ctx.keys.resize_text(key, std::max(before, start + part.size()));
  std::memcpy(bytes.data() + start, part.data(), part.size());
  ctx.replicate_as_is();
  ctx.reply.integer(static_cast<int64_t>(bytes.size()));
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> string_part_rows() {
  return {
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
  };
}
// clang-format on

}  // namespace tandem
