#include "base/thread.h"

#include <ctime>

#include <pthread.h>

namespace tandem {
namespace {

constexpr size_t kNameBytesMax = 15;
constexpr timespec kMoment{.tv_sec = 0, .tv_nsec = 20'000};

}  // namespace

// Best effort, both: a thread without a name works as well, and a moment may end early.
void name_thread(const std::string& name) {
  (void)pthread_setname_np(pthread_self(), name.substr(0, kNameBytesMax).c_str());
}

void give_way() { (void)nanosleep(&kMoment, nullptr); }

}  // namespace tandem
