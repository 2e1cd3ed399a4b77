#include "server/client_card.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/waiter.h"

namespace tandem {
namespace {

std::string flag_letters(const ClientCard& card) {
  constexpr std::pair<ClientFlag, char> kLetters[] = {
      {kClientMonitor, 'O'}, {kClientReplica, 'S'},     {kClientPrimary, 'M'},
      {kClientPubsub, 'P'},  {kClientTransaction, 'x'}, {kClientHeldBack, 'b'},
      {kClientDirty, 'd'},   {kClientClosing, 'c'},     {kClientUnix, 'U'},
      {kClientNoEvict, 'e'}, {kClientNoTouch, 'T'}};
  std::string letters;
  for (const auto& [flag, letter] : kLetters) {
    // A monitor counts as one, not as the replica that Redis makes of it.
    const bool blocked = flag == kClientHeldBack && card.is_blocked();
    if (card.is(flag) || blocked) letters.push_back(letter);
  }
  return letters.empty() ? "N" : letters;
}

}  // namespace

std::shared_ptr<ClientCard> make_client_card(const ByteStream& stream, uint64_t id,
                                             int64_t now_ms) {
  auto card = std::make_shared<ClientCard>();
  card->id = id;
  card->address = stream.peer().text();
  card->local_address = stream.local().text();
  card->descriptor = stream.descriptor();
  card->connected_ms = now_ms;
  card->last_active_ms = now_ms;
  card->set_flag(kClientUnix, stream.peer().is_unix);
  return card;
}

void ClientCard::set_waiter(std::shared_ptr<Waiter> waiter) {
  const Guard guard(lock_);
  waiter_ = std::move(waiter);
}

std::shared_ptr<Waiter> ClientCard::waiter() const {
  const Guard guard(lock_);
  return waiter_;
}

bool ClientCard::is_blocked() const {
  const Guard guard(lock_);
  return waiter_ != nullptr && !waiter_->over();
}

bool ClientCard::is_gone() const {
  if (killed.load(std::memory_order_acquire)) return true;
  const Guard guard(lock_);
  return stream_ == nullptr || stream_->peer_has_closed();
}

void ClientCard::set_stream(const ByteStream* stream) {
  const Guard guard(lock_);
  stream_ = stream;
}

int64_t ClientCard::memory_bytes() const {
  constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  // Replies are in the room for them, but for what is handed to the kernel piece by piece.
  const int64_t replies = std::max(output_bytes.load(kRelaxed), reply_room_bytes.load(kRelaxed));
  return query_bytes.load(kRelaxed) + query_free_bytes.load(kRelaxed) +
         argument_bytes.load(kRelaxed) + transaction_bytes.load(kRelaxed) + replies +
         inbox.bytes() + inbox.subscriptions.name_bytes.load(kRelaxed) +
         static_cast<int64_t>(sizeof(ClientCard));
}

Bytes client_type(const ClientCard& card) {
  if (card.is(kClientPrimary)) return "master";
  if (card.is(kClientReplica)) return "replica";
  if (card.is(kClientPubsub)) return "pubsub";
  return "normal";
}

std::string describe_client(const ClientCard& card, int64_t now_ms) {
  constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  constexpr int64_t kMsPerSecond = 1000;
  const Command* command = card.command.load(kRelaxed);
  const int64_t output = card.unsent_bytes();
  const Subscriber::Subscriptions& subscriptions = card.inbox.subscriptions;
  // One buffer holds all of a client's replies: it counts as what they are written into, and what
  // waits in it as a list's one part.
  const int64_t room = card.reply_room_bytes.load(kRelaxed);
  const int64_t idle = now_ms - card.last_active_ms.load(kRelaxed);
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} "
      "multi={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} obl=0 oll={} omem={} "
      "tot-mem={} events={} cmd={} user={} redir=-1 resp={} lib-name={} lib-ver={}",
      card.id, card.address, card.local_address, card.descriptor, card.name.get(),
      (now_ms - card.connected_ms) / kMsPerSecond, std::max<int64_t>(idle, 0) / kMsPerSecond,
      flag_letters(card), card.database.load(kRelaxed), subscriptions.channel_count.load(kRelaxed),
      subscriptions.pattern_count.load(kRelaxed), card.shard_channels.load(kRelaxed),
      card.transaction_length.load(kRelaxed), card.query_bytes.load(kRelaxed),
      card.query_free_bytes.load(kRelaxed), card.argument_bytes.load(kRelaxed),
      card.transaction_bytes.load(kRelaxed), room, room, output > 0 ? 1 : 0, output,
      card.memory_bytes(), output > 0 ? "rw" : "r",
      command == nullptr ? "NULL" : command->full_name, card.user.get(),
      card.protocol.load(kRelaxed), card.library_name.get(), card.library_version.get());
}

}  // namespace tandem
