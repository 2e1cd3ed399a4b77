// Mechanism: a thread that does nothing else takes the requests one by one. The order of the steps
// is what keeps acknowledged writes: first writes are held back, then replicas may catch up, then
// every stripe is taken once (whatever was let in before is done then), the log is closed behind
// it, and only then the file is written. A request that fails opens all of it again.
#include "server/persistence/shutdown.h"

#include <chrono>
#include <utility>

#include "base/logging.h"

namespace tandem {

namespace {

constexpr int64_t kLooksPerSecond = 20;
constexpr int64_t kMsPerLook = 1000 / kLooksPerSecond;

}  // namespace

Shutdown::~Shutdown() {
  abort();
  {
    const std::lock_guard guard(requests_lock_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<void> Shutdown::prepare() {
  auto thread = Thread::start("shutdown", [this] { run(); });
  if (!thread) return std::unexpected(thread.error());
  thread_ = std::move(*thread);
  return {};
}

void Shutdown::run() {
  std::unique_lock guard(requests_lock_);
  for (;;) {
    changed_.wait(guard, [this] { return ending_ || !requests_.empty(); });
    if (ending_) return;
    const Request request = std::move(requests_.front());
    requests_.pop_front();
    serving_ = true;
    guard.unlock();
    serve(request);
    guard.lock();
    serving_ = false;
  }
}

void Shutdown::serve(const Request& request) {
  log_warning("User requested shutdown...");
  const bool goes_on = request.wait == nullptr || wait_for_replicas(request);
  const auto ended =
      goes_on ? end(request.how) : fail(ErrorCode::kCancelled, "the shutdown was aborted");
  request.done(ended);
  if (request.wait == nullptr) return;
  for (const Done& done : request.wait->others) done(ended);
}

// Before any wait: another shutdown may wait for a script.
void Shutdown::drop_if_asked(int how) {
  if ((how & kShutdownNoSave) == 0) return;
  dropping_.store(true);
  parts_.stop_scripts();
}

Result<void> Shutdown::begin(int how) {
  log_warning("User requested shutdown...");
  return end(how);
}

Result<void> Shutdown::end(int how) {
  const bool drop = (how & kShutdownNoSave) != 0;
  drop_if_asked(how);
  const std::lock_guard guard(lock_);
  if (over_) return {};
  parts_.begins();
  // What is loaded only in part must not replace the file that it comes from.
  const bool loading = parts_.gate.is(Gate::kDatasetLoading);
  const bool save =
      !loading && !drop && ((how & kShutdownSave) != 0 || parts_.persistence.has_save_points());
  // What is answered from here on is not in the file any more: so nothing is.
  parts_.pauses.begin(PauseReason::kShutdown, PauseKind::kWrites);
  // A script goes on to its end, so that the file and the replicas get the whole of it.
  parts_.end_commands();
  SnapshotTurn::Held turn = parts_.snapshot_turn.take_over();
  parts_.file_load.give_up();
  if (save && !dropping_.load()) {
    log_notice("Saving the final RDB snapshot before exiting.");
    if (auto saved = parts_.persistence.save(std::move(turn));
        !saved && (how & kShutdownForce) == 0) {
      log_warning("Error trying to save the DB, can't exit: {}", saved.error().text);
      parts_.journal.reopen();
      parts_.pauses.end(PauseReason::kShutdown);
      return saved;
    }
  }
  over_ = true;
  parts_.leave();
  return {};
}

bool Shutdown::must_wait(int how) const {
  // Who asks may be heard by the script's own thread.
  if ((how & kShutdownNoSave) != 0 && parts_.gate.is(Gate::kBusyScript)) return true;
  return must_wait_for_replicas(how);
}

bool Shutdown::must_wait_for_replicas(int how) const {
  if ((how & kShutdownNow) != 0 || parts_.timeout_seconds.get() <= 0) return false;
  return parts_.replicas.acknowledged().count(parts_.log.end()) < parts_.replicas.count();
}

void Shutdown::start(int how, Done done) {
  std::unique_lock guard(requests_lock_);
  if (wait_ != nullptr) return wait_->others.push_back(std::move(done));
  if (must_wait_for_replicas(how)) wait_ = std::make_shared<Wait>();
  const bool waits = wait_ != nullptr;
  requests_.push_back({how, std::move(done), wait_});
  changed_.notify_one();
  guard.unlock();
  if (!waits || parts_.gate.is(Gate::kBusyScript)) drop_if_asked(how);
}

bool Shutdown::in_progress() {
  const std::lock_guard guard(requests_lock_);
  return serving_ || !requests_.empty();
}

bool Shutdown::abort() {
  const std::lock_guard guard(requests_lock_);
  if (wait_ == nullptr) return false;
  const std::lock_guard wait_guard(wait_->lock);
  wait_->aborted = true;
  wait_->changed.notify_all();
  return true;
}

void Shutdown::log_waiting_for() const {
  const uint64_t end = parts_.log.end();
  for (const auto& replica : parts_.replicas.list()) {
    const uint64_t has = replica->acknowledged.load();
    if (has >= end) continue;
    log_warning("The replica {}:{} has not caught up in time: it lacks {} bytes of the stream.",
                replica->ip, replica->port, end - has);
  }
}

// False: aborted. Writes stay paused otherwise, so that what the replicas have is all there is.
bool Shutdown::wait_for_replicas(const Request& request) {
  parts_.begins();
  parts_.pauses.begin(PauseReason::kShutdown, PauseKind::kWrites);
  const std::shared_ptr<Wait> wait = request.wait;
  log_notice("Waiting for replicas before shutting down.");
  bool aborted;
  {
    std::unique_lock guard(wait->lock);
    // Looked at again and again, for a replica may also go, or another come.
    int64_t looks_left = parts_.timeout_seconds.get() * kLooksPerSecond;
    while (!wait->aborted && looks_left > 0 && must_wait_for_replicas(request.how)) {
      waits_ms_.store(looks_left * kMsPerLook);
      wait->changed.wait_for(guard, std::chrono::milliseconds(kMsPerLook));
      --looks_left;
    }
    waits_ms_.store(-1);
    aborted = wait->aborted;
    if (looks_left == 0) log_waiting_for();
  }
  const std::lock_guard guard(requests_lock_);
  wait_ = nullptr;
  if (aborted) parts_.pauses.end(PauseReason::kShutdown);
  return !aborted;
}

}  // namespace tandem
