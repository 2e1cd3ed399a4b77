#include "migration/transfers.h"

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"

namespace tandem {

Transfers::~Transfers() {
  CHECK(!thread_.joinable(), "the transfers' thread is stopped before they are destroyed");
}

Result<void> Transfers::start() {
  auto thread = Thread::start("transfers", [this] { loop_.run(); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  has_thread_ = true;
  return {};
}

// What was begun before is in the loop's hands before the order to stop it is.
void Transfers::refuse(bool on) {
  {
    const Guard guard(lock_);
    refuses_ = on;
  }
  if (on) loop_.post([this] { stop_running(); });
}

// They leave the list later, in a turn of the loop.
void Transfers::stop_running() {
  IntrusiveList<Running> stopped;
  stopped.take(running_);
  while (!stopped.empty()) {
    Running& one = stopped.pop_front();
    running_.push_back(one);
    one.stop.request();
  }
}

void Transfers::stop() {
  if (!thread_.joinable()) return;
  refuse(true);
  loop_.post([this] {
    scope_.request_stop();
    ending_.spawn(end());
  });
  thread_.join();
}

Task<void> Transfers::end() {
  co_await scope_.join();
  loop_.stop();
}

void Transfers::begin(TransferOrder order, Done done) {
  {
    const Guard guard(lock_);
    if (!refuses_) {
      return loop_.post([this, work = std::move(order), tell = std::move(done)]() mutable {
        scope_.spawn(run(std::move(work), std::move(tell)));
      });
    }
  }
  done({.arrived = std::vector<bool>(order.items.size()), .error = std::string(kNotWritten)});
}

Task<void> Transfers::run(TransferOrder order, Done done) {
  Running running(scope_.token());
  running_.push_back(running);
  done(co_await transfer(loop_, network_, std::move(order), running.stop.token()));
}

TransferOutcome Transfers::wait_for(TransferOrder order) {
  CHECK(has_thread_, "who waits for a transfer is not its thread");
  struct Answer {
    std::atomic<bool> there{false};
    TransferOutcome outcome;
  };
  const auto answer = std::make_shared<Answer>();
  begin(std::move(order), [answer](TransferOutcome outcome) {
    answer->outcome = std::move(outcome);
    answer->there.store(true, std::memory_order_release);
    answer->there.notify_all();
  });
  answer->there.wait(false, std::memory_order_acquire);
  return std::move(answer->outcome);
}

}  // namespace tandem
