// Elements from one list to another, and the pops that wait. A blocking command replicates as what
// it did: BLMOVE as LMOVE, BLPOP as LPOP.
#include "base/ascii.h"
#include "commands/arguments.h"
#include "commands/containers.h"
#include "commands/rows.h"
#include "data/list.h"

namespace tandem {
namespace {

std::optional<ListEnd> end_argument(Context& ctx, size_t index) {
  if (equal_ignore_case(ctx.args[index], "LEFT")) return ListEnd::kHead;
  if (equal_ignore_case(ctx.args[index], "RIGHT")) return ListEnd::kTail;
  ctx.reply.error(kSyntaxError);
  return std::nullopt;
}

struct Route {
  ListEnd from;
  ListEnd to;
};

// Moves an element and answers with it. False: the source is absent, nothing was answered.
bool move_element(Context& ctx, Route route, std::initializer_list<Bytes> effect) {
  const Bytes source_key = ctx.args[1];
  const Bytes target_key = ctx.args[2];
  List* source;
  List* target;
  if (!ctx.keys.write(source_key, source)) {
    ctx.reply.error(kWrongType);
    return true;
  }
  if (source == nullptr) return false;
  if (!ctx.keys.write(target_key, target)) {
    ctx.reply.error(kWrongType);
    return true;
  }
  const std::string element = *source->pop(route.from, ctx.keys.limits());
  if (target == nullptr) target = &ctx.keys.create<List>(target_key);
  target->push(route.to, element, ctx.keys.limits());
  ctx.keys.changed(target_key);
  settle(ctx.keys, source_key, *source, 0);
  ctx.replicate(effect);
  ctx.reply.bulk(element);
  return true;
}

// Where it may not wait the answer is null, at the deadline a null array, as in Redis.
void wait_for_source(Context& ctx, int64_t deadline_ms) {
  if (!ctx.may_block) return ctx.reply.null();
  ctx.block(
      {.keys = {std::string(ctx.args[1])}, .type = ValueType::kList, .deadline_ms = deadline_ms});
}

std::optional<Route> route_argument(Context& ctx, size_t index) {
  const std::optional<ListEnd> from = end_argument(ctx, index);
  if (!from) return std::nullopt;
  const std::optional<ListEnd> to = end_argument(ctx, index + 1);
  if (!to) return std::nullopt;
  return Route{.from = *from, .to = *to};
}

constexpr Route kTailToHead{.from = ListEnd::kTail, .to = ListEnd::kHead};

void lmove(Context& ctx) {
  const std::optional<Route> route = route_argument(ctx, 3);
  if (!route) return;
  const auto effect = {Bytes("LMOVE"), ctx.args[1], ctx.args[2], ctx.args[3], ctx.args[4]};
  if (!move_element(ctx, *route, effect)) ctx.reply.null();
}

void rpoplpush(Context& ctx) {
  if (!move_element(ctx, kTailToHead, {"RPOPLPUSH", ctx.args[1], ctx.args[2]})) ctx.reply.null();
}

void blmove(Context& ctx) {
  const std::optional<Route> route = route_argument(ctx, 3);
  if (!route) return;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, 5);
  if (!deadline_ms) return;
  const auto effect = {Bytes("LMOVE"), ctx.args[1], ctx.args[2], ctx.args[3], ctx.args[4]};
  if (!move_element(ctx, *route, effect)) wait_for_source(ctx, *deadline_ms);
}

void brpoplpush(Context& ctx) {
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, 3);
  if (!deadline_ms) return;
  if (!move_element(ctx, kTailToHead, {"RPOPLPUSH", ctx.args[1], ctx.args[2]})) {
    wait_for_source(ctx, *deadline_ms);
  }
}

void pop_or_wait(Context& ctx, ListEnd end) {
  const size_t last = ctx.args.size() - 1;
  const std::optional<int64_t> deadline_ms = deadline_argument(ctx, last);
  if (!deadline_ms) return;
  const std::span<const Bytes> keys = ctx.args.subspan(1, last - 1);
  for (const Bytes key : keys) {
    List* list;
    if (!ctx.keys.write(key, list)) return ctx.reply.error(kWrongType);
    if (list == nullptr) continue;
    ctx.reply.array(2);
    ctx.reply.bulk(key);
    ctx.reply.bulk(*list->pop(end, ctx.keys.limits()));
    settle(ctx.keys, key, *list);
    return ctx.replicate({end == ListEnd::kHead ? "LPOP" : "RPOP", key});
  }
  ctx.block(
      {.keys = {keys.begin(), keys.end()}, .type = ValueType::kList, .deadline_ms = *deadline_ms});
}

void blpop(Context& ctx) { pop_or_wait(ctx, ListEnd::kHead); }
void brpop(Context& ctx) { pop_or_wait(ctx, ListEnd::kTail); }

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> list_move_rows() {
  return {
      {.name = "lmove", .arity = 5, .flags = kWrite | kDenyOom,
       .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = lmove,
       .group = "list", .since = "6.2.0", .complexity = "O(1)",
       .summary = "Moves an end element of a list to an end of another",
       .syntax = "source destination wherefrom:<LEFT | RIGHT> whereto:<LEFT | RIGHT>"},
      {.name = "rpoplpush", .arity = 3, .flags = kWrite | kDenyOom,
       .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = rpoplpush,
       .group = "list", .since = "1.2.0",
       .deprecated = "6.2.0 `LMOVE` with the `RIGHT` and `LEFT` arguments",
       .complexity = "O(1)",
       .summary = "Moves the last element of a list to the head of another",
       .syntax = "source destination"},
      {.name = "blpop", .arity = -3, .flags = kWrite | kBlocking,
       .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = blpop, .group = "list",
       .since = "2.0.0",
       .history = "6.0.0 The timeout may have a fraction", .complexity = "O(N) for N keys",
       .summary = "Removes and returns the first element of a list, waiting for one",
       .syntax = "key [key ...] timeout"},
      {.name = "brpop", .arity = -3, .flags = kWrite | kBlocking,
       .keys = {keys_range(1, -2, 1, "RW access delete")}, .handler = brpop, .group = "list",
       .since = "2.0.0",
       .history = "6.0.0 The timeout may have a fraction", .complexity = "O(N) for N keys",
       .summary = "Removes and returns the last element of a list, waiting for one",
       .syntax = "key [key ...] timeout"},
      {.name = "blmove", .arity = 6, .flags = kWrite | kDenyOom | kBlocking,
       .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = blmove,
       .group = "list", .since = "6.2.0", .complexity = "O(1)",
       .summary = "Moves an end element of a list to another, waiting for one",
       .syntax = "source destination wherefrom:<LEFT | RIGHT> whereto:<LEFT | RIGHT> timeout"},
      {.name = "brpoplpush", .arity = 4, .flags = kWrite | kDenyOom | kBlocking,
       .keys = {key_at(1, "RW access delete"), key_at(2, "RW insert")}, .handler = brpoplpush,
       .group = "list", .since = "2.2.0",
       .history = "6.0.0 The timeout may have a fraction",
       .deprecated = "6.2.0 `BLMOVE` with the `RIGHT` and `LEFT` arguments",
       .complexity = "O(1)",
       .summary = "Moves the last element of a list to the head of another, waiting for one",
       .syntax = "source destination timeout"},
  };
}
// clang-format on

}  // namespace tandem
