#include "server/client/client_memory.h"

#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

constexpr int64_t kKib = 1024;

struct ClientMemoryTest : testing::Test {
  void limit(int64_t configured) {
    limit_option.set(configured);
    memory.apply();
  }
  std::shared_ptr<ClientCard> client(int64_t bytes) {
    auto card = std::make_shared<ClientCard>();
    card->id = clients.next_id();
    clients.add(card);
    holds(*card, bytes);
    return card;
  }
  void holds(ClientCard& card, int64_t bytes) {
    card.query_bytes = bytes;
    memory.recount(card);
  }

  Option<int64_t> limit_option = 0;
  ClientRegistry clients{[this](ClientCard& card) { memory.forget(card); }};
  Option<uint64_t> data_limit{0};
  ClientMemory memory{clients, limit_option, data_limit};
};

TEST_F(ClientMemoryTest, WithoutALimitNobodyIsEnded) {
  for (int i = 0; i < 10; ++i) client(1'000'000 * kKib);
  limit(-5);  // of nothing
  EXPECT_EQ(clients.count(), 10u);
}

TEST_F(ClientMemoryTest, TheLargestAreEndedUntilTheRestFits) {
  limit(1000 * kKib);
  const auto small = client(100 * kKib);
  const auto large = client(400 * kKib);
  const auto middle = client(300 * kKib);
  EXPECT_EQ(clients.count(), 3u);
  holds(*small, 500 * kKib);
  EXPECT_TRUE(small->killed) << "also who has made the sum too large";
  EXPECT_EQ(clients.count(), 2u);
  EXPECT_EQ(memory.evicted(), 1);
  const auto another = client(900 * kKib);
  EXPECT_TRUE(another->killed);
  EXPECT_FALSE(large->killed);
  EXPECT_FALSE(middle->killed);
}

TEST_F(ClientMemoryTest, ALimitThatComesLaterCountsWhatIsThere) {
  const auto one = client(600 * kKib);
  const auto two = client(700 * kKib);
  limit(1000 * kKib);
  EXPECT_TRUE(two->killed);
  EXPECT_FALSE(one->killed);
  limit(1);  // too little to say anything: raised
  EXPECT_TRUE(one->killed);
  EXPECT_FALSE(client(ClientMemory::kLimitBytesMin / 2)->killed);
}

TEST_F(ClientMemoryTest, AShareIsOneOfTheMemoryForData) {
  const auto large = client(10 * ClientMemory::kLimitBytesMin);
  limit_option.set(-5);
  memory.apply();
  EXPECT_FALSE(large->killed) << "of no limit it is none";
  data_limit.set(400 * ClientMemory::kLimitBytesMin);
  memory.apply();
  EXPECT_FALSE(large->killed);
  data_limit.set(100 * ClientMemory::kLimitBytesMin);
  memory.apply();
  EXPECT_TRUE(large->killed);
}

TEST_F(ClientMemoryTest, SomeAreLeftAlone) {
  limit(1000 * kKib);
  const auto protected_one = client(0);
  protected_one->set_flag(kClientNoEvict, true);
  holds(*protected_one, 5000 * kKib);
  EXPECT_FALSE(protected_one->killed);
  EXPECT_TRUE(client(1)->killed) << "it counts all the same";
  protected_one->set_flag(kClientNoEvict, false);
  memory.recount(*protected_one);
  EXPECT_TRUE(protected_one->killed);
  for (const ClientFlag flag : {kClientReplica, kClientPrimary}) {
    const auto other = client(0);
    other->set_flag(flag, true);
    holds(*other, 5000 * kKib);
    EXPECT_FALSE(other->killed);
    EXPECT_FALSE(client(1)->killed);
  }
}

TEST_F(ClientMemoryTest, WhoIsEndedCountsNoMore) {
  limit(1000 * kKib);
  const auto gone = client(900 * kKib);
  clients.kill(*gone);
  holds(*gone, 900 * kKib);  // its session has not heard of it
  EXPECT_FALSE(client(900 * kKib)->killed);
}

// Workers count their clients, evict those of others and count all anew, at the same time: what
// nobody holds any more is counted nowhere.
TEST_F(ClientMemoryTest, SumsAreTrueBehindATurmoil) {
  constexpr int kWorkers = 4;
  constexpr int kTurns = 400;
  limit(1000 * kKib);
  std::vector<std::thread> workers;
  for (int worker = 0; worker < kWorkers; ++worker) {
    workers.emplace_back([this, worker] {
      Random random(static_cast<uint64_t>(worker) + 1);
      for (int turn = 0; turn < kTurns; ++turn) {
        const auto mine = client(static_cast<int64_t>(random.below(2000)) * kKib);
        holds(*mine, static_cast<int64_t>(random.below(2000)) * kKib);
        if (random.below(8) == 0) memory.apply();
        mine->set_flag(kClientNoEvict, random.below(4) == 0);
        holds(*mine, static_cast<int64_t>(random.below(2000)) * kKib);
        clients.kill(*mine);
        holds(*mine, 1);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(clients.count(), 0u);
  EXPECT_GT(memory.evicted(), 0);
  EXPECT_FALSE(client(990 * kKib)->killed);
  EXPECT_TRUE(client(1001 * kKib)->killed);
}

}  // namespace
}  // namespace tandem
