// A large command leaves nothing behind but what it has stored: no buffer of its executor or client
// stays large. Counted by the allocator, for this thread.
#ifdef TANDEM_JEMALLOC
#include <string>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <jemalloc/jemalloc.h>

#include "engine/test_world.h"

namespace tandem {
namespace {

constexpr int64_t kKeptBytesMax = 256 * 1024;  // all buffers together, with the log's last block
constexpr int kMany = 30'000;

int64_t counted(const char* name) {
  uint64_t value = 0;
  size_t size = sizeof(value);
  EXPECT_EQ(::mallctl(name, &value, &size, nullptr, 0), 0);
  return static_cast<int64_t>(value);
}

class KeptMemory : public testing::Test {
 protected:
  KeptMemory() {
    const std::string text(64 * 1024, 'x');
    for (int i = 0; i < 40; ++i) run({"SET", "k", text});  // the backlog is full
    settle();
    begun_bytes_ = used_bytes();
  }

  void run(std::initializer_list<Bytes> args) { world_.run(client_, args); }
  void run_many(Bytes name) {
    for (int i = 0; i < kMany; ++i) run({name, fmt::format("key:{}", i), "v"});
  }
  // Throws away what is stored, and goes on a little.
  void settle() {
    run({"FLUSH"});
    run({"SET", "k", "v"});
    (void)world_.logged();
    (void)world_.log.trim(world_.clock.monotonic_us() / 1000);
  }
  int64_t grown_bytes() {
    settle();
    return used_bytes() - begun_bytes_;
  }

  World world_;
  Client client_;

 private:
  static int64_t used_bytes() {
    return counted("thread.allocated") - counted("thread.deallocated");
  }

  int64_t begun_bytes_ = 0;
};

TEST_F(KeptMemory, OfALongValue) {
  run({"SET", "k", std::string(64 << 20, 'x')});
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

TEST_F(KeptMemory, OfALongTransaction) {
  run({"MULTI"});
  run_many("SET");
  run({"EXEC"});
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

TEST_F(KeptMemory, OfATransactionThatIsDropped) {
  run({"MULTI"});
  run_many("SET");
  run({"DISCARD"});
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

TEST_F(KeptMemory, OfManyValuesReplacedAtOnce) {
  run_many("PUSH");
  run({"MULTI"});
  run_many("SET");
  run({"EXEC"});
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

TEST_F(KeptMemory, OfADatabaseFlushedOften) {
  run({"MULTI"});
  for (int i = 0; i < kMany; ++i) run({"FLUSH"});
  run({"EXEC"});
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

TEST_F(KeptMemory, OfManyWatchedKeysThatChange) {
  constexpr int kWatched = 5000;  // each is compared with all that came before
  for (int i = 0; i < kWatched; ++i) run({"WATCH", fmt::format("key:{}", i)});
  Client other;
  world_.run(other, {"MULTI"});
  for (int i = 0; i < kWatched; ++i) world_.run(other, {"SET", fmt::format("key:{}", i), "v"});
  world_.run(other, {"EXEC"});
  run({"UNWATCH"});
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

TEST_F(KeptMemory, OfManyBlockedClientsServed) {
  for (int i = 0; i < 1000; ++i) {
    run({"BPOP", fmt::format("key:{}", i)});
    client_.waiter = nullptr;
  }
  run({"MULTI"});
  for (int i = 0; i < 1000; ++i) run({"PUSH", fmt::format("key:{}", i), "v"});
  run({"EXEC"});
  EXPECT_EQ(std::exchange(client_.unblocked, {}).size(), 1000);
  EXPECT_LT(grown_bytes(), kKeptBytesMax);
}

}  // namespace
}  // namespace tandem
#endif
