#include "base/thread.h"

#include <ctime>

#include <pthread.h>
#include <sched.h>

namespace tandem {
namespace {

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
