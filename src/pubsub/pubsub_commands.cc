#include "engine/context.h"
#include "pubsub/subscription_registry.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

using Kind = SubscriptionKind;
using Member = std::shared_ptr<Subscriber>;

// What each of the six commands does with a name.
struct Change {
  Bytes word;  // its name, as the confirmation repeats it
  Kind kind;
  bool begins;  // a subscription, or ends one
};

constexpr Change kSubscribe{"subscribe", Kind::kChannel, true};
constexpr Change kUnsubscribe{"unsubscribe", Kind::kChannel, false};
constexpr Change kSubscribePattern{"psubscribe", Kind::kPattern, true};
constexpr Change kUnsubscribePattern{"punsubscribe", Kind::kPattern, false};
constexpr Change kSubscribeShard{"ssubscribe", Kind::kShardChannel, true};
constexpr Change kUnsubscribeShard{"sunsubscribe", Kind::kShardChannel, false};

// Channels and patterns are counted together, channels of shards for themselves.
int64_t counted_with(const Subscriber::Subscriptions& own, Kind kind) {
  const int64_t of_shards = own.count_of(Kind::kShardChannel);
  return kind == Kind::kShardChannel ? of_shards : own.count() - of_shards;
}

// A null `name` tells that there was nothing to unsubscribe from.
void confirm(SessionContext& context, const Subscriber& subscriber, const Change& change,
             const Bytes* name) {
  const Subscriber::Subscriptions& own = subscriber.subscriptions;
  context.client.set(kSubscribed, own.count() > 0);
  ReplyWriter confirmation = context.reply.out_of_band();
  confirmation.push(3);
  confirmation.bulk(change.word);
  name != nullptr ? confirmation.bulk(*name) : confirmation.null();
  confirmation.integer(counted_with(own, change.kind));
}

void change_subscriptions(SubscriptionRegistry& registry, const Member& subscriber,
                          const Change& change, SessionContext& context) {
  const auto apply = [&](Bytes name) {
    change.begins ? registry.subscribe(change.kind, subscriber, name)
                  : registry.unsubscribe(change.kind, *subscriber, name);
    confirm(context, *subscriber, change, &name);
  };
  for (const Bytes name : context.args.subspan(1)) apply(name);
  if (context.args.size() > 1) return;
  const auto all = SubscriptionRegistry::names_of(change.kind, *subscriber);
  if (all.empty()) confirm(context, *subscriber, change, nullptr);
  for (const std::string& name : all) apply(name);
}

SessionHandler subscription_handler(SubscriptionRegistry& registry,
                                    const SubscriberOf& subscriber_of, Change change) {
  return [&registry, subscriber_of, change](SessionContext& context) {
    const Member subscriber = subscriber_of(context.client);
    if (subscriber == nullptr) return context.reply.error("ERR this client cannot subscribe");
    // In a transaction, as Redis has it: one may subscribe to channels there, but not to those.
    if (change.kind == Kind::kShardChannel && change.begins && !context.may_block) {
      return context.reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    }
    change_subscriptions(registry, subscriber, change, context);
  };
}

void publish(SubscriptionRegistry& registry, SessionContext& context) {
  context.reply.integer(registry.publish(context.args[1], context.args[2]));
  context.replicate_as_is();
}

void publish_to_shard(SubscriptionRegistry& registry, SessionContext& context) {
  context.reply.integer(registry.publish_to_shard(context.args[1], context.args[2]));
  context.replicate_as_is();
}

void reply_channels(SubscriptionRegistry& registry, SessionContext& context, Kind kind) {
  if (context.args.size() > 3) return reply_subcommand_syntax(context, "pubsub");
  const auto names = context.args.size() == 3 ? registry.names(kind, context.args[2])
                                              : registry.names(kind, std::nullopt);
  context.reply.array(static_cast<int64_t>(names.size()));
  for (const std::string& name : names) context.reply.bulk(name);
}

void reply_subscriber_counts(SubscriptionRegistry& registry, SessionContext& context, Kind kind) {
  const auto names = context.args.subspan(2);
  context.reply.array(static_cast<int64_t>(names.size() * 2));
  for (const Bytes name : names) {
    context.reply.bulk(name);
    context.reply.integer(registry.subscriber_count(kind, name));
  }
}

void channels(SubscriptionRegistry& registry, SessionContext& context) {
  reply_channels(registry, context, Kind::kChannel);
}

void subscriber_counts(SubscriptionRegistry& registry, SessionContext& context) {
  reply_subscriber_counts(registry, context, Kind::kChannel);
}

void pattern_count(SubscriptionRegistry& registry, SessionContext& context) {
  context.reply.integer(registry.name_count(Kind::kPattern));
}

void shard_channels(SubscriptionRegistry& registry, SessionContext& context) {
  reply_channels(registry, context, Kind::kShardChannel);
}

void shard_subscriber_counts(SubscriptionRegistry& registry, SessionContext& context) {
  reply_subscriber_counts(registry, context, Kind::kShardChannel);
}

void help(SessionContext& context) {
  static constexpr Bytes kLines[] = {
      "CHANNELS [<pattern>]",
      "    Return the currently active channels matching a <pattern> (default: '*').",
      "NUMPAT",
      "    Return number of subscriptions to patterns.",
      "NUMSUB [<channel> ...]",
      "    Return the number of subscribers for the specified channels, excluding",
      "    pattern subscriptions(default: no channels).",
      "SHARDCHANNELS [<pattern>]",
      "    Return the currently active shard level channels matching a <pattern> (default: '*').",
      "SHARDNUMSUB [<shardchannel> ...]",
      "    Return the number of subscribers for the specified shard level channel(s)",
  };
  write_help(context.reply, "pubsub", kLines);
}

// A row that states what the commands of subscription do not share.
CommandRow subscription(CommandRow row) {
  row.flags = kPubSub | kNoScript | kLoading | kStale | kWhileSubscribed;
  row.group = "pubsub";
  if (row.since.empty()) row.since = "2.0.0";
  return row;
}

// The same for channels of shards, whose names a cluster would find its way by.
CommandRow shard_subscription(CommandRow row) {
  row.keys = {keys_range(1, -1, 1, "not_key")};
  row.since = "7.0.0";
  return subscription(std::move(row));
}

// A row that states what PUBSUB's subcommands do not share.
CommandRow pubsub_part(CommandRow row) {
  row.flags = kPubSub | kLoading | kStale;
  row.group = "pubsub";
  if (row.since.empty()) row.since = "2.8.0";
  return row;
}

// clang-format off: a row is a record
CommandRow pubsub_row(SubscriptionRegistry& registry) {
  const auto bound = [&registry](auto handler) {
    return [&registry, handler](SessionContext& context) { handler(registry, context); };
  };
  return {
      .name = "pubsub", .arity = -2, .group = "pubsub", .since = "2.8.0",
      .complexity = "Depends on the subcommand", .summary = "About subscriptions.",
      .subcommands = {
          pubsub_part({.name = "channels", .arity = -2, .session_handler = bound(channels),
                       .complexity = "O(N) for N channels",
                       .summary = "Tells the channels that have subscribers.",
                       .syntax = "[pattern]"}),
          pubsub_part({.name = "numsub", .arity = -2, .session_handler = bound(subscriber_counts),
                       .complexity = "O(N) for N channels asked for",
                       .summary = "Counts the subscribers of channels.",
                       .syntax = "[channel [channel ...]]"}),
          pubsub_part({.name = "numpat", .arity = 2, .session_handler = bound(pattern_count),
                       .complexity = "O(1)", .summary = "Counts the patterns subscribed to."}),
          pubsub_part({.name = "shardchannels", .arity = -2,
                       .session_handler = bound(shard_channels), .since = "7.0.0",
                       .complexity = "O(N) for N channels",
                       .summary = "Tells the shards' channels that have subscribers.",
                       .syntax = "[pattern]"}),
          pubsub_part({.name = "shardnumsub", .arity = -2,
                       .session_handler = bound(shard_subscriber_counts), .since = "7.0.0",
                       .complexity = "O(N) for N channels asked for",
                       .summary = "Counts the subscribers of shards' channels.",
                       .syntax = "[shardchannel [shardchannel ...]]"}),
          {.name = "help", .arity = 2, .flags = kLoading | kStale, .session_handler = help,
           .group = "pubsub", .since = "6.2.0", .complexity = "O(1)",
           .summary = "Lists the subcommands."}}};
}

std::vector<CommandRow> publication_rows(SubscriptionRegistry& registry) {
  return {
      {.name = "publish", .arity = 3,
       .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
       .channels = ChannelUse::kPublishes,
       .session_handler = [&registry](SessionContext& context) { publish(registry, context); },
       .group = "pubsub", .since = "2.0.0",
       .complexity = "O(N+M) for N subscribers of the channel and M patterns",
       .summary = "Sends a message to the subscribers of a channel.",
       .syntax = "channel message"},
      {.name = "spublish", .arity = 3,
       .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
       .keys = {key_at(1, "not_key")}, .channels = ChannelUse::kPublishes,
       .session_handler = [&registry](SessionContext& context) {
         publish_to_shard(registry, context);
       },
       .group = "pubsub", .since = "7.0.0",
       .complexity = "O(N) for N subscribers of the channel",
       .summary = "Sends a message to the subscribers of a shard's channel.",
       .syntax = "shardchannel message"},
  };
}

}  // namespace

std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry, SubscriberOf subscriber_of) {
  const auto handler = [&](const Change& change) {
    return subscription_handler(registry, subscriber_of, change);
  };
  std::vector<CommandRow> rows = {
      subscription(
          {.name = "subscribe", .arity = -2, .channels = ChannelUse::kSubscribes,
           .session_handler = handler(kSubscribe),
           .complexity = "O(N) for N channels", .summary = "Waits for messages on channels.",
           .syntax = "channel [channel ...]"}),
      subscription(
          {.name = "unsubscribe", .arity = -1,
           .session_handler = handler(kUnsubscribe),
           .complexity = "O(N) for N channels", .summary = "Ends subscriptions of channels.",
           .syntax = "[channel [channel ...]]"}),
      subscription(
          {.name = "psubscribe", .arity = -2, .channels = ChannelUse::kSubscribesPatterns,
           .session_handler = handler(kSubscribePattern),
           .complexity = "O(N) for N patterns",
           .summary = "Waits for messages on all channels whose names match a pattern.",
           .syntax = "pattern [pattern ...]"}),
      subscription(
          {.name = "punsubscribe", .arity = -1,
           .session_handler = handler(kUnsubscribePattern),
           .complexity = "O(N) for N patterns", .summary = "Ends subscriptions of patterns.",
           .syntax = "[pattern [pattern ...]]"}),
      shard_subscription(
          {.name = "ssubscribe", .arity = -2, .channels = ChannelUse::kSubscribes,
           .session_handler = handler(kSubscribeShard),
           .complexity = "O(N) for N channels",
           .summary = "Waits for messages on channels of shards.",
           .syntax = "shardchannel [shardchannel ...]"}),
      shard_subscription(
          {.name = "sunsubscribe", .arity = -1, .session_handler = handler(kUnsubscribeShard),
           .complexity = "O(N) for N channels",
           .summary = "Ends subscriptions of channels of shards.",
           .syntax = "[shardchannel [shardchannel ...]]"}),
      pubsub_row(registry)};
  for (CommandRow& row : publication_rows(registry)) rows.push_back(std::move(row));
  return rows;
}
// clang-format on

}  // namespace tandem
