// BITFIELD: runs of bits as numbers of 1 to 64 bits, several commands in a row on one string.
#include <algorithm>
#include <optional>
#include <vector>

#include "commands/arguments.h"
#include "commands/table.h"
#include "data/bits.h"

namespace tandem {
namespace {

struct FieldType {  // "u8", "i64"
  bool is_signed;
  int bits;
};

// What becomes of a number that the field has no room for.
enum class Overflow : uint8_t { kWrap, kSaturate, kFail };

struct FieldCommand {
  enum class Kind : uint8_t { kGet, kSet, kIncrement };
  Kind kind;
  FieldType type;
  uint64_t at;
  int64_t number = 0;  // to store or to add
  Overflow overflow = Overflow::kWrap;

  bool writes() const { return kind != Kind::kGet; }
};

std::optional<FieldType> type_argument(Context& ctx, size_t index) {
  const Bytes text = ctx.args[index].substr(0, ctx.args[index].find('\0'));
  const bool is_signed = text.starts_with('i');
  if (is_signed || text.starts_with('u')) {
    const std::optional<int64_t> bits = parse_int64(text.substr(1));
    // As integers, replies have no room for an unsigned number of 64 bits.
    if (bits && *bits >= 1 && *bits <= (is_signed ? 64 : 63)) {
      return FieldType{.is_signed = is_signed, .bits = static_cast<int>(*bits)};
    }
  }
  ctx.reply.error(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 "
      "is.");
  return std::nullopt;
}

std::optional<Overflow> overflow_named(Context& ctx, Bytes word) {
  if (equal_ignore_case(word, "WRAP")) return Overflow::kWrap;
  if (equal_ignore_case(word, "SAT")) return Overflow::kSaturate;
  if (equal_ignore_case(word, "FAIL")) return Overflow::kFail;
  ctx.reply.error("ERR Invalid OVERFLOW type specified");
  return std::nullopt;
}

// The type and the place that stand at `first`, and behind them the number if there is to be one.
std::optional<FieldCommand> field_command(Context& ctx, FieldCommand::Kind kind, size_t first,
                                          Overflow overflow) {
  const std::optional<FieldType> type = type_argument(ctx, first);
  if (!type) return std::nullopt;
  const std::optional<uint64_t> at = bit_offset_argument(ctx, first + 1, type->bits);
  if (!at) return std::nullopt;
  FieldCommand command{.kind = kind, .type = *type, .at = *at, .overflow = overflow};
  if (!command.writes()) return command;
  const std::optional<int64_t> number = integer_argument(ctx, first + 2);
  if (!number) return std::nullopt;
  command.number = *number;
  return command;
}

std::optional<std::vector<FieldCommand>> parse_commands(Context& ctx) {
  using Kind = FieldCommand::Kind;
  std::vector<FieldCommand> commands;
  Overflow overflow = Overflow::kWrap;
  for (OptionWords words(ctx, 2); !words.done();) {
    if (words.take("OVERFLOW", 1)) {
      const std::optional<Overflow> named = overflow_named(ctx, words.text());
      if (!named) return std::nullopt;
      overflow = *named;
      continue;
    }
    Kind kind;
    if (words.take("GET", 2)) {
      kind = Kind::kGet;
    } else if (words.take("SET", 3)) {
      kind = Kind::kSet;
    } else if (words.take("INCRBY", 3)) {
      kind = Kind::kIncrement;
    } else {
      ctx.reply.error(kSyntaxError);
      return std::nullopt;
    }
    const auto command = field_command(ctx, kind, words.position(), overflow);
    if (!command) return std::nullopt;
    words.skip(command->writes() ? 3 : 2);
    commands.push_back(*command);
  }
  return commands;
}

int64_t number_of(FieldType type, uint64_t field) {
  const int spare = 64 - type.bits;
  const uint64_t high = field << spare;
  return type.is_signed ? static_cast<int64_t>(high) >> spare : static_cast<int64_t>(high >> spare);
}

// The sum as the field can hold it, in its low bits; nothing: it may not.
std::optional<uint64_t> fitted(FieldType type, __int128 number, int64_t increment,
                               Overflow overflow) {
  const __int128 highest = (__int128{1} << (type.bits - (type.is_signed ? 1 : 0))) - 1;
  const __int128 lowest = type.is_signed ? -highest - 1 : 0;
  const __int128 sum = number + increment;
  const bool fits = sum >= lowest && sum <= highest;
  if (fits || overflow == Overflow::kWrap) return static_cast<uint64_t>(sum);
  if (overflow == Overflow::kFail) return std::nullopt;
  // SET of a number that is too far below for 63 bits to tell counts as above in Redis.
  const bool is_far_below =
      increment == 0 && highest - number > std::numeric_limits<int64_t>::max();
  return static_cast<uint64_t>(sum > highest || is_far_below ? highest : lowest);
}

void get_field(Context& ctx, const FieldCommand& command, Bytes text) {
  const FieldType type = command.type;
  ctx.reply.integer(number_of(type, read_field(text, command.at, type.bits)));
}

struct Written {
  bool failed = false;
  bool differs = false;  // from what was there
};

// SET answers with what was there, INCRBY with what is there now.
Written write_one(Context& ctx, const FieldCommand& command, std::span<char> bytes) {
  const FieldType type = command.type;
  const Bytes text(bytes.data(), bytes.size());
  const int64_t old = number_of(type, read_field(text, command.at, type.bits));
  const bool sets = command.kind == FieldCommand::Kind::kSet;
  __int128 number = sets ? command.number : old;
  if (!type.is_signed) number = static_cast<uint64_t>(number);
  const auto stored = fitted(type, number, sets ? 0 : command.number, command.overflow);
  if (!stored) {
    ctx.reply.null();
    return {.failed = true};
  }
  write_field(bytes, command.at, type.bits, *stored);
  const int64_t now = number_of(type, *stored);
  ctx.reply.integer(sets ? old : now);
  return {.differs = now != old};
}

void read_fields(Context& ctx, const std::vector<FieldCommand>& commands) {
  StringText text;
  if (!ctx.keys.read_text(ctx.args[1], text)) return ctx.reply.error(kWrongType);
  ctx.reply.array(static_cast<int64_t>(commands.size()));
  for (const FieldCommand& command : commands) get_field(ctx, command, text ? *text : Bytes());
}

void write_fields(Context& ctx, const std::vector<FieldCommand>& commands) {
  TextEdit text(ctx.keys, ctx.args[1]);
  if (text.is_other_type()) return ctx.reply.error(kWrongType);
  const size_t before = (*text).size();
  size_t size = before;
  for (const FieldCommand& command : commands) {
    const uint64_t last = command.at + static_cast<uint64_t>(command.type.bits) - 1;
    if (command.writes()) size = std::max<size_t>(size, last / 8 + 1);
  }
  const std::span<char> bytes = text.change(size);
  const bool grows = size > before;
  ctx.reply.array(static_cast<int64_t>(commands.size()));
  uint64_t changes = 0;
  for (const FieldCommand& command : commands) {
    if (!command.writes()) {
      get_field(ctx, command, *text);
      continue;
    }
    const Written written = write_one(ctx, command, bytes);
    changes += !written.failed && (written.differs || grows) ? 1 : 0;
  }
  if (changes > 0) return text.done(event::kSetBit, changes, as_is(ctx));
  // Where all fail the string is longer even so.
  grows ? text.done(event::kUntold, 0, as_is(ctx)) : text.unchanged();
}

bool any_writes(const std::vector<FieldCommand>& commands) {
  return std::ranges::any_of(commands, &FieldCommand::writes);
}

void bitfield(Context& ctx) {
  const auto commands = parse_commands(ctx);
  if (!commands) return;
  any_writes(*commands) ? write_fields(ctx, *commands) : read_fields(ctx, *commands);
}

void bitfield_ro(Context& ctx) {
  const auto commands = parse_commands(ctx);
  if (!commands) return;
  if (any_writes(*commands)) {
    return ctx.reply.error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  read_fields(ctx, *commands);
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "bitfield", .arity = -2, .flags = kWrite | kDenyOom | kBrief,
     .keys = {{.use = "RW access update variable_flags", .begin = 1,
               .milder = {.use = "RO access", .words = "SET INCRBY", .from = 2}}},
     .handler = bitfield, .group = "bitmap", .since = "3.2.0",
     .complexity = "O(1) for each command in it",
     .summary = "Reads and changes numbers of any width in a string",
     .syntax = "key operation:[get-block:<GET encoding offset> | "
               "write:<overflow-block:[OVERFLOW <WRAP | SAT | FAIL>] "
               "write-operation:<set-block:<SET encoding offset value:integer> | "
               "increment-block:<INCRBY encoding offset increment>>>]..."},
    {.name = "bitfield_ro", .arity = -2, .flags = kReadOnly | kFast,
     .keys = {key_at(1, "RO access")}, .handler = bitfield_ro, .group = "bitmap",
     .since = "6.0.0", .complexity = "O(1) for each command in it",
     .summary = "Reads numbers of any width in a string",
     .syntax = "key [get-block:<GET encoding offset> ...]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> bitfield_rows() { return kRows; }

}  // namespace tandem
