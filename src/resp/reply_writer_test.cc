#include "resp/reply_writer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

template <class Write>
std::string written(int protocol, Write write) {
  std::string out;
  ReplyWriter reply(out, protocol);
  write(reply);
  return out;
}

template <class Write>
void expect(Write write, Bytes resp2, Bytes resp3) {
  EXPECT_EQ(written(2, write), resp2);
  EXPECT_EQ(written(3, write), resp3);
}

TEST(ReplyWriter, WritesBothProtocols) {
  using W = ReplyWriter&;
  expect([](W r) { r.ok(); }, "+OK\r\n", "+OK\r\n");
  expect([](W r) { r.error("ERR a\r\nb"); }, "-ERR a  b\r\n", "-ERR a  b\r\n");
  expect([](W r) { r.error("ERR a\r\n"); }, "-ERR a\r\n", "-ERR a\r\n");
  expect([](W r) { r.integer(-12); }, ":-12\r\n", ":-12\r\n");
  expect([](W r) { r.bulk("hello"); }, "$5\r\nhello\r\n", "$5\r\nhello\r\n");
  expect([](W r) { r.bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n");
  expect([](W r) { r.null(); }, "$-1\r\n", "_\r\n");
  expect([](W r) { r.null_array(); }, "*-1\r\n", "_\r\n");
  expect([](W r) { r.boolean(true); }, ":1\r\n", "#t\r\n");
  expect([](W r) { r.boolean(false); }, ":0\r\n", "#f\r\n");
  expect([](W r) { r.number(0.1); }, "$3\r\n0.1\r\n", ",0.1\r\n");
  expect([](W r) { r.long_number(0.1); }, "$19\r\n0.10000000000000001\r\n",
         ",0.10000000000000001\r\n");
  expect([](W r) { r.big_number("123"); }, "$3\r\n123\r\n", "(123\r\n");
  expect([](W r) { r.verbatim("abc"); }, "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n");
  expect([](W r) { r.bulk_integer(100); }, "$3\r\n100\r\n", "$3\r\n100\r\n");
  expect([](W r) { r.array(10); }, "*10\r\n", "*10\r\n");
  expect([](W r) { r.map(2); }, "*4\r\n", "%2\r\n");
  expect([](W r) { r.set(2); }, "*2\r\n", "~2\r\n");
  expect([](W r) { r.push(3); }, "*3\r\n", ">3\r\n");
}

TEST(ReplyWriter, LengthsMayComeLast) {
  const auto write = [](ReplyWriter& reply) {
    reply.integer(7);
    const auto outer = reply.begin_array();
    reply.bulk("a");
    const auto inner = reply.begin_array();
    reply.integer(1);
    reply.integer(2);
    reply.end_map(inner, 1);
    reply.end_array(outer, 2);
  };
  EXPECT_EQ(written(2, write), ":7\r\n*2\r\n$1\r\na\r\n*2\r\n:1\r\n:2\r\n");
  EXPECT_EQ(written(3, write), ":7\r\n*2\r\n$1\r\na\r\n%1\r\n:1\r\n:2\r\n");
}

TEST(ReplyWriter, TakesBackWhatWasWritten) {
  std::string out;
  ReplyWriter reply(out);
  reply.ok();
  const auto mark = reply.mark();
  reply.error("ERR no");
  reply.integer(1);
  EXPECT_EQ(reply.written_since(mark), "-ERR no\r\n:1\r\n");
  EXPECT_EQ(reply.errors(), 1u);
  reply.discard_to(mark);
  EXPECT_EQ(out, "+OK\r\n");
  EXPECT_EQ(reply.errors(), 0u);
}

TEST(ReplyWriter, Diverts) {
  std::string out;
  std::string elsewhere = "what was there, longer than all that has gone out";
  ReplyWriter reply(out);
  reply.ok();
  const ReplyWriter::Mark before = reply.mark();
  reply.array(2);
  EXPECT_EQ(reply.written_since(before), "*2\r\n");
  reply.divert(elsewhere);
  elsewhere.clear();
  reply.error("ERR unheard");
  EXPECT_EQ(reply.written_since(before), "");
  reply.out_of_band().push(3);
  reply.resume();
  reply.integer(1);
  EXPECT_EQ(reply.written_since(before), "*2\r\n*3\r\n:1\r\n");
  EXPECT_EQ(elsewhere, "-ERR unheard\r\n");
}

TEST(ReplyWriter, DropsWhatWouldPassItsBound) {
  std::string out;
  ReplyWriter reply(out);
  reply.set_bound(30);
  const auto array = reply.begin_array();
  for (int i = 0; i < 1'000'000; ++i) reply.bulk("12345");  // eleven bytes each
  EXPECT_TRUE(reply.is_full());
  reply.integer(1);
  reply.error("ERR short");
  reply.raw("+OK\r\n");
  reply.verbatim("text");
  EXPECT_EQ(out, "$5\r\n12345\r\n$5\r\n12345\r\n");
  reply.end_array(array, 1'000'000);
  EXPECT_EQ(reply.errors(), 1u);  // it was answered, if to nobody
  reply.discard_to(array);
  EXPECT_EQ(out, "");
  reply.set_bound(30);
  EXPECT_FALSE(reply.is_full());
  reply.bulk("12345");
  EXPECT_EQ(out, "$5\r\n12345\r\n");
}

TEST(ReplyWriter, DoesNotEvenBeginAPieceThatIsTooLarge) {
  const std::string large(1000, 'x');
  for (const auto& write : std::vector<void (*)(ReplyWriter&, Bytes)>{
           [](ReplyWriter& r, Bytes text) { r.bulk(text); },
           [](ReplyWriter& r, Bytes text) { r.simple(text); },
           [](ReplyWriter& r, Bytes text) { r.raw(text); },
           [](ReplyWriter& r, Bytes text) { r.big_number(text); },
           [](ReplyWriter& r, Bytes text) { r.verbatim(text); }}) {
    std::string out;
    ReplyWriter reply(out, 3);
    reply.set_bound(large.size() - 1);
    write(reply, large);
    EXPECT_TRUE(reply.is_full());
    EXPECT_EQ(out, "");
  }
}

}  // namespace
}  // namespace tandem
