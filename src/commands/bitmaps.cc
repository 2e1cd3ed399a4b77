// Bitmaps: strings by their bits. BITFIELD, which takes several bits as a number, is in
// commands/bitfield.cc.
#include <optional>
#include <vector>

#include "commands/arguments.h"
#include "commands/table.h"
#include "data/bits.h"

namespace tandem {
namespace {

void setbit(Context& ctx) {
  const std::optional<uint64_t> at = bit_offset_argument(ctx, 2);
  if (!at) return;
  constexpr Bytes kNoBit = "ERR bit is not an integer or out of range";
  const std::optional<int64_t> bit = integer_argument(ctx, 3, kNoBit);
  if (!bit) return;
  if (*bit != 0 && *bit != 1) return ctx.reply.error(kNoBit);
  TextEdit text(ctx.keys, ctx.args[1]);
  if (text.is_other_type()) return ctx.reply.error(kWrongType);
  const size_t before = (*text).size();
  const bool old = bit_at(*text, *at);
  const std::span<char> bytes = text.change(std::max<size_t>(before, *at / 8 + 1));
  set_bit(bytes, *at, *bit == 1);
  ctx.reply.integer(old ? 1 : 0);
  const bool changes = old != (*bit == 1) || bytes.size() != before;
  changes ? text.done(event::kSetBit, 1, as_is(ctx)) : text.unchanged();
}

void getbit(Context& ctx) {
  const std::optional<uint64_t> at = bit_offset_argument(ctx, 2);
  if (!at) return;
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  ctx.reply.integer(text && bit_at(*text, *at) ? 1 : 0);
}

// BYTE or BIT behind a range; bytes without a word.
bool parse_unit(Context& ctx, size_t at, bool& in_bits) {
  OptionWords words(ctx, at);
  if (words.done()) return true;
  in_bits = words.take("BIT");
  if ((in_bits || words.take("BYTE")) && words.done()) return true;
  ctx.reply.error(kSyntaxError);
  return false;
}

std::optional<BitRange> bits_within(const StringRange& range, bool in_bits, Bytes text) {
  const auto places = range.within(in_bits ? text.size() * 8 : text.size());
  if (!places) return std::nullopt;
  if (in_bits) return BitRange{places->first, places->last};
  return BitRange{places->first * 8, places->last * 8 + 7};
}

void bitcount(Context& ctx) {
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  // Of an absent key anything may be asked.
  if (!text) return ctx.reply.integer(0);
  if (ctx.args.size() == 2) return ctx.reply.integer(static_cast<int64_t>(count_bits(*text)));
  if (ctx.args.size() == 3) return ctx.reply.error(kSyntaxError);
  if (ctx.args.size() > 5) return ctx.reply.error(kSyntaxError);
  const std::optional<StringRange> range = range_argument(ctx, 2);
  if (!range) return;
  if (range->is_reversed()) return ctx.reply.integer(0);
  bool in_bits = false;
  if (!parse_unit(ctx, 4, in_bits)) return;
  const std::optional<BitRange> bits = bits_within(*range, in_bits, *text);
  ctx.reply.integer(bits ? static_cast<int64_t>(count_bits(*text, *bits)) : 0);
}

// Where the search of BITPOS begins and ends; its answer follows where no end is given.
struct SearchWords {
  StringRange range{.start = 0, .stop = -1};
  bool in_bits = false;
  bool has_stop = false;
};

bool parse_search(Context& ctx, SearchWords& search) {
  if (ctx.args.size() == 3) return true;
  if (ctx.args.size() > 6) {
    ctx.reply.error(kSyntaxError);
    return false;
  }
  const std::optional<int64_t> start = integer_argument(ctx, 3);
  if (!start) return false;
  search.range.start = *start;
  if (!parse_unit(ctx, 5, search.in_bits)) return false;
  search.has_stop = ctx.args.size() > 4;
  if (!search.has_stop) return true;
  const std::optional<int64_t> stop = integer_argument(ctx, 4);
  if (stop) search.range.stop = *stop;
  return stop.has_value();
}

void bitpos(Context& ctx) {
  const std::optional<int64_t> bit = integer_argument(ctx, 2);
  if (!bit) return;
  if (*bit != 0 && *bit != 1) return ctx.reply.error("ERR The bit argument must be 1 or 0.");
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  if (!text) return ctx.reply.integer(*bit == 1 ? -1 : 0);
  SearchWords search;
  if (!parse_search(ctx, search)) return;
  const std::optional<BitRange> range = bits_within(search.range, search.in_bits, *text);
  if (!range) return ctx.reply.integer(-1);
  if (const auto found = find_bit(*text, *range, *bit == 1)) {
    return ctx.reply.integer(static_cast<int64_t>(*found));
  }
  // Without an end the string goes on with zeros.
  const bool is_behind = *bit == 0 && !search.has_stop;
  ctx.reply.integer(is_behind ? static_cast<int64_t>((*text).size() * 8) : -1);
}

std::optional<BitOperation> operation_named(Bytes word) {
  struct Named {
    Bytes word;
    BitOperation operation;
  };
  constexpr Named kOperations[] = {{"AND", BitOperation::kAnd},
                                   {"OR", BitOperation::kOr},
                                   {"XOR", BitOperation::kXor},
                                   {"NOT", BitOperation::kNot}};
  for (const Named& known : kOperations) {
    if (equal_ignore_case(word, known.word)) return known.operation;
  }
  return std::nullopt;
}

void bitop(Context& ctx) {
  const std::optional<BitOperation> operation = operation_named(ctx.args[1]);
  if (!operation) return ctx.reply.error(kSyntaxError);
  if (*operation == BitOperation::kNot && ctx.args.size() != 4) {
    return ctx.reply.error("ERR BITOP NOT must be called with a single source key.");
  }
  const std::span<const Bytes> keys = ctx.args.subspan(3);
  std::vector<StringText> texts(keys.size());
  std::vector<Bytes> sources(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!ctx.keys.read_text(keys[i], texts[i])) return ctx.reply.error(kWrongType);
    if (texts[i]) sources[i] = *texts[i];
  }
  std::string result = combine_bits(*operation, sources);
  ctx.reply.integer(static_cast<int64_t>(result.size()));
  if (result.empty()) {
    ctx.keys.erase_unseen(event::kDel, ctx.args[2], as_is(ctx));
    return;
  }
  ctx.keys.put(event::kSet, ctx.args[2], Value(std::move(result), StringForm::kGrowing), kNoExpiry,
               as_is(ctx));
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "setbit", .arity = 4, .flags = kWrite | kDenyOom | kBrief,
     .keys = {key_at(1, "RW access update")}, .handler = setbit, .group = "bitmap",
     .since = "2.2.0", .complexity = "O(1)", .summary = "Sets or clears a bit of a string",
     .syntax = "key offset value:integer"},
    {.name = "getbit", .arity = 3, .flags = kReadOnly | kFast, .keys = {key_at(1, "RO access")},
     .handler = getbit, .group = "bitmap", .since = "2.2.0", .complexity = "O(1)",
     .summary = "Returns a bit of a string", .syntax = "key offset"},
    {.name = "bitcount", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = bitcount, .group = "bitmap", .since = "2.6.0",
     .history = "7.0.0 Takes BYTE and BIT", .complexity = "O(N) for N bytes",
     .summary = "Counts the bits that are set",
     .syntax = "key range:[start end:integer unit:[BYTE | BIT]@7.0.0]"},
    {.name = "bitpos", .arity = -3, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = bitpos, .group = "bitmap", .since = "2.8.7",
     .history = "7.0.0 Takes BYTE and BIT", .complexity = "O(N) for N bytes",
     .summary = "Finds the first bit that is set, or clear",
     .syntax = "key bit:integer range:[start end-unit-block:[end:integer "
               "unit:[BYTE | BIT]@7.0.0]]"},
    {.name = "bitop", .arity = -4, .flags = kWrite | kDenyOom,
     .keys = {key_at(2, "OW update"), keys_range(3, -1, 1, "RO access")}, .handler = bitop,
     .group = "bitmap", .since = "2.6.0", .complexity = "O(N) for N bytes",
     .summary = "Combines the bits of several strings into another one",
     .syntax = "operation:<AND | OR | XOR | NOT> destkey:key key [key ...]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> bitmap_rows() { return kRows; }

}  // namespace tandem
