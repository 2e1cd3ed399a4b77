#include "resp/request.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace tandem {
namespace {

struct Outcome {
  std::vector<std::vector<std::string>> requests;
  std::string raw;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

// Feeds `bytes` in pieces, from a buffer that lies elsewhere each time.
Outcome parse(Bytes bytes, size_t piece, RequestLimits limits = {}) {
  RequestParser parser(limits);
  Outcome outcome;
  std::string buffer;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    std::string moved = buffer + std::string(bytes.substr(at, piece));
    buffer.swap(moved);
    size_t used = 0;
    for (;;) {
      const ParseStatus status = parser.next(Bytes(buffer).substr(used));
      if (status == ParseStatus::kNeedMore) break;
      if (status == ParseStatus::kError) {
        outcome.error = parser.error();
        return outcome;
      }
      outcome.requests.emplace_back(parser.args().begin(), parser.args().end());
      outcome.raw += parser.raw();
      used += parser.raw().size();
    }
    buffer.erase(0, used);
  }
  return outcome;
}

std::string error_of(Bytes bytes, RequestLimits limits = {}) {
  const Outcome whole = parse(bytes, bytes.size(), limits);
  EXPECT_EQ(whole, parse(bytes, 1000, limits));
  return whole.error;
}

using Requests = std::vector<std::vector<std::string>>;

TEST(RequestParser, ReadsArraysAndLines) {
  const Bytes bytes =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\nPING\r\n*0\r\n\r\nECHO \"a b\" 'c'\n";
  const Requests expected = {{"SET", "k", ""}, {"PING"}, {}, {}, {"ECHO", "a b", "c"}};
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Outcome outcome = parse(bytes, piece);
    EXPECT_EQ(outcome.requests, expected);
    EXPECT_EQ(outcome.raw, bytes);
  }
}

TEST(RequestParser, LineEndBytesAreSkippedUnread) {
  const Requests expected = {{"PING"}, {"PING"}};
  EXPECT_EQ(parse("*1\rX$4\r\nPINGxxPING\r\n", 100).requests, expected);
}

TEST(RequestParser, AnswersWrongBytesAsRedisDoes) {
  const std::string prefix = "ERR Protocol error: ";
  EXPECT_EQ(error_of("*a\r\n"), prefix + "invalid multibulk length");
  EXPECT_EQ(error_of("*01\r\n"), prefix + "invalid multibulk length");
  EXPECT_EQ(error_of("*\r\n"), prefix + "invalid multibulk length");
  EXPECT_EQ(error_of("*2147483648\r\n"), prefix + "invalid multibulk length");
  EXPECT_EQ(error_of("*2147483647\r\n"), "");
  EXPECT_EQ(error_of("*1\r\n+4\r\n"), prefix + "expected '$', got '+'");
  EXPECT_EQ(error_of("*1\r\n\r\n"), prefix + "expected '$', got ' '");
  EXPECT_EQ(error_of("*1\r\n$-1\r\n"), prefix + "invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$ 4\r\nPING\r\n"), prefix + "invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$536870913\r\n"), prefix + "invalid bulk length");
  EXPECT_EQ(error_of("*1\r\n$536870912\r\n"), "");
  EXPECT_EQ(error_of("GET \"abc\r\n"), prefix + "unbalanced quotes in request");
  EXPECT_EQ(error_of("GET \"a\"b\r\n"), prefix + "unbalanced quotes in request");
}

TEST(RequestParser, LinesHaveALimit) {
  const std::string prefix = "ERR Protocol error: ";
  EXPECT_EQ(error_of(std::string(64 * 1024, 'a')), "");
  EXPECT_EQ(error_of(std::string(64 * 1024 + 1, 'a')), prefix + "too big inline request");
  EXPECT_EQ(error_of(std::string(64 * 1024, 'a') + "\r"), "");
  EXPECT_EQ(error_of(std::string(64 * 1024, 'a') + "\r\n"), "");
  EXPECT_EQ(error_of(std::string(64 * 1024 + 1, 'a') + "\r\n"), prefix + "too big inline request");
  EXPECT_EQ(error_of(std::string(64 * 1024 + 1, '*')), prefix + "too big mbulk count string");
  EXPECT_EQ(error_of("*1\r\n$" + std::string(64 * 1024, '1')),
            prefix + "too big bulk count string");
}

TEST(RequestParser, AStrangerMaySendLittle) {
  const RequestLimits stranger{.authenticated = false};
  const std::string prefix = "ERR Protocol error: ";
  EXPECT_EQ(error_of("*10\r\n", stranger), "");
  EXPECT_EQ(error_of("*11\r\n", stranger), prefix + "unauthenticated multibulk length");
  EXPECT_EQ(error_of("*1\r\n$16384\r\n", stranger), "");
  EXPECT_EQ(error_of("*1\r\n$16385\r\n", stranger), prefix + "unauthenticated bulk length");
}

TEST(RequestParser, ASmallerBulkLimitHolds) {
  const RequestLimits small{.bulk_bytes_max = 100};
  const std::string value(101, 'x');
  EXPECT_EQ(error_of("*1\r\n$101\r\n" + value + "\r\n", small),
            "ERR Protocol error: invalid bulk length");
}

TEST(RequestParser, AnErrorLastsUntilReset) {
  RequestParser parser;
  EXPECT_EQ(parser.next("*a\r\n"), ParseStatus::kError);
  EXPECT_EQ(parser.next("PING\r\n"), ParseStatus::kError);
  parser.reset();
  EXPECT_EQ(parser.next("PING\r\n"), ParseStatus::kRequest);
}

TEST(RequestParser, SaysHowMuchIsMissing) {
  RequestParser parser;
  EXPECT_EQ(parser.next("*1\r\n$1000\r\nabc"), ParseStatus::kNeedMore);
  EXPECT_EQ(parser.bytes_missing(), 999u);
}

TEST(RequestParser, WhatIsWrittenComesBackHoweverItIsCut) {
  Random random(11);
  for (int round = 0; round < 300; ++round) {
    std::string bytes;
    Outcome expected;
    for (uint64_t requests = 1 + random.below(4); requests > 0; --requests) {
      std::vector<std::string> args;
      for (uint64_t count = 1 + random.below(12); count > 0; --count) {
        std::string& arg = args.emplace_back();
        for (uint64_t left = random.below(random.below(10) == 0 ? 20000 : 12); left > 0; --left) {
          arg.push_back(static_cast<char>(random.next()));
        }
      }
      append_request(bytes, args);
      expected.requests.push_back(std::move(args));
    }
    expected.raw = bytes;
    ASSERT_EQ(parse(bytes, 1 + random.below(bytes.size())), expected);
    if (bytes.size() < 300) ASSERT_EQ(parse(bytes, 1), expected);
  }
}

TEST(SkipRequest, GivesTheFirstArgumentAndTakesTheRequestOff) {
  const std::string requests =
      "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*3\r\n$3\r\nSET\r\n$12\r\nabcdefghijkl\r\n$1\r\n5\r\n*1\r\n$"
      "4\r\nPING\r\n";
  Bytes left = requests;
  EXPECT_EQ(skip_request(left), "k");
  EXPECT_EQ(skip_request(left), "abcdefghijkl");
  EXPECT_EQ(skip_request(left), "");
  EXPECT_EQ(left, "");
  EXPECT_EQ(skip_request(left), std::nullopt);
}

TEST(SkipRequest, LooksBehindAScriptForItsKey) {
  for (const Bytes name : {"EVAL", "evalsha", "EVAL_RO", "Fcall", "FCALL_RO"}) {
    std::string request;
    append_request(request, std::vector<std::string>{std::string(name), "text", "1", "key", "x"});
    Bytes left = request;
    EXPECT_EQ(skip_request(left), "key") << name;
    EXPECT_EQ(left, "");
  }
  std::string without;
  append_request(without, std::vector<std::string>{"EVAL", "text", "0"});
  Bytes left = without;
  EXPECT_EQ(skip_request(left), "");
}

// What is cut anywhere, or unusual, is left alone; the parser says what it is.
TEST(SkipRequest, LeavesAloneWhatIsNotThereWholeOrUnusual) {
  const std::string whole = "*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n";
  for (size_t size = 0; size < whole.size(); ++size) {
    Bytes left = Bytes(whole).substr(0, size);
    EXPECT_EQ(skip_request(left), std::nullopt) << size;
    EXPECT_EQ(left.size(), size);
  }
  for (const Bytes unusual :
       {"GET key\r\n", "*2\r\n:3\r\nGET\r\n$1\r\nk\r\n", "*-1\r\n$3\r\nGET\r\n",
        "*02\r\n$3\r\nGET\r\n", "*2\r\n$03\r\nGET\r\n$1\r\nk\r\n", "*2\r\n$99999\r\nGET\r\n",
        "*x\r\n$3\r\nGET\r\n"}) {
    Bytes left = unusual;
    EXPECT_EQ(skip_request(left), std::nullopt) << unusual;
    EXPECT_EQ(left, unusual);
  }
}

}  // namespace
}  // namespace tandem
