#include "server/client/client_tracking.h"

#include <memory>
#include <utility>

#include "resp/reply_writer.h"
#include "server/client/client.h"

namespace tandem {
namespace {

void show_on_card(ClientCard& card, const TrackingChoice& choice) {
  card.redirect.store(choice.on ? static_cast<int64_t>(choice.redirect) : ClientCard::kNoTracking,
                      std::memory_order_relaxed);
  card.set_flag(kClientTracking, choice.on);
  card.set_flag(kClientBroadcast, choice.mode.broadcast);
  card.set_flag(kClientRedirectBroken, false);
}

void push(ClientCard& card, std::shared_ptr<const std::string> message) {
  if (!card.inbox.deliver_push(std::move(message))) card.inbox.cut_off();
}

void break_redirection(ClientCard& card, int64_t redirect) {
  card.set_flag(kClientRedirectBroken, true);
  if (card.protocol.load(std::memory_order_relaxed) == 2) return;
  std::string message;
  ReplyWriter reply(message, 3);
  reply.push(2);
  reply.bulk("tracking-redir-broken");
  reply.integer(redirect);
  push(card, std::make_shared<const std::string>(std::move(message)));
}

}  // namespace

// Who ends the client marks it as killed before it ends its tracking: one of the two calls comes
// last, whatever happens at the same time.
void begin_tracking(ClientState& client, Tracking& tracking, const TrackingChoice& choice,
                    std::span<const std::string> prefixes) {
  ClientCard& card = *connection_of(client)->card();
  client.tracking = choice;
  show_on_card(card, choice);
  tracking.begin(client.id, choice.mode, prefixes);
  if (card.killed.load()) tracking.end(client.id);
}

void end_tracking(ClientState& client, Tracking& tracking) {
  if (!client.tracking.on) return;
  tracking.end(client.id);
  client.tracking = {};
  show_on_card(*connection_of(client)->card(), client.tracking);
}

void ClientInvalidations::invalidate(uint64_t client, const Invalidation& what) {
  const ClientRegistry::Card card = clients_.find(client);
  if (card == nullptr) return;
  const int64_t redirect = card->redirect.load(std::memory_order_relaxed);
  if (redirect == ClientCard::kNoTracking) return;
  const auto speaks = [](const ClientCard& who) {
    return who.protocol.load(std::memory_order_relaxed);
  };
  if (redirect == 0) {
    if (speaks(*card) != 2) push(*card, what.encoded(3));
    return;
  }
  const ClientRegistry::Card other = clients_.find(static_cast<uint64_t>(redirect));
  if (other == nullptr) return break_redirection(*card, redirect);
  if (speaks(*other) != 2) {
    push(*other, what.encoded(3));
  } else if (other->inbox.subscriptions.count() > 0) {
    push(*other, what.encoded(2));
  }
}

}  // namespace tandem
