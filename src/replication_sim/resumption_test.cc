#include <gtest/gtest.h>

#include "replication_sim/oracles.h"

namespace tandem {
namespace {

using Verdict = Resumption::Verdict;

// Nobody else is there who could execute anything.
struct Alone final : AllStripes {};
const Alone kAlone;

ReplicationId id_of(char digit) {
  return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
}

// Follows a log that holds the bytes 100 to 150 of its history, which was another one's up to 120.
struct ResumptionTest : testing::Test {
  ResumptionTest() {
    log.reset(kAlone, {.id = id_of('a'), .offset = 100});
    log.append_verbatim(std::string(20, 'x'));
    log.adopt_id(kAlone, id_of('b'));
    log.append_verbatim(std::string(30, 'y'));
  }

  // What a full sync after one try is.
  Verdict full_sync_from(const Position& place) {
    Resumption resumption(place);
    for (const auto phase : {LinkPhase::kConnecting, LinkPhase::kHandshake}) {
      link.phase.store(phase);
      EXPECT_EQ(resumption.look(link, &log), Verdict::kPending);
    }
    link.full_syncs.store(1);
    return resumption.look(link, &log);
  }

  Log log{LogOptions{}, ReplicationId()};
  LinkProgress link;
};

TEST_F(ResumptionTest, AFullSyncIsWrongIfTheBytesWereThere) {
  EXPECT_EQ(full_sync_from({.id = id_of('b'), .offset = 150}), Verdict::kFullThoughItHadTheBytes);
}
TEST_F(ResumptionTest, AlsoUnderTheFormerId) {
  EXPECT_EQ(full_sync_from({.id = id_of('a'), .offset = 120}), Verdict::kFullThoughItHadTheBytes);
}
TEST_F(ResumptionTest, AFullSyncIsRightAfterTheFork) {
  EXPECT_EQ(full_sync_from({.id = id_of('a'), .offset = 121}), Verdict::kFull);
}
TEST_F(ResumptionTest, AndBeforeTheBacklog) {
  EXPECT_EQ(full_sync_from({.id = id_of('b'), .offset = 99}), Verdict::kFull);
}
TEST_F(ResumptionTest, AndInAnotherHistory) {
  EXPECT_EQ(full_sync_from({.id = id_of('c'), .offset = 120}), Verdict::kFull);
}

TEST_F(ResumptionTest, WhoWasDownDuringTheHandshakeNeedNotHaveHadTheBytes) {
  Resumption resumption({.id = id_of('b'), .offset = 150});
  resumption.look(link, &log);
  link.phase.store(LinkPhase::kHandshake);
  resumption.look(link, nullptr);
  link.full_syncs.store(1);
  EXPECT_EQ(resumption.look(link, &log), Verdict::kFull);
}

TEST_F(ResumptionTest, APartialSyncIsWhatItWaitsFor) {
  Resumption resumption({.id = id_of('b'), .offset = 150});
  link.partial_syncs.store(1);
  EXPECT_EQ(resumption.look(link, &log), Verdict::kResumed);
}

}  // namespace
}  // namespace tandem
