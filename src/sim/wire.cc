#include "sim/wire.h"

#include <algorithm>

#include "sim/end.h"
#include "sim/network.h"

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

}  // namespace tandem
