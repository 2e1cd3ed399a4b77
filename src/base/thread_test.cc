#include "base/thread.h"

#include <thread>

#include <gtest/gtest.h>
#include <pthread.h>

namespace tandem {
namespace {

TEST(ThreadTest, HasANameOfUpToFifteenBytes) {
  char name[16] = {};
  std::thread([&name] {
    name_thread("a name of nineteen.");
    pthread_getname_np(pthread_self(), name, sizeof name);
  }).join();
  EXPECT_STREQ(name, "a name of ninet");
}

}  // namespace
}  // namespace tandem
