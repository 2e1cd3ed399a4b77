#include "resp/reply_reader.h"

#include <string>

#include <gtest/gtest.h>

#include "base/random.h"
#include "resp/reply_writer.h"

namespace tandem {
namespace {

// One line a reply, for comparing and for reading.
std::string shown(const Reply& reply) {
  std::string out(1, "+-:$_*%~>,#(="[static_cast<size_t>(reply.kind)]);
  out += reply.text + reply.format;
  if (reply.kind == ReplyKind::kInteger || reply.kind == ReplyKind::kBoolean) {
    out += std::to_string(reply.integer);
  }
  if (reply.null_array) out += "array";
  for (const Reply& element : reply.elements) out += " [" + shown(element) + "]";
  return out;
}

std::string read_in_pieces(Bytes bytes, size_t piece, ReplyLimits limits = {}) {
  ReplyReader reader(limits);
  std::string out;
  while (!bytes.empty()) {
    const Bytes part = bytes.substr(0, piece);
    const Result<size_t> taken = reader.feed(part);
    if (!taken) return out + "error";
    bytes.remove_prefix(*taken);
    if (reader.ready()) out += shown(reader.take()) + "\n";
  }
  return out;
}

TEST(ReplyReader, ReadsEveryType) {
  const Bytes bytes =
      "+OK\r\n-ERR no\r\n:-5\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n:1\r\n*1\r\n$0\r\n\r\n"
      "%1\r\n+k\r\n,1.5\r\n~1\r\n#t\r\n>2\r\n+message\r\n_\r\n(12345678901234567890\r\n"
      "=7\r\ntxt:abc\r\n!5\r\nERR x\r\n|1\r\n+ttl\r\n:9\r\n*1\r\n|1\r\n+a\r\n+b\r\n:3\r\n,inf\r\n";
  const std::string expected =
      "+OK\n-ERR no\n:-5\n$a\r\n\n_\n_array\n*\n* [:1] [* [$]]\n"
      "% [+k] [,1.5]\n~ [#1]\n> [+message] [_]\n(12345678901234567890\n"
      "=abctxt\n-ERR x\n* [:3]\n,inf\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(read_in_pieces(bytes, piece), expected);
  }
}

TEST(ReplyReader, RefusesMalformedBytes) {
  for (const Bytes bytes : {"x\r\n", "+OK\n", "\r\n", ":1x\r\n", ":\r\n", "$x\r\n", "$-2\r\n",
                            "$1\r\nabc\r\n", "*-2\r\n", "%-1\r\n", "#x\r\n", ",x\r\n", "(1x\r\n",
                            "_x\r\n", "=3\r\nabc\r\n", "$?\r\n", "*1\r\nx\r\n"}) {
    EXPECT_EQ(read_in_pieces(bytes, bytes.size()), "error") << bytes;
    EXPECT_EQ(read_in_pieces(bytes, 1), "error") << bytes;
  }
}

TEST(ReplyReader, KeepsItsLimits) {
  const ReplyLimits limits{
      .depth_max = 2, .elements_max = 4, .bytes_max = 50, .line_bytes_max = 20};
  EXPECT_EQ(read_in_pieces("*1\r\n*1\r\n:1\r\n", 99, limits), "* [* [:1]]\n");
  EXPECT_EQ(read_in_pieces("*1\r\n*1\r\n*1\r\n:1\r\n", 99, limits), "error");
  EXPECT_EQ(read_in_pieces("*5\r\n", 99, limits), "error");
  EXPECT_EQ(read_in_pieces("%3\r\n", 99, limits), "error");
  EXPECT_EQ(read_in_pieces("*3\r\n*2\r\n", 99, limits), "error");
  EXPECT_EQ(read_in_pieces("$51\r\n", 99, limits), "error");
  EXPECT_EQ(read_in_pieces("+123456789012345678901\r\n", 99, limits), "error");
  EXPECT_EQ(
      read_in_pieces("*4\r\n$15\r\n123456789012345\r\n$15\r\n123456789012345\r\n:1\r\n", 1, limits),
      "error");
}

TEST(ReplyReader, StopsBehindOneReply) {
  ReplyReader reader;
  EXPECT_EQ(reader.feed("+OK\r\n+NEXT\r\n").value(), 5u);
  EXPECT_EQ(reader.take().text, "OK");
  EXPECT_FALSE(parse_reply("+OK\r\n+NEXT\r\n"));
  EXPECT_FALSE(parse_reply("$5\r\nabc"));
}

TEST(Reply, KnowsItsErrorCode) {
  const Result<Reply> reply = parse_reply("-READONLY You can't\r\n");
  EXPECT_TRUE(reply->is_error("READONLY"));
  EXPECT_FALSE(reply->is_error("READ"));
}

TEST(ReplyReader, ReadsWhatTheWriterWrites) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    std::string out;
    ReplyWriter writer(out, 3);
    const int count = static_cast<int>(random.below(20));
    writer.array(count);
    std::string expected = "*";
    for (int i = 0; i < count; ++i) {
      const auto value = static_cast<int64_t>(random.next() >> random.below(64));
      if (random.below(2) == 0) {
        writer.integer(value);
        expected += " [:" + std::to_string(value) + "]";
      } else {
        writer.bulk_integer(value);
        expected += " [$" + std::to_string(value) + "]";
      }
    }
    ASSERT_EQ(read_in_pieces(out, 1 + random.below(out.size())), expected + "\n");
  }
}

}  // namespace
}  // namespace tandem
