// Listens where `bind`, `port` and `unixsocket` say and deals the connections to the workers in
// turn. Confined to its loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/options.h"
#include "io/network.h"
#include "io/task.h"

namespace tandem {

class Acceptor {
 public:
  using Deal = std::function<void(AcceptedSocket)>;

  // `deal` hands a connection to a worker. Loop and network outlive this.
  Acceptor(Loop& loop, Network& network, const NetworkOptions& options, Deal deal);
  ~Acceptor();

  // Listens on everything that is configured now, in place of what was listened on; after an error
  // on nothing. That may be nothing at all: no address, or none that this machine has.
  Result<void> listen();
  // The Unix socket; configured at start only.
  Result<void> listen_unix();
  bool listens_on_tcp() const { return !tcp_.empty(); }
  bool listens_on_unix() const { return unix_ != nullptr; }
  bool is_listening() const { return listens_on_tcp() || listens_on_unix(); }
  void close();

 private:
  struct Listening {
    std::unique_ptr<Listener> listener;
    // Declared last: the task ends before its listener does.
    Scope scope;
  };

  Task<void> accept_all(Listener& listener, StopToken stop);
  std::unique_ptr<Listening> start(std::unique_ptr<Listener> listener);

  Loop& loop_;
  Network& network_;
  const NetworkOptions& options_;
  Deal deal_;
  std::vector<std::unique_ptr<Listening>> tcp_;
  std::unique_ptr<Listening> unix_;
};

}  // namespace tandem
