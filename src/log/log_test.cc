#include "log/log.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

// Nobody else is there who could execute anything.
struct Alone final : AllStripes {};
const Alone kAlone;

ReplicationId id_of(char digit) {
  return *ReplicationId::parse(std::string(ReplicationId::kLength, digit));
}

std::unique_ptr<Log> active_log(LogOptions options) {
  auto log = std::make_unique<Log>(options, id_of('a'));
  log->activate(kAlone, id_of('b'));
  return log;
}

// Everything that the cursor can read now.
std::string drain(LogCursor& cursor) {
  std::string result;
  for (;;) {
    const auto bytes = cursor.peek();
    EXPECT_TRUE(bytes.has_value());
    if (!bytes || bytes->empty()) return result;
    result.append(*bytes);
    cursor.advance(bytes->size());
  }
}

TEST(ReplicationIdTest, ParsesFortyHexadecimalDigitsOnly) {
  const std::string text = "0123456789abcdefABCDEF789012345678901234";
  ASSERT_TRUE(ReplicationId::parse(text));
  EXPECT_EQ(ReplicationId::parse(text)->text(), "0123456789abcdefabcdef789012345678901234");
  std::string upper = text;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(ReplicationId::parse(upper), ReplicationId::parse(text));
  EXPECT_FALSE(ReplicationId::parse(text.substr(1)));
  EXPECT_FALSE(ReplicationId::parse(text + "0"));
  EXPECT_FALSE(ReplicationId::parse("g" + text.substr(1)));
  EXPECT_TRUE(ReplicationId().is_none());
  Random chance(7);
  EXPECT_NE(ReplicationId::generate(chance), ReplicationId::generate(chance));
}

TEST(LogTest, InactiveLogAppendsNothing) {
  Log log({}, id_of('a'));
  EXPECT_EQ(log.append("x", 0, "p"), 0U);
  EXPECT_EQ(log.append_verbatim("x"), 0U);
  EXPECT_EQ(log.end(), 0U);
  log.activate(kAlone, id_of('b'));
  EXPECT_EQ(log.append("x", 0, "p"), 2U);
  EXPECT_EQ(log.history().id, id_of('b'));
  log.deactivate(kAlone);
  EXPECT_EQ(log.append("x", 0, "p"), 2U);
  EXPECT_EQ(log.window().bytes_held(), 0U);
}

TEST(LogTest, PrefixPrecedesTheFirstRecordOfAContext) {
  auto log = active_log({});
  auto cursor = log->open_at_end("reader", 0);
  EXPECT_EQ(log->append("one;", 0, "[0]"), 7U);
  EXPECT_EQ(log->append("two;", 0, "[0]"), 11U);
  log->append("three;", 3, "[3]");
  log->append_verbatim("ping;");
  log->append("four;", 3, "[3]");
  log->forget_database();
  log->append("five;", 3, "[3]");
  EXPECT_EQ(drain(*cursor), "[0]one;two;[3]three;ping;four;[3]five;");
}

TEST(LogTest, RecordSpansBlocks) {
  auto log = active_log({.block_bytes = 4});
  auto cursor = log->open_at_end("reader", 0);
  log->append("abcdefghijk", 0, "");
  EXPECT_EQ(*cursor->peek(), "abcd");
  cursor->advance(3);
  EXPECT_EQ(*cursor->peek(), "d");
  EXPECT_EQ(drain(*cursor), "defghijk");
  log->append("l", 0, "");
  EXPECT_EQ(*cursor->peek(), "l");
}

TEST(LogTest, BacklogKeepsAtLeastItsBytesAndLessThanABlockMore) {
  auto log = active_log({.block_bytes = 10, .backlog_bytes = 25});
  for (int i = 0; i < 100; ++i) {
    log->append("1234567", 0, "");
    const LogWindow window = log->window();
    EXPECT_GE(window.bytes_held(), std::min<uint64_t>(window.end, 25));
    EXPECT_LE(window.bytes_held(), 25U + 10 + 7);
  }
  log->set_retention(5, 0);
  EXPECT_LE(log->window().bytes_held(), 15U);
  EXPECT_FALSE(log->open("late", 0, 0));
  EXPECT_FALSE(log->open("early", log->end() + 1, 0));
  EXPECT_TRUE(log->open("oldest", log->window().first, 0));
}

TEST(LogTest, CursorHoldsItsPlaceUntilItsLimit) {
  auto log = active_log({.block_bytes = 10, .backlog_bytes = 10});
  auto patient = log->open_at_end("patient", 0);
  auto limited = log->open_at_end("limited", 50);
  for (int i = 0; i < 5; ++i) log->append("0123456789", 0, "");
  EXPECT_FALSE(limited->lost());
  EXPECT_EQ(limited->peek()->size(), 10U);
  const Bytes kept = *limited->peek();
  log->append("0123456789", 0, "");
  EXPECT_TRUE(limited->lost());
  EXPECT_EQ(kept, "0123456789") << "bytes already handed out stay";
  EXPECT_FALSE(limited->peek());
  EXPECT_EQ(log->window().first, 0U);
  EXPECT_EQ(drain(*patient).size(), 60U);
  log->append("0123456789", 0, "");
  EXPECT_EQ(log->window().first, 60U);
}

TEST(LogTest, LostCursorHoldsNothing) {
  auto log = active_log({.block_bytes = 10, .backlog_bytes = 10});
  auto cursor = log->open_at_end("reader", 0);
  for (int i = 0; i < 5; ++i) log->append("0123456789", 0, "");
  EXPECT_EQ(log->window().first, 0U);
  cursor->lose();
  log->trim(1);
  EXPECT_EQ(log->window().first, 40U);
  EXPECT_FALSE(cursor->peek());
}

TEST(LogTest, AgeDropsFullBlocks) {
  auto log = active_log({.block_bytes = 10, .backlog_bytes = 1000, .backlog_ms = 50});
  log->append("0123456789", 0, "");
  log->trim(1000);
  log->append("0123456789012", 0, "");
  log->trim(1049);
  EXPECT_EQ(log->window().first, 0U);
  log->trim(1050);
  EXPECT_EQ(log->window().first, 10U);
  log->trim(1099);
  EXPECT_EQ(log->window().first, 20U);
  log->trim(9999);
  EXPECT_EQ(log->window().first, 20U) << "the block being written stays";
}

TEST(LogTest, ResetStartsANewHistory) {
  auto log = active_log({.block_bytes = 8});
  auto before = log->open_at_end("before", 0);
  log->append("some bytes", 0, "");
  const Bytes held = *before->peek();
  log->reset(kAlone, {.id = id_of('c'), .offset = 5});
  EXPECT_EQ(held, "some byt") << "bytes already handed out stay";
  EXPECT_FALSE(before->peek());
  EXPECT_EQ(log->end(), 5U);
  EXPECT_EQ(log->window().bytes_held(), 0U);
  EXPECT_EQ(log->position(), (Position{.id = id_of('c'), .offset = 5}));
  auto after = log->open("after", 5, 0);
  ASSERT_TRUE(after);
  EXPECT_EQ(log->append("record", 0, "!"), 12U);
  EXPECT_EQ(drain(**after), "!record");
}

TEST(LogTest, PromotionKeepsTheFormerIdAsSecond) {
  auto log = active_log({});
  log->append("12345", 0, "");
  log->adopt_id(kAlone, id_of('d'));
  const LogHistory history = log->history();
  EXPECT_EQ(history.id, id_of('d'));
  EXPECT_EQ(history.id2, id_of('b'));
  EXPECT_EQ(history.id2_valid_until, 5U);
}

TEST(LogTest, ListsItsCursors) {
  auto log = active_log({});
  auto first = log->open_at_end("first", 0);
  auto second = log->open_at_end("second", 0);
  log->append("12345", 0, "");
  first->advance(first->peek()->size());
  second->lose();
  const auto cursors = log->cursors();
  ASSERT_EQ(cursors.size(), 2U);
  EXPECT_EQ(cursors[0].name, "first");
  EXPECT_EQ(cursors[0].lag_bytes, 0U);
  EXPECT_EQ(cursors[1].lag_bytes, 5U);
  EXPECT_TRUE(cursors[1].lost);
  first.reset();
  EXPECT_EQ(log->cursors().size(), 1U);
}

// A log beside a string that holds the whole history: whatever a cursor that is not lost reads, at
// whatever step, is what the string has at its place.
class LogProperty : public testing::TestWithParam<uint64_t> {};

TEST_P(LogProperty, CursorsReadWhatWasAppended) {
  Random chance(GetParam());
  auto log = active_log({.block_bytes = static_cast<uint32_t>(1 + chance.below(40)),
                         .backlog_bytes = chance.below(200)});
  std::string model;
  uint64_t base = 0;
  std::vector<std::unique_ptr<LogCursor>> cursors;
  uint32_t database = Log::kNoDatabase;
  for (int step = 0; step < 3000; ++step) {
    const uint64_t act = chance.below(100);
    if (act < 45) {
      const std::string record = chance.hex(static_cast<int>(chance.below(90)));
      const auto next = static_cast<uint32_t>(chance.below(3));
      const std::string prefix = fmt::format("<{}>", next);
      if (next != database) model += prefix;
      database = next;
      model += record;
      EXPECT_EQ(log->append(record, next, prefix), base + model.size());
    } else if (act < 50) {
      const std::string record = chance.hex(static_cast<int>(chance.below(9)));
      model += record;
      log->append_verbatim(record);
    } else if (act < 52) {
      log->forget_database();
      database = Log::kNoDatabase;
    } else if (act < 57 && cursors.size() < 6) {
      const LogWindow window = log->window();
      const uint64_t at = window.first + chance.below(window.bytes_held() + 1);
      auto cursor = log->open("reader", at, chance.below(2) == 0 ? 0 : 1 + chance.below(500));
      ASSERT_TRUE(cursor);
      cursors.push_back(std::move(*cursor));
    } else if (act < 59 && !cursors.empty()) {
      cursors.erase(cursors.begin() + static_cast<long>(chance.below(cursors.size())));
    } else if (act == 59 && chance.below(10) == 0) {
      base = chance.below(100000);
      log->reset(kAlone, {.id = id_of('e'), .offset = base});
      model.clear();
      database = Log::kNoDatabase;
      for (auto& cursor : cursors) EXPECT_FALSE(cursor->peek());
      cursors.clear();
    } else if (!cursors.empty()) {
      LogCursor& cursor = *cursors[chance.below(cursors.size())];
      const auto bytes = cursor.peek();
      if (!bytes) {
        EXPECT_TRUE(cursor.lost());
        continue;
      }
      ASSERT_EQ(*bytes, Bytes(model).substr(cursor.offset() - base, bytes->size()));
      EXPECT_EQ(bytes->empty(), cursor.offset() == base + model.size());
      cursor.advance(chance.below(bytes->size() + 1));
      EXPECT_EQ(cursor.lag_bytes(), base + model.size() - cursor.offset());
    }
    const LogWindow window = log->window();
    ASSERT_EQ(window.end, base + model.size());
    for (const auto& cursor : cursors) {
      if (!cursor->lost()) ASSERT_GE(cursor->offset(), window.first);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogProperty, testing::Range<uint64_t>(0, 40));

// Records of one writer stay whole and in that writer's order, for readers on threads of their own.
TEST(LogThreadsTest, WritersAndReadersAtOnce) {
  constexpr int kWriters = 3;
  constexpr int kRecords = 4000;
  auto log = active_log({.block_bytes = 256, .backlog_bytes = 1024});
  auto first = log->open_at_end("first", 0);
  auto second = log->open_at_end("second", 0);
  std::atomic<int> writing{kWriters};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&log, &writing, writer] {
      for (int i = 0; i < kRecords; ++i) {
        log->append(fmt::format("{}:{}\n", writer, i), static_cast<uint32_t>(writer), "");
        if (i % 512 == 0) log->trim(i);
      }
      writing.fetch_sub(1);
    });
  }
  std::string texts[2];
  LogCursor* const readers[] = {first.get(), second.get()};
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      for (bool last = false; !last;) {
        last = writing.load() == 0;
        texts[reader] += drain(*readers[reader]);
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0].size(), log->end());
  int next[kWriters] = {};
  size_t at = 0;
  while (at < texts[0].size()) {
    const size_t line_end = texts[0].find('\n', at);
    ASSERT_NE(line_end, std::string::npos);
    const int writer = texts[0][at] - '0';
    ASSERT_TRUE(writer >= 0 && writer < kWriters);
    ASSERT_EQ(std::stoi(texts[0].substr(at + 2, line_end - at - 2)), next[writer]++);
    at = line_end + 1;
  }
  for (const int count : next) EXPECT_EQ(count, kRecords);
}

// One reader falls behind and is lost while another thread keeps the log trimmed: nothing handed
// out goes away.
TEST(LogThreadsTest, LosingAReaderWhileItReads) {
  auto log = active_log({.block_bytes = 64, .backlog_bytes = 64});
  auto cursor = log->open_at_end("slow", 512);
  std::thread writer([&log] {
    for (int i = 0; i < 20000; ++i) log->append("0123456789abcdef", 0, "");
  });
  const std::string pattern = "0123456789abcdef0123456789abcdef";
  for (;;) {
    const auto bytes = cursor->peek();
    if (!bytes) break;
    const size_t count = std::min<size_t>(bytes->size(), 7);
    EXPECT_EQ(bytes->substr(0, count), Bytes(pattern).substr(cursor->offset() % 16, count));
    cursor->advance(count);
    if (cursor->offset() == 320000) break;
    std::this_thread::yield();
  }
  writer.join();
}

// What a reader decides by is what it then gets: nothing of the log changes in between.
TEST(LogTest, WhereAReaderStartsIsChosenInOneHold) {
  auto log = active_log({});
  log->append_verbatim("12345");
  const auto none = log->open_where(
      "none", 0, {}, [](const LogHistory&, const LogWindow&) { return std::optional<uint64_t>(); });
  EXPECT_EQ(none, nullptr);
  std::atomic<bool> chosen{false};
  std::thread resetting;
  auto cursor =
      log->open_where("reader", 0, {}, [&](const LogHistory& history, const LogWindow& window) {
        EXPECT_EQ(history.id, id_of('b'));
        EXPECT_EQ(window.end, 5U);
        resetting = std::thread([&] {
          log->reset(kAlone, {.id = id_of('c'), .offset = 100});
          EXPECT_TRUE(chosen.load());
        });
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();
        chosen.store(true);
        return std::optional<uint64_t>(3);
      });
  resetting.join();
  ASSERT_NE(cursor, nullptr);
  EXPECT_TRUE(cursor->lost()) << "it was there before the reset";
  EXPECT_EQ(log->cursors().size(), 1U);
}

}  // namespace
}  // namespace tandem
