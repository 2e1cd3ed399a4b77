#include "server/replication_cards.h"

#include <array>
#include <utility>

namespace tandem {

ReplicationCards::ReplicationCards(Parts parts)
    : parts_(std::move(parts)), acknowledgement_(parts_.commands.find_original("replconf")) {}

void ReplicationCards::link_opened(const ByteStream& stream, uint64_t number) {
  link_ = make_client_card(stream, parts_.clients.next_id(), parts_.clock.monotonic_ms());
  link_->user.set("(superuser)");
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

}  // namespace tandem
