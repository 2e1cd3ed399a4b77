// KEYS and SCAN.
//
// A step of the keyspace's own scan visits one chain of some five keys in one of 16,384 partitions,
// most of which are empty in a small database: SCAN steps on until it has seen COUNT keys or
// reached the end. It holds the stripes in which it will most likely see as many, and stops where
// they end.
#include "base/ascii.h"
#include "base/glob.h"
#include "base/number.h"
#include "commands/arguments.h"
#include "commands/rows.h"
#include "commands/scan_options.h"

namespace tandem {
namespace {

void keys(Context& ctx) {
  const Bytes pattern = ctx.args[1];
  const bool all = pattern == "*";
  const ReplyWriter::Mark array = ctx.reply.begin_array();
  int64_t count = 0;
  ctx.keys.for_each([&](const Entry& entry) {
    if (!all && !glob_match(pattern, entry.key())) return;
    ctx.reply.bulk(entry.key());
    ++count;
  });
  ctx.reply.end_array(array, count);
}

void scan(Context& ctx) {
  const std::optional<ScanOptions> options = parse_scan(ctx);
  if (!options) return;
  reply_scan(ctx, *options, [&](uint64_t cursor) {
    ScanStep step{.cursor = 0, .seen = 0, .written = 0};
    step.cursor = ctx.keys.scan(cursor, [&](const Entry& entry) {
      ++step.seen;
      if (options->type && !equal_ignore_case(type_name(entry.type()), *options->type)) return;
      if (!options->matches(entry.key())) return;
      ctx.reply.bulk(entry.key());
      ++step.written;
    });
    step.last = !ctx.keys.may_scan(step.cursor);
    return step;
  });
}

// From the cursor's stripe on, until COUNT keys lie in them.
StripeSet scanned_stripes(const Keyspace& keyspace, int database, std::span<const Bytes> args) {
  int64_t wanted = ScanOptions{}.count;
  for (size_t i = 2; i + 1 < args.size(); ++i) {
    if (equal_ignore_case(args[i], "COUNT")) wanted = parse_int64(args[i + 1]).value_or(wanted);
  }
  StripeSet stripes;
  int stripe = View::stripe_of_cursor(parse_uint64(args[1]).value_or(0));
  do {
    stripes.add(stripe);
    wanted -= keyspace.keys_in(database, stripe);
  } while (++stripe < kStripes && wanted > 0);
  return stripes;
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> scan_rows() {
  return {
      {.name = "keys", .arity = 2, .flags = kReadOnly, .scope = LockScope::kEverything,
       .handler = keys, .group = "generic", .categories = "keyspace dangerous",
       .tips = "request_policy:all_shards nondeterministic_output_order", .since = "1.0.0",
       .complexity = "O(N) for N keys in the database",
       .summary = "Returns all keys that match a pattern", .syntax = "pattern"},
      {.name = "scan", .arity = -2, .flags = kReadOnly, .scope = LockScope::kPlanned,
       .stripes = scanned_stripes, .handler = scan, .group = "generic",
       .tips = "nondeterministic_output request_policy:special response_policy:special",
       .since = "2.8.0", .history = "6.0.0 Takes TYPE",
       .complexity = "O(1) a call, O(N) for the whole walk over N keys",
       .summary = "Walks the keys of a database step by step",
       .syntax = "cursor [MATCH pattern] [COUNT count] [TYPE type]@6.0.0"},
  };
}
// clang-format on

}  // namespace tandem
