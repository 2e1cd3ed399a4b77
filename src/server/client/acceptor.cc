#include "server/client/acceptor.h"

#include <utility>

#include <fmt/format.h>

#include "base/logging.h"
#include "io/loop.h"

namespace tandem {
namespace {

constexpr int64_t kRetryMs = 100;  // when the system has no descriptor left for a connection

// "*" and "-::*" as in `bind`: a leading minus marks an address that may be missing on this
// machine.
struct BindAddress {
  std::string address;
  bool optional;
};

BindAddress parse_bind(const std::string& word) {
  const bool optional = word.starts_with('-');
  return {optional ? word.substr(1) : word, optional};
}

}  // namespace

Acceptor::Acceptor(Loop& loop, Network& network, const NetworkOptions& options, Deal deal)
    : loop_(loop), network_(network), options_(options), deal_(std::move(deal)) {}

Acceptor::~Acceptor() = default;

Result<void> Acceptor::listen() {
  const auto port = static_cast<uint16_t>(options_.port.get());
  const auto backlog = static_cast<int>(options_.tcp_backlog.get());
  tcp_.clear();
  std::vector<std::unique_ptr<Listener>> opened;
  if (port == 0) return {};
  for (const std::string& word : options_.bind.get()) {
    const BindAddress bind = parse_bind(word);
    auto listener = network_.listen(bind.address, port, backlog);
    if (!listener) {
      log_warning("Warning: Could not create server TCP listening socket {}:{}: {}", bind.address,
                  port, listener.error().text);
      if (bind.optional) continue;
      return fail(ErrorCode::kIo,
                  fmt::format("{}:{}: {}", bind.address, port, listener.error().text));
    }
    opened.push_back(std::move(*listener));
  }
  for (auto& listener : opened) tcp_.push_back(start(std::move(listener)));
  return {};
}

Result<void> Acceptor::listen_unix() {
  const std::string path = options_.unix_socket.get();
  if (path.empty()) return {};
  auto listener =
      network_.listen_unix(path, static_cast<unsigned>(options_.unix_socket_permissions.get()),
                           static_cast<int>(options_.tcp_backlog.get()));
  if (!listener) {
    return fail(ErrorCode::kIo,
                fmt::format("Failed opening Unix socket {}: {}", path, listener.error().text));
  }
  unix_ = start(std::move(*listener));
  return {};
}

void Acceptor::close() {
  tcp_.clear();
  unix_.reset();
}

std::unique_ptr<Acceptor::Listening> Acceptor::start(std::unique_ptr<Listener> listener) {
  auto listening = std::make_unique<Listening>();
  listening->listener = std::move(listener);
  listening->scope.spawn(accept_all(*listening->listener, listening->scope.token()));
  return listening;
}

Task<void> Acceptor::accept_all(Listener& listener, StopToken stop) {
  while (true) {
    auto socket = co_await listener.accept(stop);
    if (socket) {
      deal_(std::move(*socket));
      continue;
    }
    if (socket.error().code != ErrorCode::kIo) co_return;
    log_warning("Accepting client connection: {}", socket.error().text);
    if (!co_await loop_.sleep_ms(kRetryMs, stop)) co_return;
  }
}

}  // namespace tandem
