#include "engine/context.h"
#include "pubsub/subscription_registry.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// A null `name` tells that there was nothing to unsubscribe from.
void confirm(SessionContext& context, const Subscriber& subscriber, Bytes kind, const Bytes* name) {
  const int64_t count = subscriber.subscriptions.count();
  context.client.set(kSubscribed, count > 0);
  ReplyWriter confirmation = context.reply.out_of_band();
  confirmation.push(3);
  confirmation.bulk(kind);
  name != nullptr ? confirmation.bulk(*name) : confirmation.null();
  confirmation.integer(count);
}

// What each of the four commands does with a name; for those that end subscriptions also which ones
// they mean when they name none.
struct Change {
  Bytes kind;
  bool (*apply)(SubscriptionRegistry&, const std::shared_ptr<Subscriber>&, Bytes name);
  std::vector<std::string> (*all)(Subscriber&) = nullptr;
};

using Member = std::shared_ptr<Subscriber>;

constexpr Change kSubscribe{
    "subscribe", [](SubscriptionRegistry& registry, const Member& subscriber, Bytes channel) {
      return registry.subscribe(subscriber, channel);
    }};
constexpr Change kUnsubscribe{
    "unsubscribe",
    [](SubscriptionRegistry& registry, const Member& subscriber, Bytes channel) {
      return registry.unsubscribe(*subscriber, channel);
    },
    SubscriptionRegistry::channels_of};
constexpr Change kSubscribePattern{
    "psubscribe", [](SubscriptionRegistry& registry, const Member& subscriber, Bytes pattern) {
      return registry.subscribe_pattern(subscriber, pattern);
    }};
constexpr Change kUnsubscribePattern{
    "punsubscribe",
    [](SubscriptionRegistry& registry, const Member& subscriber, Bytes pattern) {
      return registry.unsubscribe_pattern(*subscriber, pattern);
    },
    SubscriptionRegistry::patterns_of};

SessionHandler subscription_handler(SubscriptionRegistry& registry,
                                    const SubscriberOf& subscriber_of, Change change) {
  return [&registry, subscriber_of, change](SessionContext& context) {
    const std::shared_ptr<Subscriber> subscriber = subscriber_of(context.client);
    if (subscriber == nullptr) return context.reply.error("ERR this client cannot subscribe");
    const auto apply = [&](Bytes name) {
      change.apply(registry, subscriber, name);
      confirm(context, *subscriber, change.kind, &name);
    };
    for (const Bytes name : context.args.subspan(1)) apply(name);
    if (context.args.size() > 1) return;
    const std::vector<std::string> names = change.all(*subscriber);
    if (names.empty()) confirm(context, *subscriber, change.kind, nullptr);
    for (const std::string& name : names) apply(name);
  };
}

void publish(SubscriptionRegistry& registry, SessionContext& context) {
  context.reply.integer(registry.publish(context.args[1], context.args[2]));
  context.replicate_as_is();
}

void channels(SubscriptionRegistry& registry, SessionContext& context) {
  if (context.args.size() > 3) return reply_subcommand_syntax(context, "pubsub");
  const auto names = context.args.size() == 3 ? registry.channels(context.args[2])
                                              : registry.channels(std::nullopt);
  context.reply.array(static_cast<int64_t>(names.size()));
  for (const std::string& name : names) context.reply.bulk(name);
}

void subscriber_counts(SubscriptionRegistry& registry, SessionContext& context) {
  const auto names = context.args.subspan(2);
  context.reply.array(static_cast<int64_t>(names.size() * 2));
  for (const Bytes name : names) {
    context.reply.bulk(name);
    context.reply.integer(registry.subscriber_count(name));
  }
}

void pattern_count(SubscriptionRegistry& registry, SessionContext& context) {
  context.reply.integer(registry.pattern_count());
}

// There is no cluster, and so no channel of a shard.
void shard_channels(SessionContext& context) {
  if (context.args.size() > 3) return reply_subcommand_syntax(context, "pubsub");
  context.reply.array(0);
}

void shard_subscriber_counts(SessionContext& context) {
  const auto names = context.args.subspan(2);
  context.reply.array(static_cast<int64_t>(names.size() * 2));
  for (const Bytes name : names) {
    context.reply.bulk(name);
    context.reply.integer(0);
  }
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
  row.since = "2.0.0";
  return row;
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
          pubsub_part({.name = "shardchannels", .arity = -2, .session_handler = shard_channels,
                       .since = "7.0.0", .complexity = "O(N) for N channels",
                       .summary = "Tells the shards' channels that have subscribers.",
                       .syntax = "[pattern]"}),
          pubsub_part({.name = "shardnumsub", .arity = -2,
                       .session_handler = shard_subscriber_counts, .since = "7.0.0",
                       .complexity = "O(N) for N channels asked for",
                       .summary = "Counts the subscribers of shards' channels.",
                       .syntax = "[shardchannel [shardchannel ...]]"}),
          {.name = "help", .arity = 2, .flags = kLoading | kStale, .session_handler = help,
           .group = "pubsub", .since = "6.2.0", .complexity = "O(1)",
           .summary = "Lists the subcommands."}}};
}
// clang-format on

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry, SubscriberOf subscriber_of) {
  const auto handler = [&](const Change& change) {
    return subscription_handler(registry, subscriber_of, change);
  };
  return {
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
      {.name = "publish", .arity = 3,
       .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
       .channels = ChannelUse::kPublishes,
       .session_handler = [&registry](SessionContext& context) { publish(registry, context); },
       .group = "pubsub", .since = "2.0.0",
       .complexity = "O(N+M) for N subscribers of the channel and M patterns",
       .summary = "Sends a message to the subscribers of a channel.",
       .syntax = "channel message"},
      pubsub_row(registry),
  };
}
// clang-format on

}  // namespace tandem
