#include "replication/replication_thread.h"

#include <utility>

#include "base/check.h"

namespace tandem {

ReplicationThread::~ReplicationThread() {
  CHECK(!thread_.joinable(), "the replication thread is stopped before it is destroyed");
}

Result<void> ReplicationThread::start() {
  auto thread = Thread::start("replication", [this] { loop_.run(); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  return {};
}

void ReplicationThread::begin(ReplicationControl& control) {
  loop_.post([this, &control] {
    serving_ = true;
    scope_.spawn(serve(control, scope_.token()));
  });
}

void ReplicationThread::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    scope_.request_stop();
    if (!serving_) loop_.stop();
  });
  thread_.join();
}

Task<void> ReplicationThread::serve(ReplicationControl& control, StopToken stop) {
  co_await control.run(stop);
  loop_.stop();
}

}  // namespace tandem
