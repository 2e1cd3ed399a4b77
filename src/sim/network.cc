#include "sim/network.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "io/address.h"
#include "io/event.h"
#include "sim/stream.h"

namespace tandem {
namespace {

constexpr int64_t kSameHostLatencyUsMax = 30;

std::pair<std::string, std::string> ordered(const std::string& a, const std::string& b) {
  return a < b ? std::pair(a, b) : std::pair(b, a);
}

}  // namespace

void SimWire::partition(const std::string& a, const std::string& b) {
  world_.note("partition " + a + " " + b);
  blocked_.insert(ordered(a, b));
}

void SimWire::heal(const std::string& a, const std::string& b) {
  world_.note("heal " + a + " " + b);
  blocked_.erase(ordered(a, b));
}

void SimWire::isolate(const std::string& a) {
  world_.note("isolate " + a);
  isolated_.insert(a);
}

void SimWire::heal_all() {
  world_.note("heal all");
  blocked_.clear();
  isolated_.clear();
}

bool SimWire::blocked(const std::string& a, const std::string& b) const {
  if (a == b) return false;
  return isolated_.contains(a) || isolated_.contains(b) || blocked_.contains(ordered(a, b));
}

std::vector<std::shared_ptr<SimEnd>> SimWire::ends_between(const std::string& a,
                                                           const std::string& b) {
  std::vector<std::shared_ptr<SimEnd>> found;
  for (const auto& weak : ends_) {
    auto end = weak.lock();
    if (!end || end->closed()) continue;
    const std::string& here = end->host_address();
    const std::string& there = end->peer_host_address();
    if ((here == a && there == b) || (here == b && there == a)) found.push_back(std::move(end));
  }
  return found;
}

void SimWire::reset_connections(const std::string& a, const std::string& b) {
  world_.note("reset " + a + " " + b);
  for (const auto& end : ends_between(a, b)) end->break_now("Connection reset by peer");
}

void SimWire::drop_silently(const std::string& a, const std::string& b) {
  world_.note("drop " + a + " " + b);
  for (const auto& end : ends_between(a, b)) end->sever();
}

size_t SimWire::connection_count(const std::string& a, const std::string& b) {
  return ends_between(a, b).size();
}

void SimWire::add_host(SimHost& host) { hosts_.push_back(&host); }

void SimWire::remove_host(SimHost& host) { std::erase(hosts_, &host); }

SimHost* SimWire::find_host(const std::string& name) const {
  for (SimHost* host : hosts_) {
    if (host->address() == name || host->name() == name) return host;
  }
  return nullptr;
}

void SimWire::add_end(const std::shared_ptr<SimEnd>& end) {
  std::erase_if(ends_, [](const auto& weak) { return weak.expired(); });
  ends_.push_back(end);
}

int64_t SimWire::latency_us(const std::string& from, const std::string& to) {
  if (from == to) return world_.between(1, kSameHostLatencyUsMax);
  return world_.between(options_.latency_us_min, options_.latency_us_max);
}

size_t SimWire::perhaps_part(size_t size) {
  if (size < 2 || options_.partial_one_in == 0) return size;
  if (world_.chance().below(options_.partial_one_in) != 0) return size;
  return 1 + world_.chance().below(size);
}

// A connection attempt is a packet that arrives after the latency: at a machine that is down or cut
// off it is sent again each second; without a listener the refusal travels back; else both ends
// come into being, the listener's at once and the connecting side's after the way back.
class SimListener final : public Listener, private SimSource {
 public:
  SimListener(SimHost& host, SimLoop& loop, std::string key, Address local, size_t backlog_max)
      : host_(host),
        loop_(loop),
        key_(std::move(key)),
        local_(std::move(local)),
        backlog_max_(backlog_max) {}
  ~SimListener() override { close(); }

  Task<Result<AcceptedSocket>> accept(StopToken stop) override {
    for (;;) {
      if (closed_) co_return fail(ErrorCode::kCancelled, "the listener was closed");
      if (!backlog_.empty()) {
        std::shared_ptr<SimEnd> end = std::move(backlog_.front());
        backlog_.pop_front();
        co_return host_.park(std::move(end));
      }
      if (auto waited = co_await arrived_.wait(stop); !waited) {
        co_return std::unexpected(waited.error());
      }
    }
  }

  void close() override {
    if (std::exchange(closed_, true)) return;
    host_.remove_listener(key_, *this);
    for (const auto& end : backlog_) end->close();
    backlog_.clear();
    loop_.kick(*this);
  }
  const Address& local() const override { return local_; }

  bool full() const { return backlog_.size() >= backlog_max_; }
  void arrive(std::shared_ptr<SimEnd> end) {
    backlog_.push_back(std::move(end));
    loop_.kick(*this);
  }

 private:
  void on_ready() override { arrived_.notify(); }

  SimHost& host_;
  SimLoop& loop_;
  std::string key_;
  Address local_;
  size_t backlog_max_;
  Event arrived_{loop_};
  std::deque<std::shared_ptr<SimEnd>> backlog_;
  bool closed_ = false;
};

namespace {

constexpr int64_t kSynRetryUs = 1'000'000;

// What a task that connects waits for. The world's events hold it weakly: it goes with the task.
struct Attempt {
  explicit Attempt(SimLoop& process_loop) : loop(process_loop), decided(process_loop) {}
  SimLoop& loop;
  Event decided;
  std::shared_ptr<SimEnd> end;
  std::optional<Error> error;

  void decide() {
    decided.notify();
    loop.kick();
  }
};

struct Way {
  SimHost* from;
  std::string to;   // the host's address
  std::string key;  // of the listener there
  Address local;    // as the connecting side sees it
  Address peer;
};

void finish_connect(SimWire& wire, const Way& way, std::weak_ptr<Attempt> weak,
                    std::shared_ptr<SimEnd> end) {
  auto attempt = weak.lock();
  if (!attempt) return end->close();
  if (wire.blocked(way.from->address(), way.to)) {
    wire.world().schedule_after_us(wire.options().retransmit_ms * 1000, [&wire, way, weak, end] {
      finish_connect(wire, way, weak, end);
    });
    return;
  }
  attempt->end = std::move(end);
  attempt->decide();
}

void arrive_at_host(SimWire& wire, const Way& way, std::weak_ptr<Attempt> weak) {
  auto attempt = weak.lock();
  if (!attempt) return;
  SimWorld& world = wire.world();
  const std::string& from = way.from->address();
  SimHost* target = wire.find_host(way.to);
  const bool reachable = target && target->running() && !wire.blocked(from, way.to);
  SimListener* listener = reachable ? target->find_listener(way.key) : nullptr;
  if (!reachable || (listener && listener->full())) {
    world.schedule_after_us(kSynRetryUs, [&wire, way, weak] { arrive_at_host(wire, way, weak); });
    return;
  }
  if (!listener) {
    world.schedule_after_us(wire.latency_us(way.to, from), [weak] {
      auto refused = weak.lock();
      if (!refused) return;
      refused->error = Error{ErrorCode::kIo, "Connection refused"};
      refused->decide();
    });
    return;
  }
  world.note(fmt::format("{} > {} connected", way.local.text(), way.peer.text()));
  auto near = std::make_shared<SimEnd>(wire, SimEnd::Route{from, way.to}, way.local, way.peer);
  auto far = std::make_shared<SimEnd>(wire, SimEnd::Route{way.to, from}, way.peer, way.local);
  SimEnd::join(near, far);
  way.from->add_end(near);
  target->add_end(far);
  listener->arrive(std::move(far));
  world.schedule_after_us(wire.latency_us(way.to, from),
                          [&wire, way, weak, near] { finish_connect(wire, way, weak, near); });
}

Task<Result<std::unique_ptr<ByteStream>>> connect_on(Way way, SimLoop& loop, StopToken stop) {
  SimWire& wire = way.from->wire();
  auto attempt = std::make_shared<Attempt>(loop);
  wire.world().schedule_after_us(
      wire.latency_us(way.from->address(), way.to),
      [&wire, way, weak = std::weak_ptr(attempt)] { arrive_at_host(wire, way, weak); });
  auto waited = co_await attempt->decided.wait(stop);
  if (!waited) co_return std::unexpected(waited.error());
  if (attempt->error) co_return std::unexpected(std::move(*attempt->error));
  co_return std::make_unique<SimStream>(loop, std::move(attempt->end), wire.take_descriptor());
}

std::string tcp_key(uint16_t port) { return fmt::format("tcp:{}", port); }

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

SimHost::SimHost(SimWire& wire, std::string address, std::string name)
    : wire_(wire), address_(std::move(address)), name_(std::move(name)) {
  wire_.add_host(*this);
}

SimHost::~SimHost() { wire_.remove_host(*this); }

void SimHost::crash(bool reset_connections) {
  for (const auto& weak : ends_) {
    if (auto end = weak.lock()) end->crash(reset_connections);
  }
  ends_.clear();
}

bool SimHost::add_listener(const std::string& key, SimListener& listener) {
  return listeners_.emplace(key, &listener).second;
}

void SimHost::remove_listener(const std::string& key, const SimListener& listener) {
  auto found = listeners_.find(key);
  if (found != listeners_.end() && found->second == &listener) listeners_.erase(found);
}

SimListener* SimHost::find_listener(const std::string& key) const {
  auto found = listeners_.find(key);
  return found == listeners_.end() ? nullptr : found->second;
}

uint16_t SimHost::take_port() {
  do {
    next_port_ = next_port_ == UINT16_MAX ? 40'000 : next_port_ + 1;
  } while (listeners_.contains(tcp_key(next_port_)));
  return next_port_;
}

void SimHost::add_end(const std::shared_ptr<SimEnd>& end) {
  std::erase_if(ends_, [](const auto& weak) { return weak.expired(); });
  ends_.push_back(end);
}

AcceptedSocket SimHost::park(std::shared_ptr<SimEnd> end) {
  const int descriptor = wire_.take_descriptor();
  parked_.emplace(descriptor, std::move(end));
  return AcceptedSocket(descriptor, *this);
}

std::shared_ptr<SimEnd> SimHost::unpark(int descriptor) {
  auto node = parked_.extract(descriptor);
  CHECK(!node.empty(), "an accepted socket is adopted on its own machine");
  return std::move(node.mapped());
}

void SimHost::close_socket(int descriptor) const {
  auto node = parked_.extract(descriptor);
  if (!node.empty()) node.mapped()->close();
}

Result<std::unique_ptr<Listener>> SimNetwork::listen(const std::string& address, uint16_t port,
                                                     int backlog) {
  if (port == 0) port = host_.take_port();
  Address local{is_numeric(address) ? address : host_.address(), port, false};
  auto listener = std::make_unique<SimListener>(host_, loop_, tcp_key(port), std::move(local),
                                                static_cast<size_t>(backlog));
  if (!host_.add_listener(tcp_key(port), *listener)) {
    return fail(ErrorCode::kIo, "bind: Address already in use");
  }
  return listener;
}

Result<std::unique_ptr<Listener>> SimNetwork::listen_unix(const std::string& path, unsigned,
                                                          int backlog) {
  const std::string key = "unix:" + path;
  auto listener = std::make_unique<SimListener>(host_, loop_, key, Address{path, 0, true},
                                                static_cast<size_t>(backlog));
  // An old file of that name is replaced.
  if (SimListener* old = host_.find_listener(key)) host_.remove_listener(key, *old);
  host_.add_listener(key, *listener);
  return listener;
}

Result<std::unique_ptr<ByteStream>> SimNetwork::adopt(AcceptedSocket socket) {
  const int descriptor = socket.release();
  return std::make_unique<SimStream>(loop_, host_.unpark(descriptor), descriptor);
}

Task<Result<std::unique_ptr<ByteStream>>> SimNetwork::connect(std::string host, uint16_t port,
                                                              ConnectOptions options,
                                                              StopToken stop) {
  Deadline deadline(loop_, options.timeout_ms, stop);
  SimHost* target = is_loopback(host) ? &host_ : host_.wire().find_host(host);
  if (!target && !is_numeric(host)) {
    if (auto asked = co_await loop_.sleep_ms(1, deadline.token()); !asked) {
      co_return std::unexpected(asked.error());
    }
    co_return fail(ErrorCode::kIo, "Name or service not known");
  }
  Way way{&host_, target ? target->address() : host, tcp_key(port), {}, {}};
  way.local = {is_loopback(host) ? "127.0.0.1" : host_.address(), host_.take_port(), false};
  way.peer = {is_loopback(host) ? "127.0.0.1" : way.to, port, false};
  co_return co_await connect_on(std::move(way), loop_, deadline.token());
}

Task<Result<std::unique_ptr<ByteStream>>> SimNetwork::connect_unix(std::string path,
                                                                   StopToken stop) {
  const Address address{path, 0, true};
  co_return co_await connect_on({&host_, host_.address(), "unix:" + path, address, address}, loop_,
                                stop);
}

}  // namespace tandem
