// Mechanism: a worker never shares a session. What other threads want from one (deliver a reply,
// end it, wake it) is posted to this loop with the session's id; if the session has ended meanwhile
// the post finds nobody. New sockets come the same way.
// The log is looked at once a turn, before the loop sleeps: however many commands have written,
// replicas are woken once.
#include "server/worker.h"

#include <algorithm>
#include <utility>

#include "base/logging.h"

namespace tandem {
namespace {

constexpr int64_t kTickMs = 100;
constexpr int64_t kLimitsPeriodMs = 1000;
constexpr int64_t kHearPeriodMs = 50;
// Of a tick's 100 ms, for active expiry: a quarter at most, as in Redis, while there is much to
// delete; little for a look at what is left.
constexpr int64_t kExpireBudgetUs = 1000;
constexpr int64_t kExpireBusyBudgetUs = 25'000;
constexpr uint64_t kExpiredMany = 100;

constexpr Bytes kTooManyClients = "-ERR max number of clients reached\r\n";
constexpr Bytes kProtected =
    "-DENIED Redis is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. If you want to connect from external computers to Redis you may adopt one of the "
    "following solutions: 1) Just disable protected mode sending the command 'CONFIG SET "
    "protected-mode no' from the loopback interface by connecting to Redis from the same host the "
    "server is running, however MAKE SURE Redis is not publicly accessible from internet if you do "
    "so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable "
    "the protected mode by editing the Redis configuration file, and setting the protected mode "
    "option to 'no', and then restarting the server. 3) If you started the server manually just "
    "for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication "
    "password for the default user. NOTE: You only need to do one of the above things in order for "
    "the server to start accepting connections from the outside.\r\n";

}  // namespace

Worker::Worker(Loop& loop, Network& network, Needs needs)
    : loop_(loop),
      network_(network),
      needs_(std::move(needs)),
      executor_(needs_.engine, needs_.random_seed),
      flushes_(loop_),
      lookahead_(needs_.engine.keyspace),
      log_look_(loop_, [this] { look_at_log(); }),
      host_{.loop = loop_,
            .executor = executor_,
            .options = needs_.options.network,
            .counters = counters_,
            .flushes = flushes_,
            .errors = needs_.errors,
            .lookahead = lookahead_,
            .deliver =
                [this](uint64_t id, std::string reply) {
                  post_to(id, [text = std::move(reply)](Session& session) mutable {
                    session.unblock(std::move(text));
                  });
                },
            .held_back = [this](Session& session) { held_back_.push_back(session.id); },
            .client_memory = &needs_.client_memory},
      tick_(loop_, [this] { every_tick(); }) {
  tick_.every_ms(kTickMs);
}

Worker::~Worker() { CHECK(!thread_.joinable(), "a worker is joined before it is destroyed"); }

Result<void> Worker::start(size_t number) {
  const std::string name = "worker-" + std::to_string(number);
  host_.trail = &trail_.emplace(name);
  auto thread = Thread::start(name, [this] { loop_.run(); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  return {};
}

void Worker::join() { thread_.join(); }

void Worker::adopt(AcceptedSocket socket, uint64_t client_id) {
  {
    const Guard guard(arrivals_lock_);
    arrivals_.push_back({std::move(socket), client_id});
  }
  loop_.post([this] { welcome_all(); });
}

void Worker::welcome_all() {
  std::vector<Arrival> arrivals;
  {
    const Guard guard(arrivals_lock_);
    arrivals.swap(arrivals_);
  }
  for (Arrival& arrival : arrivals) welcome(std::move(arrival));
}

void Worker::welcome(Arrival arrival) {
  auto adopted = network_.adopt(std::move(arrival.socket));
  if (!adopted) {
    log_verbose("Error accepting a client connection: {}", adopted.error().text);
    return;
  }
  std::unique_ptr<ByteStream> stream = std::move(*adopted);
  if (const Bytes refusal = refusal_of(*stream); !refusal.empty()) {
    stream->try_write(refusal);
    counters_.rejected_connections.add(1);
    return;
  }
  stream->set_keepalive(static_cast<int>(needs_.options.network.tcp_keepalive_seconds.get()));
  auto card = make_card(*stream, arrival.client_id);
  auto session = std::make_unique<Session>(host_, std::move(stream), card, scope_.token());
  needs_.access.admit(*session);
  sessions_[card->id] = session.get();
  needs_.clients.add(card);
  counters_.connections.add(1);
  scope_.spawn(serve(std::move(session)));
}

Bytes Worker::refusal_of(const ByteStream& stream) const {
  const NetworkOptions& options = needs_.options.network;
  if (needs_.clients.count() >= static_cast<size_t>(options.clients_max.get())) {
    return kTooManyClients;
  }
  if (options.protected_mode.get() && !stream.peer().is_local() &&
      needs_.access.users().default_user().user->has_any_password()) {
    return kProtected;
  }
  return {};
}

std::shared_ptr<ClientCard> Worker::make_card(const ByteStream& stream, uint64_t client_id) {
  auto card = make_client_card(stream, client_id, loop_.clock().monotonic_ms());
  card->wake = [this, id = card->id] { post_to(id, [](Session& session) { session.attend(); }); };
  // The card holds its inbox.
  card->inbox.open({.options = &needs_.options.network,
                    .wake = card->wake,
                    .overflow = [this, own = card.get()] { needs_.clients.kill(*own); }});
  return card;
}

// However the session ends, also with its worker.
class Worker::Listing {
 public:
  Listing(Worker& worker, std::shared_ptr<ClientCard> card)
      : worker_(worker), card_(std::move(card)) {}
  ~Listing() {
    worker_.sessions_.erase(card_->id);
    worker_.needs_.clients.remove(*card_);
  }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

 private:
  Worker& worker_;
  std::shared_ptr<ClientCard> card_;
};

Task<void> Worker::serve(std::unique_ptr<Session> session) {
  const Listing listing(*this, session->card());
  co_await session->run();
}

void Worker::post_to(uint64_t id, std::function<void(Session&)> act) {
  loop_.post([this, id, call = std::move(act)] {
    const auto found = sessions_.find(id);
    if (found != sessions_.end()) call(*found->second);
  });
}

// It may cost a tenth of the time, however many they are.
void Worker::hear_others() {
  const Clock& clock = loop_.clock();
  const int64_t start_ms = clock.monotonic_ms();
  if (start_ms < next_hearing_ms_) return;
  welcome_all();
  std::vector<Session*> sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) sessions.push_back(session);
  // None of them ends in here: that is a turn of the loop.
  for (Session* session : sessions) session->hear();
  const int64_t end_ms = clock.monotonic_ms();
  next_hearing_ms_ = end_ms + std::max(kHearPeriodMs, (end_ms - start_ms) * 10);
}

void Worker::resume_held_back() {
  loop_.post([this] {
    for (const uint64_t id : std::exchange(held_back_, {})) {
      const auto found = sessions_.find(id);
      if (found != sessions_.end()) found->second->resume();
    }
  });
}

void Worker::look_at_log() {
  executor_.end_turn();
  const uint64_t end = needs_.engine.log.end();
  if (end == log_end_seen_) return;
  log_end_seen_ = end;
  if (needs_.log_moved) needs_.log_moved();
}

void Worker::go_on_evicting() {
  loop_.post([this] { evict_some(); });
}

void Worker::evict_some() {
  if (executor_.evict_some()) return go_on_evicting();
  needs_.engine.memory.helped();
}

void Worker::every_tick() {
  if (needs_.engine.gate.is(Gate::kPeriodicWorkOff)) return;
  executor_.begin_batch();
  if (needs_.expires) {
    const bool busy = expired_at_last_tick_ >= kExpiredMany;
    expired_at_last_tick_ = executor_.expire_some(busy ? kExpireBusyBudgetUs : kExpireBudgetUs);
    if (needs_.engine.memory.may_be_exceeded()) needs_.engine.memory.want_help();
  }
  const int64_t now_ms = loop_.clock().monotonic_ms();
  if (now_ms - limits_checked_ms_ < kLimitsPeriodMs) return;
  limits_checked_ms_ = now_ms;
  for (const auto& [id, session] : sessions_) session->check_limits(now_ms);
}

}  // namespace tandem
