#include "replication/full_sync.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "io/timer.h"
#include "rdb/rdb_format.h"

namespace tandem {

namespace {

constexpr int64_t kBusyRetryMs = 100;
constexpr int64_t kLookMs = 1000;
// Pieces that one trip to the walker's thread makes at most.
constexpr int kPiecesPerTrip = 8;

}  // namespace

int rdb_version_for(int said, const ReplicationOptions& options) {
  return said != 0 ? said : static_cast<int>(options.rdb_version.get());
}

SnapshotFeed::SnapshotFeed(const ReplicationId& any_id)
    : bytes({.block_bytes = 64 * 1024, .backlog_bytes = 0}, any_id) {
  bytes.activate(any_id);
}

FullSyncs::FullSyncs(Loop& loop, Engine& engine, const ReplicationOptions& options,
                     uint64_t random_seed)
    : loop_(loop), engine_(engine), options_(options), random_(random_seed) {}

FullSyncs::Ticket FullSyncs::join(std::string name, const ReplicaHello& hello,
                                  uint64_t lag_bytes_max, Doorbell& wake) {
  auto ticket = std::make_shared<FullSyncTicket>(std::move(name), hello, lag_bytes_max, wake);
  {
    const Guard guard(lock_);
    if (waiting_.empty()) first_joined_ms_ = loop_.clock().monotonic_ms();
    waiting_.push_back(ticket);
  }
  changed_bell_.ring();
  return ticket;
}

void FullSyncs::leave(FullSyncTicket& ticket) {
  {
    const Guard guard(lock_);
    ticket.bell = nullptr;
    // The walk goes on for others and keeps the ticket; nothing is to be held for this one.
    ticket.snapshot.reset();
    ticket.log.reset();
    std::erase_if(waiting_, [&](const Ticket& other) { return other.get() == &ticket; });
  }
  taken_bell_.ring();
}

// Negative: nobody waits.
int64_t FullSyncs::delay_left_ms() const {
  const Guard guard(lock_);
  if (waiting_.empty()) return -1;
  const int64_t enough = options_.diskless_sync_max_replicas.get();
  if (enough > 0 && static_cast<int64_t>(waiting_.size()) >= enough) return 0;
  const int64_t waited_ms = loop_.clock().monotonic_ms() - first_joined_ms_;
  return std::max<int64_t>(0, options_.diskless_sync_delay_seconds.get() * 1000 - waited_ms);
}

Task<void> FullSyncs::run(StopToken stop) {
  while (!stop.requested()) {
    const int64_t left_ms = delay_left_ms();
    if (left_ms < 0) {
      co_await changed_.wait(stop);
    } else if (left_ms > 0) {
      // CONFIG SET may shorten the delay meanwhile.
      Deadline deadline(loop_, std::min(left_ms, kLookMs), stop);
      co_await changed_.wait(deadline.token());
    } else {
      co_await serve_waiting(stop);
    }
  }
}

Task<void> FullSyncs::serve_waiting(StopToken stop) {
  SnapshotTurn::Held turn = engine_.snapshot_turn.try_take([this] { taken_bell_.ring(); });
  if (!turn) {
    // Another snapshot is being written, to disk say.
    co_await loop_.sleep_ms(kBusyRetryMs, stop);
    co_return;
  }
  auto feed = std::make_shared<SnapshotFeed>(ReplicationId::generate(random_));
  Tickets tickets;
  const RdbSnapshot::Options options = snapshot_options();
  std::shared_ptr<RdbSnapshot> snapshot = RdbSnapshot::begin(
      engine_, std::move(turn), options, [&] { tickets = admit(feed, options.format.version); });
  const int64_t started_ms = loop_.clock().monotonic_ms();
  const int64_t keys = snapshot->keys_total();
  log_notice("Full sync of {} replica(s): a snapshot of {} keys begins", tickets.size(), keys);
  running_.store(true);
  const bool complete = co_await send(std::move(snapshot), feed, tickets, stop);
  running_.store(false);
  if (complete) {
    completed_.fetch_add(1);
    feed->complete.store(true);
  } else {
    for (const Ticket& ticket : tickets) ticket->set_failed();
  }
  ring(tickets);
  log_notice("The snapshot {} after {} ms, {} bytes", complete ? "is complete" : "was given up",
             loop_.clock().monotonic_ms() - started_ms, feed->bytes.end());
}

// False: given up, for a stop, because nobody wants it any more, or to give way.
Task<bool> FullSyncs::send(std::shared_ptr<RdbSnapshot> snapshot,
                           std::shared_ptr<SnapshotFeed> feed, Tickets tickets, StopToken stop) {
  for (bool more = true; more;) {
    if (stop.requested() || snapshot->interrupted() || !anybody_left(tickets)) co_return false;
    if (must_wait(tickets)) {
      co_await taken_.wait(stop);
      continue;
    }
    // To its end even when stopped: it is short.
    auto made = co_await loop_.offload([snapshot, feed] {
      std::string piece;
      for (int i = 0; i < kPiecesPerTrip; ++i) {
        if (!snapshot->produce(piece)) return false;
        feed->bytes.append_verbatim(piece);
      }
      return true;
    });
    more = made && *made;
    ring(tickets);
  }
  co_return true;
}

// At the cut, all stripes held. Who came since the version was chosen and reads only a lower one
// waits for the next walk.
FullSyncs::Tickets FullSyncs::admit(const std::shared_ptr<SnapshotFeed>& feed, int version) {
  Log& log = engine_.log;
  // A replica passes on the selection of its primary's stream; a primary begins with one of its
  // own.
  if (!engine_.gate.is(Gate::kReplica)) log.forget_context();
  const Guard guard(lock_);
  const auto later = std::partition(waiting_.begin(), waiting_.end(), [&](const Ticket& ticket) {
    return version_for(*ticket) >= version;
  });
  Tickets admitted(waiting_.begin(), later);
  waiting_.erase(waiting_.begin(), later);
  for (const Ticket& ticket : admitted) {
    ticket->cut = log.position();
    ticket->mark = random_.hex(40);
    ticket->feed = feed;
    ticket->snapshot = feed->bytes.open_at_end(ticket->name, 0);
    ticket->log = log.open_at_end(ticket->name, ticket->lag_bytes_max);
    ticket->set_ready();
  }
  return admitted;
}

bool FullSyncs::must_wait(const Tickets& tickets) const {
  const Guard guard(lock_);
  return std::any_of(tickets.begin(), tickets.end(), [](const Ticket& ticket) {
    if (ticket->bell == nullptr) return false;
    const uint64_t limit = ticket->understands_mark ? kFeedBytesMax : kWholeBytesMax;
    if (ticket->snapshot->lag_bytes() <= limit) return false;
    // Nobody would ever read it: waiting does not help.
    if (!ticket->understands_mark) ticket->set_failed();
    return ticket->understands_mark;
  });
}

bool FullSyncs::anybody_left(const Tickets& tickets) const {
  const Guard guard(lock_);
  return std::any_of(tickets.begin(), tickets.end(),
                     [](const Ticket& ticket) { return ticket->bell != nullptr; });
}

void FullSyncs::ring(const Tickets& tickets) {
  const Guard guard(lock_);
  for (const Ticket& ticket : tickets) {
    if (ticket->bell != nullptr) ticket->bell->ring();
  }
}

RdbSnapshot::Options FullSyncs::snapshot_options() const {
  RdbSnapshot::Options options;
  options.format.version = kRdbVersionMax;
  {
    const Guard guard(lock_);
    for (const Ticket& ticket : waiting_) {
      options.format.version = std::min(options.format.version, version_for(*ticket));
    }
  }
  options.format.compress = options_.rdb_compression.get();
  options.format.checksum = options_.rdb_checksum.get();
  return options;
}

}  // namespace tandem
