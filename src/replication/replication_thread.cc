#include "replication/replication_thread.h"

#include "base/check.h"
#include "base/thread.h"

namespace tandem {

ReplicationThread::~ReplicationThread() {
  CHECK(!thread_.joinable(), "the replication thread is stopped before it is destroyed");
}

void ReplicationThread::start(ReplicationControl& control) {
  thread_ = std::thread([this, &control] {
    name_thread("replication");
    scope_.spawn(serve(control, scope_.token()));
    loop_.run();
  });
}

void ReplicationThread::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { scope_.request_stop(); });
  thread_.join();
}

Task<void> ReplicationThread::serve(ReplicationControl& control, StopToken stop) {
  co_await control.run(stop);
  loop_.stop();
}

}  // namespace tandem
