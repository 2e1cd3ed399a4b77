// Consumer groups of streams: XGROUP, XACK, XCLAIM, XAUTOCLAIM.
#include <optional>
#include <string>
#include <vector>

#include "base/error_text.h"
#include "commands/arguments.h"
#include "commands/stream_parts.h"
#include "commands/table.h"
#include "data/stream.h"
#include "engine/context.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// ---- XGROUP <subcommand> <key> <group> ... ----

Bytes key_of(const Context& ctx) { return ctx.args[2]; }
Bytes group_of(const Context& ctx) { return ctx.args[3]; }

// The key must be there; has answered if it is not.
bool requires_stream(Context& ctx, const Edit<Stream>& stream) {
  if (stream) return true;
  ctx.reply.error(stream.is_other_type()
                      ? kWrongType
                      : Bytes("ERR The XGROUP subcommand requires the key to exist. Note that for "
                              "CREATE you may want to use the MKSTREAM option to create an empty "
                              "stream automatically."));
  return false;
}

bool requires_group(Context& ctx, const Edit<Stream>& stream) {
  if (!requires_stream(ctx, stream)) return false;
  if (stream->groups().find(group_of(ctx)) != nullptr) return true;
  ctx.reply.error(error_text("NOGROUP No such consumer group '{}' for key name '{}'", group_of(ctx),
                             key_of(ctx)));
  return false;
}

// A group changes, and the stream does not.
void done_with_group(Context& ctx, Edit<Stream>& stream, const KeyEvent& event) {
  stream.done_quietly(1, as_is(ctx));
  ctx.keys.tell(event, key_of(ctx));
}

// What is large is freed elsewhere.
template <class Part>
void free_part(Context& ctx, Part part, size_t pending) {
  constexpr size_t kLargeMin = 1024;
  if (pending >= kLargeMin) ctx.keys.access().discard_large(std::move(part));
}

struct GroupOptions {
  bool make_stream = false;
  int64_t entries_read = StreamGroup::kEntriesReadUnknown;
};

// Has answered if there is nothing.
std::optional<GroupOptions> parse_group_options(Context& ctx, bool may_make_stream) {
  GroupOptions options;
  for (OptionWords words(ctx, 5); !words.done();) {
    if (may_make_stream && words.take("MKSTREAM")) {
      options.make_stream = true;
    } else if (words.take("ENTRIESREAD", 1)) {
      const std::optional<int64_t> count = words.integer();
      if (!count) return std::nullopt;
      if (*count < 0 && *count != StreamGroup::kEntriesReadUnknown) {
        ctx.reply.error("ERR value for ENTRIESREAD must be positive or -1");
        return std::nullopt;
      }
      options.entries_read = *count;
    } else {
      reply_subcommand_syntax(ctx, "xgroup");
      return std::nullopt;
    }
  }
  return options;
}

void xgroup_create(Context& ctx) {
  constexpr size_t kArgumentsMax = 8;
  const std::optional<GroupOptions> options = parse_group_options(ctx, true);
  if (!options) return;
  Edit<Stream> stream(ctx.keys, key_of(ctx));
  if (stream.is_other_type()) return ctx.reply.error(kWrongType);
  if (!options->make_stream && !requires_stream(ctx, stream)) return;
  if (ctx.args.size() > kArgumentsMax) return reply_subcommand_syntax(ctx, "xgroup");
  std::optional<StreamId> last_id = stream ? stream->last_id() : kStreamIdMin;
  if (ctx.args[4] != "$") last_id = stream_id_argument(ctx, 4, 0);
  if (!last_id) return;
  if (stream && stream->groups().find(group_of(ctx)) != nullptr) {
    return ctx.reply.error("BUSYGROUP Consumer Group name already exists");
  }
  const bool is_new = !stream;
  stream.change_or_create().add_group(StreamGroup(group_of(ctx), *last_id, options->entries_read));
  ctx.reply.ok();
  is_new ? stream.done(event::kXGroupCreate, 1, as_is(ctx))
         : done_with_group(ctx, stream, event::kXGroupCreate);
}

// Unlike elsewhere, "-" and "+" are ids here, the least and the greatest.
std::optional<StreamId> position_argument(Context& ctx, size_t index, const Stream& stream) {
  const Bytes text = ctx.args[index];
  if (text == "$") return stream.last_id();
  if (text == "-") return kStreamIdMin;
  if (text == "+") return kStreamIdMax;
  return stream_id_argument(ctx, index, 0);
}

void xgroup_setid(Context& ctx) {
  constexpr size_t kArgumentsMax = 7;
  const std::optional<GroupOptions> options = parse_group_options(ctx, false);
  if (!options) return;
  Edit<Stream> stream(ctx.keys, key_of(ctx));
  if (!requires_group(ctx, stream)) return;
  if (ctx.args.size() > kArgumentsMax) return reply_subcommand_syntax(ctx, "xgroup");
  const std::optional<StreamId> last_id = position_argument(ctx, 4, *stream);
  if (!last_id) return;
  stream.change().write_group(group_of(ctx))->move_to(*last_id, options->entries_read);
  done_with_group(ctx, stream, event::kXGroupSetId);
  ctx.reply.ok();
}

// Who waits as one of its consumers is answered that it is gone.
void xgroup_destroy(Context& ctx) {
  Edit<Stream> stream(ctx.keys, key_of(ctx));
  if (!requires_stream(ctx, stream)) return;
  std::optional<StreamGroup> group = stream.change().take_group(group_of(ctx));
  ctx.reply.integer(group ? 1 : 0);
  if (!group) return stream.unchanged();
  const size_t pending = group->pending().size();
  free_part(ctx, std::move(*group), pending);
  done_with_group(ctx, stream, event::kXGroupDestroy);
  ctx.keys.wake(key_of(ctx));
}

void xgroup_createconsumer(Context& ctx) {
  Edit<Stream> stream(ctx.keys, key_of(ctx));
  if (!requires_group(ctx, stream)) return;
  StreamGroup& group = *stream.change().write_group(group_of(ctx));
  const bool is_new = group.add_consumer(ctx.args[4], ctx.now_ms);
  ctx.reply.integer(is_new ? 1 : 0);
  is_new ? done_with_group(ctx, stream, event::kXGroupCreateConsumer) : stream.unchanged();
}

void xgroup_delconsumer(Context& ctx) {
  Edit<Stream> stream(ctx.keys, key_of(ctx));
  if (!requires_group(ctx, stream)) return;
  auto removed = stream.change().write_group(group_of(ctx))->remove_consumer(ctx.args[4]);
  const size_t pending = removed ? removed->consumer.pending().size() : 0;
  ctx.reply.integer(static_cast<int64_t>(pending));
  if (!removed) return stream.unchanged();
  free_part(ctx, std::move(*removed), pending);
  done_with_group(ctx, stream, event::kXGroupDelConsumer);
}

constexpr Bytes kGroupHelp[] = {
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
};

void xgroup_help(Context& ctx) { write_help(ctx.reply, "xgroup", kGroupHelp); }

// ---- Entries that are pending. ----

// The stream of XACK, XCLAIM and XAUTOCLAIM, which is looked up for reading, as in Redis: it counts
// as a hit or a miss.
Edit<Stream> pending_of(Context& ctx) {
  ctx.keys.read(ctx.args[1]);
  return {ctx.keys, ctx.args[1]};
}

void xack(Context& ctx) {
  Edit<Stream> stream = pending_of(ctx);
  if (stream.is_other_type()) return ctx.reply.error(kWrongType);
  if (!stream || stream->groups().find(ctx.args[2]) == nullptr) return ctx.reply.integer(0);
  const auto ids = stream_id_arguments(ctx, 3);
  if (!ids) return;
  StreamGroup& group = *stream.change().write_group(ctx.args[2]);
  uint64_t acknowledged = 0;
  for (const StreamId id : *ids) acknowledged += group.acknowledge(id) ? 1 : 0;
  ctx.reply.integer(static_cast<int64_t>(acknowledged));
  acknowledged != 0 ? stream.done_quietly(acknowledged, as_is(ctx)) : stream.unchanged();
}

// Of XCLAIM and XAUTOCLAIM: <key> <group> <consumer> <min-idle-time> ...
bool names_group(Context& ctx, const Edit<Stream>& stream) {
  if (stream && stream->groups().find(ctx.args[2]) != nullptr) return true;
  ctx.reply.error(stream.is_other_type()
                      ? std::string(kWrongType)
                      : error_text("NOGROUP No such key '{}' or consumer group '{}'", ctx.args[1],
                                   ctx.args[2]));
  return false;
}

// Gives pending entries to the consumer that the command names, and states each.
class Claimer {
 public:
  Claimer(Context& ctx, Edit<Stream>& edit)
      : ctx_(ctx),
        edit_(edit),
        stream_(edit.change()),
        group_(*stream_.write_group(ctx.args[2])),
        attendant_(attend(ctx, ctx.args[1], group_, ctx.args[3])) {}

  const Stream& stream() const { return stream_; }
  StreamGroup& group() { return group_; }

  // `id_text` is the id as it goes to replicas.
  void claim(StreamId id, Bytes id_text, int64_t delivery_time_ms, uint64_t delivery_count) {
    StreamConsumer& consumer = attendant_.consumer;
    group_.assign(id, consumer, delivery_time_ms, delivery_count);
    consumer.active_time_ms = ctx_.now_ms;
    replicate_claim(ctx_, ctx_.args[1], group_, id_text, *group_.pending().find(id));
    claimed_.push_back(id);
  }
  // Of an entry that the stream has no more. False: it is not pending either.
  bool drop(StreamId id, Bytes id_text) {
    const PendingEntry* entry = group_.pending().find(id);
    if (entry == nullptr) return false;
    replicate_claim(ctx_, ctx_.args[1], group_, id_text, *entry);
    group_.acknowledge(id);
    ++dropped_;
    return true;
  }
  bool has_stated() const { return !claimed_.empty() || dropped_ != 0; }

  void reply_claimed(bool just_ids) const {
    ctx_.reply.array(static_cast<int64_t>(claimed_.size()));
    for (const StreamId id : claimed_) {
      just_ids ? ctx_.reply.bulk(id.text()) : void(reply_entry(ctx_.reply, stream_, id));
    }
  }
  // `more`: changes besides these.
  void done(uint64_t more = 0) {
    const uint64_t changes = (attendant_.is_new ? 1 : 0) + claimed_.size() + dropped_ + more;
    edit_.done_quietly(changes, Effect::none());
  }

 private:
  Context& ctx_;
  Edit<Stream>& edit_;
  Stream& stream_;
  StreamGroup& group_;
  const Attendant attendant_;
  std::vector<StreamId> claimed_;
  uint64_t dropped_ = 0;
};

struct ClaimRequest {
  int64_t min_idle_ms = 0;
  std::vector<StreamId> ids;  // from the argument kFirstId on
  int64_t delivery_time_ms = 0;
  std::optional<uint64_t> delivery_count;
  bool force = false;
  bool just_ids = false;
  StreamId last_id;

  static constexpr size_t kFirstId = 5;
};

// The words behind the ids; has answered if false.
bool parse_claim_words(Context& ctx, ClaimRequest& request) {
  for (OptionWords words(ctx, ClaimRequest::kFirstId + request.ids.size()); !words.done();) {
    if (words.take("FORCE")) {
      request.force = true;
    } else if (words.take("JUSTID")) {
      request.just_ids = true;
    } else if (words.take("IDLE", 1)) {
      const auto idle_ms = words.integer("ERR Invalid IDLE option argument for XCLAIM");
      if (!idle_ms) return false;
      request.delivery_time_ms =
          static_cast<int64_t>(static_cast<uint64_t>(ctx.now_ms) - static_cast<uint64_t>(*idle_ms));
    } else if (words.take("TIME", 1)) {
      const auto time_ms = words.integer("ERR Invalid TIME option argument for XCLAIM");
      if (!time_ms) return false;
      request.delivery_time_ms = *time_ms;
    } else if (words.take("RETRYCOUNT", 1)) {
      const auto count = words.integer("ERR Invalid RETRYCOUNT option argument for XCLAIM");
      if (!count) return false;
      request.delivery_count.reset();
      if (*count >= 0) request.delivery_count = static_cast<uint64_t>(*count);
    } else if (words.take("LASTID", 1)) {
      const std::optional<StreamId> id = stream_id_argument(ctx, words.position(), 0);
      if (!id) return false;
      words.text();
      request.last_id = *id;
    } else {
      ctx.reply.error(error_text("ERR Unrecognized XCLAIM option '{}'", words.peek()));
      return false;
    }
  }
  return true;
}

// Times that cannot be, who computes them by another clock, mean now.
bool parse_claim(Context& ctx, ClaimRequest& request) {
  const auto min_idle_ms =
      integer_argument(ctx, 4, "ERR Invalid min-idle-time argument for XCLAIM");
  if (!min_idle_ms) return false;
  request.min_idle_ms = *min_idle_ms;
  for (size_t i = ClaimRequest::kFirstId; i < ctx.args.size(); ++i) {
    const std::optional<StreamId> id = parse_stream_id(ctx.args[i], 0);
    if (!id) break;
    request.ids.push_back(*id);
  }
  request.delivery_time_ms = ctx.now_ms;
  if (!parse_claim_words(ctx, request)) return false;
  if (request.delivery_time_ms < 0 || request.delivery_time_ms > ctx.now_ms) {
    request.delivery_time_ms = ctx.now_ms;
  }
  return true;
}

void claim_one(Context& ctx, Claimer& claimer, const ClaimRequest& request, size_t number) {
  const StreamId id = request.ids[number];
  const Bytes id_text = ctx.args[ClaimRequest::kFirstId + number];
  if (!claimer.stream().contains(id)) {
    claimer.drop(id, id_text);
    return;
  }
  const PendingEntry* entry = claimer.group().pending().find(id);
  if (entry == nullptr ? !request.force : !is_idle(ctx, *entry, request.min_idle_ms)) return;
  // What is made by FORCE counts as delivered once before.
  const uint64_t before = entry == nullptr ? 1 : entry->delivery_count;
  const uint64_t count = request.delivery_count.value_or(before + (request.just_ids ? 0 : 1));
  claimer.claim(id, id_text, request.delivery_time_ms, count);
}

// LASTID. In a primary's stream an entry that is claimed with its own id is one that was delivered,
// the next of the group: it counts as read here as it did there. False: the group is beyond it.
bool go_on_to(Context& ctx, Claimer& claimer, const ClaimRequest& request) {
  StreamGroup& group = claimer.group();
  if (request.last_id <= group.last_id()) return false;
  const bool is_delivery =
      ctx.from_primary && request.ids.size() == 1 && request.ids.front() == request.last_id;
  is_delivery ? claimer.stream().note_delivery(group, request.last_id)
              : group.move_to(request.last_id, group.entries_read());
  return true;
}

void xclaim(Context& ctx) {
  Edit<Stream> stream = pending_of(ctx);
  if (!names_group(ctx, stream)) return;
  ClaimRequest request;
  if (!parse_claim(ctx, request)) return;
  Claimer claimer(ctx, stream);
  const bool moved = go_on_to(ctx, claimer, request);
  for (size_t i = 0; i < request.ids.size(); ++i) claim_one(ctx, claimer, request, i);
  claimer.reply_claimed(request.just_ids);
  // A claim that was stated says it, too.
  const bool only_moved = moved && !claimer.has_stated();
  if (only_moved) replicate_position(ctx, ctx.args[1], claimer.group());
  claimer.done(only_moved ? 1 : 0);
}

struct AutoClaimRequest {
  int64_t min_idle_ms = 0;
  StreamId start;
  uint64_t count = 100;
  bool just_ids = false;
};

bool parse_auto_claim(Context& ctx, AutoClaimRequest& request) {
  constexpr int64_t kCountMax = (int64_t{1} << 59) - 1;
  const auto min_idle_ms =
      integer_argument(ctx, 4, "ERR Invalid min-idle-time argument for XAUTOCLAIM");
  if (!min_idle_ms) return false;
  const std::optional<StreamId> start = stream_bound_argument(ctx, 5, RangeEnd::kStart);
  if (!start) return false;
  request.min_idle_ms = *min_idle_ms;
  request.start = *start;
  for (OptionWords words(ctx, 6); !words.done();) {
    if (words.take("COUNT", 1)) {
      const std::optional<int64_t> count = parse_int64(words.text());
      if (!count || *count < 1 || *count > kCountMax) {
        ctx.reply.error("ERR COUNT must be > 0");
        return false;
      }
      request.count = static_cast<uint64_t>(*count);
    } else if (words.take("JUSTID")) {
      request.just_ids = true;
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// Goes through what is pending in the group from `at` on. Returns where to go on, 0-0 at the end,
// and adds to `deleted` what the stream has no more.
StreamId claim_idle(Context& ctx, Claimer& claimer, const AutoClaimRequest& request,
                    std::vector<StreamId>& deleted) {
  constexpr uint64_t kLookedAtForEach = 10;
  std::optional<StreamId> at = request.start;
  uint64_t left = request.count;
  for (uint64_t looks = request.count * kLookedAtForEach; at && left > 0 && looks > 0; --looks) {
    const auto entry = claimer.group().pending().at_or_after(*at);
    if (!entry) return kStreamIdMin;
    const StreamId id = entry->id;
    at = id.next();
    if (!claimer.stream().contains(id)) {
      claimer.drop(id, id.text());
      deleted.push_back(id);
    } else if (is_idle(ctx, *entry, request.min_idle_ms)) {
      claimer.claim(id, id.text(), ctx.now_ms, entry->delivery_count + (request.just_ids ? 0 : 1));
    } else {
      continue;
    }
    --left;
  }
  const auto next =
      at ? claimer.group().pending().at_or_after(*at) : StreamGroup::Pending::Cursor();
  return next ? next->id : kStreamIdMin;
}

void xautoclaim(Context& ctx) {
  AutoClaimRequest request;
  if (!parse_auto_claim(ctx, request)) return;
  Edit<Stream> stream = pending_of(ctx);
  if (!names_group(ctx, stream)) return;
  Claimer claimer(ctx, stream);
  std::vector<StreamId> deleted;
  const StreamId next = claim_idle(ctx, claimer, request, deleted);
  ctx.reply.array(3);
  ctx.reply.bulk(next.text());
  claimer.reply_claimed(request.just_ids);
  ctx.reply.array(static_cast<int64_t>(deleted.size()));
  for (const StreamId id : deleted) ctx.reply.bulk(id.text());
  claimer.done();
}

// clang-format off: a row is a record
std::vector<CommandRow> group_subcommands() {
  return {
      {.name = "create", .arity = -5, .flags = kWrite | kDenyOom | kBrief,
       .keys = {key_at(2, "RW insert")}, .handler = xgroup_create, .group = "stream",
       .since = "5.0.0", .history = "7.0.0 Takes ENTRIESREAD", .complexity = "O(1)",
       .summary = "Makes a consumer group",
       .syntax = "key group id-selector:<id | $> [MKSTREAM] "
                 "[ENTRIESREAD entriesread:integer=entries-read]"},
      {.name = "setid", .arity = -5, .flags = kWrite | kBrief, .keys = {key_at(2, "RW update")},
       .handler = xgroup_setid, .group = "stream", .since = "5.0.0",
       .history = "7.0.0 Takes ENTRIESREAD", .complexity = "O(1)",
       .summary = "Sets what a group has read last",
       .syntax = "key group id-selector:<id | $> [ENTRIESREAD entriesread:integer=entries-read]"},
      {.name = "destroy", .arity = 4, .flags = kWrite, .keys = {key_at(2, "RW delete")},
       .handler = xgroup_destroy, .group = "stream", .since = "5.0.0",
       .complexity = "O(1); what was pending is freed later",
       .summary = "Removes a consumer group", .syntax = "key group"},
      {.name = "createconsumer", .arity = 5, .flags = kWrite | kDenyOom | kBrief,
       .keys = {key_at(2, "RW insert")}, .handler = xgroup_createconsumer, .group = "stream",
       .since = "6.2.0", .complexity = "O(1)", .summary = "Makes a consumer in a group",
       .syntax = "key group consumer"},
      {.name = "delconsumer", .arity = 5, .flags = kWrite, .keys = {key_at(2, "RW delete")},
       .handler = xgroup_delconsumer, .group = "stream", .since = "5.0.0",
       .complexity = "O(N) for N entries that are pending with it",
       .summary = "Removes a consumer, and what is pending with it",
       .syntax = "key group consumer"},
      {.name = "help", .arity = 2, .flags = kLoading | kStale, .handler = xgroup_help,
       .group = "stream", .since = "5.0.0", .complexity = "O(1)",
       .summary = "Lists the subcommands"},
  };
}

}  // namespace

std::vector<CommandRow> stream_group_rows() {
  return {
      {.name = "xgroup", .arity = -2, .group = "stream", .since = "5.0.0",
       .complexity = "Depends on the subcommand", .summary = "Changes consumer groups of a stream",
       .subcommands = group_subcommands()},
      {.name = "xack", .arity = -4, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = xack, .group = "stream", .since = "5.0.0", .complexity = "O(1) for each id",
       .summary = "Takes entries that a consumer is done with off those that are pending",
       .syntax = "key group id [id ...]"},
      {.name = "xclaim", .arity = -6, .flags = kWrite | kFast, .keys = {key_at(1, "RW update")},
       .handler = xclaim, .group = "stream", .tips = "nondeterministic_output", .since = "5.0.0",
       .complexity = "O(log(N)) for each id, with N entries pending in the group",
       .summary = "Gives entries that are pending with others to a consumer",
       .syntax = "key group consumer min-idle-time id [id ...] [IDLE ms:integer] "
                 "[TIME unix-time-milliseconds] [RETRYCOUNT count] [FORCE] [JUSTID] "
                 "[LASTID lastid]"},
      {.name = "xautoclaim", .arity = -6, .flags = kWrite | kFast,
       .keys = {key_at(1, "RW delete")}, .handler = xautoclaim, .group = "stream",
       .tips = "nondeterministic_output", .since = "6.2.0",
       .history = "7.0.0 Returns ids that are pending no more, for the stream has lost them",
       .complexity = "O(1) for a small COUNT",
       .summary = "Gives entries that are long pending with others to a consumer",
       .syntax = "key group consumer min-idle-time start:string [COUNT count] [JUSTID]"},
  };
}
// clang-format on

}  // namespace tandem
