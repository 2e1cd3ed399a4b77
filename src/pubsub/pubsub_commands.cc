#include "pubsub/pubsub_commands.h"

#include "engine/context.h"

namespace tandem {
namespace {

using Change = bool (SubscriptionRegistry::*)(Subscriber&, Bytes);

// The session behind a client; null for clients that are no sessions, which is an error of theirs.
Subscriber* subscriber_of(SessionContext& context) {
  auto* subscriber = dynamic_cast<Subscriber*>(&context.client);
  if (subscriber == nullptr) context.reply.error("ERR this client cannot subscribe");
  return subscriber;
}

// A null `name` tells that there was nothing to unsubscribe from.
void confirm(SessionContext& context, const Subscriber& subscriber, Bytes kind, const Bytes* name) {
  const size_t count = subscriber.subscriptions.count();
  context.client.subscribed = count > 0;
  ReplyWriter confirmation = context.reply.out_of_band();
  confirmation.push(3);
  confirmation.bulk(kind);
  name != nullptr ? confirmation.bulk(*name) : confirmation.null();
  confirmation.integer(static_cast<int64_t>(count));
}

// All four commands: change what the arguments name, or for the UN- commands without arguments,
// everything.
SessionHandler subscription_handler(SubscriptionRegistry& registry, Bytes kind, Change change,
                                    Subscriber::NameSet Subscriber::Subscriptions::* all) {
  return [&registry, kind, change, all](SessionContext& context) {
    Subscriber* subscriber = subscriber_of(context);
    if (subscriber == nullptr) return;
    for (const Bytes name : context.args.subspan(1)) {
      (registry.*change)(*subscriber, name);
      confirm(context, *subscriber, kind, &name);
    }
    if (context.args.size() > 1) return;
    Subscriber::NameSet& names = subscriber->subscriptions.*all;
    if (names.empty()) return confirm(context, *subscriber, kind, nullptr);
    while (!names.empty()) {
      const std::string name = *names.begin();
      (registry.*change)(*subscriber, name);
      const Bytes shown(name);
      confirm(context, *subscriber, kind, &shown);
    }
  };
}

void publish(SubscriptionRegistry& registry, SessionContext& context) {
  context.reply.integer(registry.publish(context.args[1], context.args[2]));
  context.replicate_as_is();
}

void channels(SubscriptionRegistry& registry, SessionContext& context) {
  if (context.args.size() > 3) {
    return context.reply.error(
        "ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.");
  }
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

void help(SessionContext& context) {
  static constexpr Bytes kLines[] = {
      "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
      "CHANNELS [<pattern>]",
      "    Return the currently active channels matching a <pattern> (default: '*').",
      "NUMPAT",
      "    Return number of subscriptions to patterns.",
      "NUMSUB [<channel> ...]",
      "    Return the number of subscribers for the specified channels, excluding",
      "    pattern subscriptions(default: no channels).",
      "HELP",
      "    Prints this help.",
  };
  context.reply.array(std::size(kLines));
  for (const Bytes line : kLines) context.reply.simple(line);
}

CommandRow subscription_row(Bytes name, int arity, SessionHandler handler, Bytes complexity,
                            Bytes summary, Bytes syntax) {
  return {.name = name,
          .arity = arity,
          .flags = kPubSub | kNoScript | kLoading | kStale,
          .session_handler = std::move(handler),
          .group = "pubsub",
          .since = "2.0.0",
          .complexity = complexity,
          .summary = summary,
          .syntax = syntax};
}

CommandRow publish_row(SubscriptionRegistry& registry) {
  return {.name = "publish",
          .arity = 3,
          .flags = kPubSub | kLoading | kStale | kFast | kMayReplicate,
          .session_handler = [&registry](SessionContext& context) { publish(registry, context); },
          .group = "pubsub",
          .since = "2.0.0",
          .complexity =
              "O(N+M) where N is the number of clients subscribed to the receiving channel and M "
              "is the total number of subscribed patterns (by any client).",
          .summary = "Posts a message to a channel.",
          .syntax = "channel message"};
}

CommandRow pubsub_part(Bytes name, int arity, SessionHandler handler, Bytes since, Bytes summary,
                       Bytes syntax) {
  return {.name = name,
          .arity = arity,
          .flags = kPubSub | kLoading | kStale,
          .session_handler = std::move(handler),
          .group = "pubsub",
          .since = since,
          .complexity = "O(N) where N is what is listed or asked for",
          .summary = summary,
          .syntax = syntax};
}

CommandRow pubsub_row(SubscriptionRegistry& registry) {
  CommandRow row{.name = "pubsub",
                 .arity = -2,
                 .group = "pubsub",
                 .since = "2.8.0",
                 .complexity = "Depends on subcommand.",
                 .summary = "A container for Pub/Sub commands."};
  row.subcommands = {
      pubsub_part(
          "channels", -2, [&registry](SessionContext& context) { channels(registry, context); },
          "2.8.0", "Returns the active channels.", "[pattern]"),
      pubsub_part(
          "numsub", -2,
          [&registry](SessionContext& context) { subscriber_counts(registry, context); }, "2.8.0",
          "Returns a count of subscribers to channels.", "[channel [channel ...]]"),
      pubsub_part(
          "numpat", 2,
          [&registry](SessionContext& context) { context.reply.integer(registry.pattern_count()); },
          "2.8.0", "Returns a count of unique pattern subscriptions.", ""),
      pubsub_part("help", 2, help, "6.2.0", "Returns helpful text about the different subcommands.",
                  ""),
  };
  row.subcommands.back().flags = kLoading | kStale;
  return row;
}

}  // namespace

std::vector<CommandRow> pubsub_rows(SubscriptionRegistry& registry) {
  using Registry = SubscriptionRegistry;
  using Names = Subscriber::Subscriptions;
  std::vector<CommandRow> rows;
  rows.push_back(subscription_row(
      "subscribe", -2,
      subscription_handler(registry, "subscribe", &Registry::subscribe, &Names::channels),
      "O(N) where N is the number of channels to subscribe to.",
      "Listens for messages published to channels.", "channel [channel ...]"));
  rows.push_back(subscription_row(
      "unsubscribe", -1,
      subscription_handler(registry, "unsubscribe", &Registry::unsubscribe, &Names::channels),
      "O(N) where N is the number of channels to unsubscribe.",
      "Stops listening to messages posted to channels.", "[channel [channel ...]]"));
  rows.push_back(subscription_row(
      "psubscribe", -2,
      subscription_handler(registry, "psubscribe", &Registry::subscribe_pattern, &Names::patterns),
      "O(N) where N is the number of patterns to subscribe to.",
      "Listens for messages published to channels that match one or more patterns.",
      "pattern [pattern ...]"));
  rows.push_back(subscription_row(
      "punsubscribe", -1,
      subscription_handler(registry, "punsubscribe", &Registry::unsubscribe_pattern,
                           &Names::patterns),
      "O(N) where N is the number of patterns to unsubscribe.",
      "Stops listening to messages published to channels that match one or more patterns.",
      "[pattern [pattern ...]]"));
  rows.push_back(publish_row(registry));
  rows.push_back(pubsub_row(registry));
  return rows;
}

void end_subscriptions(SubscriptionRegistry& registry, Subscriber& subscriber) {
  registry.forget(subscriber);
}

}  // namespace tandem
