// OBJECT and MEMORY: what is known about how a value is kept.
#include "commands/arguments.h"
#include "commands/table.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// Redis keeps these integers once for all keys and shows the greatest 32-bit count for them.
constexpr int64_t kSharedIntegers = 10000;
constexpr int64_t kSharedReferences = 2147483647;

const Entry* find_or_null(Context& ctx) {
  const Entry* entry = ctx.keys.inspect(ctx.args[2]);
  if (entry == nullptr) ctx.reply.null();
  return entry;
}

void object_encoding(Context& ctx) {
  if (const Entry* entry = find_or_null(ctx)) ctx.reply.bulk(entry->encoding_name());
}

void object_refcount(Context& ctx) {
  const Entry* entry = find_or_null(ctx);
  if (entry == nullptr) return;
  const bool shared = entry->type() == ValueType::kString && entry->is_integer() &&
                      entry->integer() >= 0 && entry->integer() < kSharedIntegers;
  ctx.reply.integer(shared ? kSharedReferences : 1);
}

constexpr int64_t kMsPerSecond = 1000;

void object_idletime(Context& ctx) {
  const Entry* entry = find_or_null(ctx);
  if (entry == nullptr) return;
  if (ctx.keys.access().keyspace().use_rules().by_frequency) {
    return ctx.reply.error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  ctx.reply.integer(idle_seconds(entry->use(), ctx.now_ms / kMsPerSecond));
}

void object_freq(Context& ctx) {
  const Entry* entry = find_or_null(ctx);
  if (entry == nullptr) return;
  const UseRules& rules = ctx.keys.access().keyspace().use_rules();
  if (rules.by_frequency) {
    return ctx.reply.integer(
        frequency(entry->use(), ctx.now_ms / kMsPerSecond, rules.decay_minutes));
  }
  ctx.reply.error(
      "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that "
      "when switching between policies at runtime LRU and LFU data will take some time to adjust.");
}

constexpr Bytes kObjectHelp[] = {
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
};

void object_help(Context& ctx) { write_help(ctx.reply, "object", kObjectHelp); }

void memory_usage(Context& ctx) {
  for (OptionWords options(ctx, 3); !options.done();) {
    if (!options.take("SAMPLES", 1)) return ctx.reply.error(kSyntaxError);
    const std::optional<int64_t> samples = options.integer();
    if (!samples) return;
    if (*samples < 0) return ctx.reply.error(kSyntaxError);
  }
  const Entry* entry = ctx.keys.peek(ctx.args[2]);
  if (entry == nullptr) return ctx.reply.null();
  constexpr int64_t kSlotBytes = 8;  // its place in the table
  ctx.reply.integer(static_cast<int64_t>(entry->memory_bytes()) + kSlotBytes);
}

CommandRow object_row(std::string_view name, std::string_view since, Handler handler,
                      std::string_view summary) {
  return {.name = name,
          .arity = 3,
          .flags = kReadOnly,
          .keys = {key_at(2, "RO")},
          .handler = handler,
          .group = "generic",
          .tips = "nondeterministic_output",
          .since = since,
          .complexity = "O(1)",
          .summary = summary,
          .syntax = "key"};
}

}  // namespace

std::vector<CommandRow> object_rows() {
  return {
      {.name = "object",
       .arity = -2,
       .group = "generic",
       .since = "2.2.3",
       .complexity = "Depends on the subcommand",
       .summary = "Looks into how a value is kept",
       .subcommands = {object_row("encoding", "2.2.3", object_encoding, "Names a value's form"),
                       object_row("refcount", "2.2.3", object_refcount, "Counts the references"),
                       object_row("idletime", "2.2.3", object_idletime, "Time since the last use"),
                       object_row("freq", "4.0.0", object_freq, "How often a key is used"),
                       {.name = "help",
                        .arity = 2,
                        .flags = kLoading | kStale,
                        .handler = object_help,
                        .group = "generic",
                        .since = "6.2.0",
                        .complexity = "O(1)",
                        .summary = "Lists the subcommands"}}},
      {.name = "memory",
       .arity = -2,
       .group = "server",
       .since = "4.0.0",
       .complexity = "Depends on the subcommand",
       .summary = "Looks into the use of memory",
       .subcommands = {{.name = "usage",
                        .arity = -3,
                        .flags = kReadOnly,
                        .keys = {key_at(2, "RO")},
                        .handler = memory_usage,
                        .group = "server",
                        .since = "4.0.0",
                        .complexity = "O(N) for N elements",
                        .summary = "Bytes that a key and its value take",
                        .syntax = "key [SAMPLES count]"}}},
  };
}

}  // namespace tandem
