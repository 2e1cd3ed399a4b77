#include "server/client/client_registry.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/error_text.h"
#include "base/number.h"
#include "engine/blocked_clients.h"

namespace tandem {
namespace {

std::string flag_letters(const ClientCard& card) {
  constexpr std::pair<ClientFlag, char> kLetters[] = {
      {kClientMonitor, 'O'},  {kClientReplica, 'S'},        {kClientPrimary, 'M'},
      {kClientPubsub, 'P'},   {kClientTransaction, 'x'},    {kClientHeldBack, 'b'},
      {kClientTracking, 't'}, {kClientRedirectBroken, 'R'}, {kClientBroadcast, 'B'},
      {kClientDirty, 'd'},    {kClientClosing, 'c'},        {kClientUnix, 'U'},
      {kClientNoEvict, 'e'},  {kClientNoTouch, 'T'}};
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

std::string ClientCard::user() const {
  const auto who = account.get();
  return who == nullptr ? "(superuser)" : who->name;
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
      "tot-mem={} events={} cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
      card.id, card.address, card.local_address, card.descriptor, card.name.get(),
      (now_ms - card.connected_ms) / kMsPerSecond, std::max<int64_t>(idle, 0) / kMsPerSecond,
      flag_letters(card), card.database.load(kRelaxed),
      subscriptions.count_of(SubscriptionKind::kChannel),
      subscriptions.count_of(SubscriptionKind::kPattern),
      subscriptions.count_of(SubscriptionKind::kShardChannel),
      card.transaction_length.load(kRelaxed), card.query_bytes.load(kRelaxed),
      card.query_free_bytes.load(kRelaxed), card.argument_bytes.load(kRelaxed),
      card.transaction_bytes.load(kRelaxed), room, room, output > 0 ? 1 : 0, output,
      card.memory_bytes(), output > 0 ? "rw" : "r",
      command == nullptr ? "NULL" : command->full_name, card.user(), card.redirect.load(kRelaxed),
      card.protocol.load(kRelaxed), card.library_name.get(), card.library_version.get());
}

void ClientRegistry::add(Card card) {
  const Guard guard(lock_);
  const uint64_t id = card->id;
  cards_.emplace(id, std::move(card));
  count_.store(cards_.size(), std::memory_order_relaxed);
}

void ClientRegistry::remove(ClientCard& card) {
  card.killed.store(true);
  {
    const Guard guard(lock_);
    cards_.erase(card.id);
    count_.store(cards_.size(), std::memory_order_relaxed);
  }
  card.inbox.close();
  if (leaving_ != nullptr) leaving_(card);
}

bool ClientRegistry::kill(ClientCard& card) {
  if (card.killed.exchange(true)) return false;
  remove(card);
  if (card.wake != nullptr) card.wake();
  return true;
}

ClientRegistry::Card ClientRegistry::find(uint64_t id) const {
  const Guard guard(lock_);
  const auto found = cards_.find(id);
  return found == cards_.end() ? nullptr : found->second;
}

std::vector<ClientRegistry::Card> ClientRegistry::list() const {
  const Guard guard(lock_);
  std::vector<Card> found;
  found.reserve(cards_.size());
  for (const auto& [id, card] : cards_) found.push_back(card);
  return found;
}

std::vector<ClientRegistry::Card> ClientRegistry::list(std::span<const uint64_t> ids) const {
  const Guard guard(lock_);
  std::vector<Card> found;
  for (const uint64_t id : ids) {
    const auto at = cards_.find(id);
    if (at != cards_.end()) found.push_back(at->second);
  }
  return found;
}

ReplicationCards::ReplicationCards(Parts parts)
    : parts_(std::move(parts)), acknowledgement_(parts_.commands.find_original("replconf")) {}

void ReplicationCards::link_opened(const ByteStream& stream, uint64_t number) {
  link_ = make_client_card(stream, parts_.clients.next_id(), parts_.clock.monotonic_ms());
  link_->set_flag(kClientPrimary, true);
  link_->wake = [cut = parts_.cut_link, number] { cut(number); };
  parts_.clients.add(link_);
}

void ReplicationCards::link_executed(const ClientState& client, size_t unread_bytes) {
  link_->last_active_ms.store(parts_.clock.monotonic_ms(), std::memory_order_relaxed);
  link_->command.store(client.last_command, std::memory_order_relaxed);
  link_->database.store(client.database, std::memory_order_relaxed);
  link_->query_bytes.store(static_cast<int64_t>(unread_bytes), std::memory_order_relaxed);
}

void ReplicationCards::link_closed() {
  parts_.clients.remove(*link_);
  link_.reset();
}

void ReplicationCards::replica_heard(uint64_t client_id) {
  for (const auto& card : parts_.clients.list(std::array{client_id})) {
    card->last_active_ms.store(parts_.clock.monotonic_ms(), std::memory_order_relaxed);
    card->command.store(acknowledgement_, std::memory_order_relaxed);
  }
}

namespace {

Result<std::string> parse_type(Bytes word) {
  std::string type = to_lower(word);
  if (type == "slave") type = "replica";
  for (const Bytes known : {"normal", "master", "replica", "pubsub"}) {
    if (type == known) return type;
  }
  return fail(ErrorCode::kInvalid, error_text("ERR Unknown client type '{}'", word));
}

std::unexpected<Error> syntax_error() { return fail(ErrorCode::kInvalid, "ERR syntax error"); }

Result<void> apply_kill_option(ClientFilter& filter, Bytes option, Bytes value,
                               FunctionRef<bool(Bytes)> is_user) {
  if (equal_ignore_case(option, "ID")) {
    const auto id = parse_int64(value);
    if (!id || *id < 1) {
      return fail(ErrorCode::kInvalid, "ERR client-id should be greater than 0");
    }
    filter.id = static_cast<uint64_t>(*id);
  } else if (equal_ignore_case(option, "TYPE")) {
    auto type = parse_type(value);
    if (!type) return std::unexpected(type.error());
    filter.type = std::move(*type);
  } else if (equal_ignore_case(option, "ADDR")) {
    filter.address = std::string(value);
  } else if (equal_ignore_case(option, "LADDR")) {
    filter.local_address = std::string(value);
  } else if (equal_ignore_case(option, "USER")) {
    if (!is_user(value)) {
      return fail(ErrorCode::kInvalid, error_text("ERR No such user '{}'", value));
    }
    filter.user = std::string(value);
  } else if (equal_ignore_case(option, "SKIPME")) {
    if (!equal_ignore_case(value, "yes") && !equal_ignore_case(value, "no")) return syntax_error();
    filter.skip_self = equal_ignore_case(value, "yes");
  } else {
    return syntax_error();
  }
  return {};
}

}  // namespace

bool ClientFilter::matches(const ClientCard& card) const {
  if (type && client_type(card) != *type) return false;
  if (address && card.address != *address) return false;
  if (local_address && card.local_address != *local_address) return false;
  if (user && card.user() != *user) return false;
  return !id || card.id == *id;
}

Result<ClientFilter> parse_kill_filter(std::span<const Bytes> args,
                                       FunctionRef<bool(Bytes)> is_user) {
  ClientFilter filter;
  if (args.size() % 2 != 0) return syntax_error();
  for (size_t at = 0; at < args.size(); at += 2) {
    if (auto done = apply_kill_option(filter, args[at], args[at + 1], is_user); !done) {
      return std::unexpected(done.error());
    }
  }
  return filter;
}

Result<ClientFilter> parse_list_filter(std::span<const Bytes> args) {
  ClientFilter filter;
  if (args.empty()) return filter;
  if (args.size() == 2 && equal_ignore_case(args[0], "TYPE")) {
    auto type = parse_type(args[1]);
    if (!type) return std::unexpected(type.error());
    filter.type = std::move(*type);
    return filter;
  }
  if (args.size() < 2 || !equal_ignore_case(args[0], "ID")) return syntax_error();
  for (const Bytes word : args.subspan(1)) {
    const auto id = parse_int64(word);
    if (!id) return fail(ErrorCode::kInvalid, "ERR Invalid client ID");
    filter.listed_ids.push_back(static_cast<uint64_t>(*id));
  }
  return filter;
}

}  // namespace tandem
