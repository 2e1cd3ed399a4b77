// Mechanism: run() looks whether somebody waits, lets the delay pass, takes the one turn there is
// to walk the dataset, and begins a snapshot. All who wait by then are admitted at its cut. send()
// makes the stream, off the loop and a few pieces at a time, and rings for the sessions after each.
//
// A walk is over when its last piece is in the stream, however long the replicas take to read that:
// they keep the stream, and the turn is free for the next.
#include "replication/full_sync.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"
#include "io/timer.h"
#include "rdb/rdb_format.h"
#include "replication/duty_clock.h"

namespace tandem {

namespace {

constexpr int64_t kBusyRetryMs = 100;
constexpr int64_t kLookMs = 1000;
constexpr int64_t kHeldUpLookMs = 100;
// Pieces that one trip to the walker's thread makes at most.
constexpr int kPiecesPerTrip = 8;

bool is_slow(const FullSyncTicket& ticket) {
  return ticket.snapshot->lag_in_memory() > SnapshotStream::kMemoryBytesMax;
}

}  // namespace

int rdb_version_for(int said, const ReplicationOptions& options) {
  return said != 0 ? said : static_cast<int>(options.rdb_version.get());
}

FullSyncs::FullSyncs(Loop& loop, Engine& engine, const ReplicationOptions& options,
                     uint64_t random_seed, Files* files)
    : loop_(loop), engine_(engine), options_(options), files_(files), random_(random_seed) {}

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
  auto stream = std::make_shared<SnapshotStream>(files_);
  const bool wanted = co_await prepare_file(stream);
  if (!wanted) co_return;
  Tickets tickets;
  const RdbSnapshot::Options options = snapshot_options();
  std::shared_ptr<RdbSnapshot> snapshot = RdbSnapshot::begin(
      engine_, std::move(turn), options, [&] { tickets = admit(stream, options.format.version); });
  const int64_t started_ms = loop_.clock().monotonic_ms();
  const int64_t keys = snapshot->keys_total();
  log_notice("Full sync of {} replica(s): a snapshot of {} keys begins", tickets.size(), keys);
  running_.store(true);
  const bool complete = co_await send(snapshot, stream, tickets, stop);
  running_.store(false);
  if (complete) {
    // Before anybody hears of its end: who then wants to save finds the turn free.
    snapshot.reset();
    completed_.fetch_add(1);
    stream->finish();
  } else {
    for (const Ticket& ticket : tickets) ticket->set_failed();
  }
  ring(tickets);
  log_notice("The snapshot {} after {} ms, {} bytes", complete ? "is complete" : "was given up",
             loop_.clock().monotonic_ms() - started_ms, stream->end());
  if (complete) co_return;
  // Giving one up may take a while.
  co_await loop_.offload([last = std::move(snapshot)]() mutable { last.reset(); });
}

// Who must know the length beforehand reads the whole stream from a file.
Task<bool> FullSyncs::prepare_file(std::shared_ptr<SnapshotStream> stream) {
  const auto needs_file = [](const Ticket& ticket) { return !ticket->understands_mark; };
  {
    const Guard guard(lock_);
    if (std::none_of(waiting_.begin(), waiting_.end(), needs_file)) co_return !waiting_.empty();
  }
  auto begun = co_await loop_.offload([stream] { return stream->begin_file(); });
  const Guard guard(lock_);
  if (begun && *begun) co_return !waiting_.empty();
  std::erase_if(waiting_, [&](const Ticket& ticket) {
    if (!needs_file(ticket)) return false;
    ticket->set_failed();
    if (ticket->bell != nullptr) ticket->bell->ring();
    return true;
  });
  co_return !waiting_.empty();
}

// False: given up, for a stop, because nobody wants it any more, or to give way.
Task<bool> FullSyncs::send(std::shared_ptr<RdbSnapshot> snapshot,
                           std::shared_ptr<SnapshotStream> stream, Tickets tickets,
                           StopToken stop) {
  // Runs while the slow ones are waited for by somebody else than us.
  DutyClock patience;
  for (bool more = true; more;) {
    if (stop.requested() || snapshot->interrupted() || !anybody_left(tickets)) co_return false;
    const int64_t now_ms = loop_.clock().monotonic_ms();
    if (is_held_up(*stream, tickets)) {
      if (snapshot->turn_wanted() || somebody_waits(tickets)) {
        patience.peers_turn(now_ms);
      } else {
        patience.our_turn(now_ms);
      }
      const int64_t patience_ms = options_.timeout_seconds.get() * 1000 / 2;
      if (patience.look(now_ms) >= patience_ms || snapshot->pending_bytes() > kHandedInBytesMax) {
        co_await let_slow_ones_go(stream, tickets);
        patience = {};
        continue;
      }
      Deadline tick(loop_, kHeldUpLookMs, stop);
      co_await taken_.wait(tick.token());
      continue;
    }
    patience.our_turn(now_ms);
    // To its end even when stopped: it is short.
    auto made = co_await loop_.offload([snapshot, stream]() mutable {
      std::string piece;
      for (int i = 0; i < kPiecesPerTrip; ++i) {
        if (!snapshot->produce(piece)) {
          snapshot.reset();  // so that the caller's is the last
          return false;
        }
        stream->append(piece);
      }
      return true;
    });
    more = made && *made;
    ring(tickets);
  }
  co_return true;
}

// The walk goes on. What the slow ones have yet to take they read from a file; without one they
// have lost their place.
Task<void> FullSyncs::let_slow_ones_go(std::shared_ptr<SnapshotStream> stream, Tickets tickets) {
  auto begun = co_await loop_.offload([stream] { return stream->begin_file(); });
  if (begun && *begun) log_notice("A snapshot for replicas goes on in a file, for the slow ones");
  {
    const Guard guard(lock_);
    for (const Ticket& ticket : tickets) {
      if (ticket->bell != nullptr && is_slow(*ticket)) ticket->snapshot->fall_behind();
    }
  }
  ring(tickets);
}

// At the cut, all stripes held. Who came since the version was chosen and reads only a lower one
// waits for the next walk, and so does who needs a file where there is none.
FullSyncs::Tickets FullSyncs::admit(const std::shared_ptr<SnapshotStream>& stream, int version) {
  Log& log = engine_.log;
  // A replica passes on the selection of its primary's stream; a primary begins with one of its
  // own.
  if (!engine_.gate.is(Gate::kReplica)) log.forget_database();
  const Guard guard(lock_);
  const auto later = std::partition(waiting_.begin(), waiting_.end(), [&](const Ticket& ticket) {
    return version_for(*ticket) >= version && (ticket->understands_mark || stream->has_file());
  });
  Tickets admitted(waiting_.begin(), later);
  waiting_.erase(waiting_.begin(), later);
  for (const Ticket& ticket : admitted) {
    ticket->cut = log.position();
    ticket->mark = random_.hex(40);
    ticket->stream = stream;
    ticket->snapshot =
        std::make_unique<SnapshotStream::Reader>(stream, ticket->name, !ticket->understands_mark);
    ticket->log = log.open_at_end(ticket->name, ticket->lag_bytes_max,
                                  [bell = ticket->bell] { bell->ring(); });
    ticket->set_ready();
  }
  return admitted;
}

bool FullSyncs::is_held_up(const SnapshotStream& stream, const Tickets& tickets) const {
  const Guard guard(lock_);
  bool held_up = false;
  for (const Ticket& ticket : tickets) {
    if (ticket->bell == nullptr || !is_slow(*ticket)) continue;
    if (stream.has_file()) {
      ticket->snapshot->fall_behind();
    } else {
      held_up = true;
    }
  }
  return held_up;
}

// Another replica: one that came too late for this walk, or that has taken all there is of it.
bool FullSyncs::somebody_waits(const Tickets& tickets) const {
  const Guard guard(lock_);
  return !waiting_.empty() || std::any_of(tickets.begin(), tickets.end(), [](const Ticket& ticket) {
    return ticket->bell != nullptr && ticket->snapshot->has_all();
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
