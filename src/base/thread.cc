#include "base/thread.h"

#include <ctime>
#include <memory>
#include <system_error>
#include <utility>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crash_log.h"

namespace tandem {
namespace {

struct Begin {
  std::string name;
  std::move_only_function<void()> run;
};

void* run_thread(void* argument) {
  const std::unique_ptr<Begin> begin(static_cast<Begin*>(argument));
  name_thread(begin->name);
  const CrashStack stack;
  begin->run();
  return nullptr;
}

constexpr size_t kNameBytesMax = 15;
constexpr int64_t kWorkUs = 500;
constexpr timespec kMoment{.tv_sec = 0, .tv_nsec = 20'000};

void set_policy(int policy) {
  const sched_param none{};
  (void)sched_setscheduler(0, policy, &none);  // 0: the calling thread
}

}  // namespace

// All is best effort: a thread without a name works as well, and a moment may end early.
void name_thread(const std::string& name) {
  (void)pthread_setname_np(pthread_self(), name.substr(0, kNameBytesMax).c_str());
}

void give_way_to_others() {
  constexpr int kLeast = 19;
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLeast);
}

Thread::Thread(Thread&& other) noexcept
    : running_(std::exchange(other.running_, false)), id_(other.id_) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  CHECK(!running_, "a thread is joined before another takes its place");
  running_ = std::exchange(other.running_, false);
  id_ = other.id_;
  return *this;
}

Thread::~Thread() { CHECK(!running_, "a thread is joined before it is destroyed"); }

Result<Thread> Thread::start(std::string name, std::move_only_function<void()> run) {
  auto begin = std::make_unique<Begin>(std::move(name), std::move(run));
  pthread_t id;
  if (const int failed = ::pthread_create(&id, nullptr, run_thread, begin.get()); failed != 0) {
    return fail(ErrorCode::kLimit, "the thread '" + begin->name + "' cannot be had: " +
                                       std::generic_category().message(failed));
  }
  (void)begin.release();
  return Thread(id);
}

void Thread::join() {
  if (!std::exchange(running_, false)) return;
  ::pthread_join(id_, nullptr);
}

void Breather::take_at_times() {
  if (clock_.monotonic_us() - last_us_ < kWorkUs) return;
  // A batch thread that wakes does not push aside who has the processor by then.
  const bool usual = sched_getscheduler(0) == SCHED_OTHER;
  if (usual) set_policy(SCHED_BATCH);
  (void)nanosleep(&kMoment, nullptr);
  if (usual) set_policy(SCHED_OTHER);
  last_us_ = clock_.monotonic_us();
}

}  // namespace tandem
