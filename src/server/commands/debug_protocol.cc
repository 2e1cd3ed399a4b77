#include "server/commands/debug.h"

namespace tandem {
namespace {

constexpr int kElements = 3;

void numbers(ReplyWriter& reply) {
  for (int i = 0; i < kElements; ++i) reply.integer(i);
}

void attribute(ReplyWriter& reply) {
  if (reply.protocol() != 2) {
    reply.attribute(1);
    reply.bulk("key-popularity");
    reply.array(2);
    reply.bulk("key:123");
    reply.integer(90);
  }
  reply.bulk("Some real reply following the attribute");
}

void push(ReplyWriter& reply) {
  if (reply.protocol() == 2) return reply.error("ERR RESP2 is not supported by this command");
  reply.push(2);
  reply.bulk("server-cpu-usage");
  reply.integer(42);
  reply.bulk("Some real reply following the push reply");
}

struct Example {
  Bytes kind;
  void (*write)(ReplyWriter& reply);
};

constexpr Example kExamples[] = {
    {"string", [](ReplyWriter& reply) { reply.bulk("Hello World"); }},
    {"integer", [](ReplyWriter& reply) { reply.integer(12345); }},
    {"double", [](ReplyWriter& reply) { reply.number(3.141); }},
    {"null", [](ReplyWriter& reply) { reply.null(); }},
    {"array",
     [](ReplyWriter& reply) {
       reply.array(kElements);
       numbers(reply);
     }},
    {"set",
     [](ReplyWriter& reply) {
       reply.set(kElements);
       numbers(reply);
     }},
    {"map",
     [](ReplyWriter& reply) {
       reply.map(kElements);
       for (int i = 0; i < kElements; ++i) {
         reply.integer(i);
         reply.boolean(i == 1);
       }
     }},
    {"attrib", attribute},
    {"push", push},
    {"verbatim", [](ReplyWriter& reply) { reply.verbatim("This is a verbatim\nstring"); }},
    {"true", [](ReplyWriter& reply) { reply.boolean(true); }},
    {"false", [](ReplyWriter& reply) { reply.boolean(false); }},
    {"bignum",
     [](ReplyWriter& reply) { reply.big_number("1234567999999999999999999999999999999"); }},
};

}  // namespace

void debug_protocol(SessionContext& context, const DebugParts& /*parts*/) {
  for (const Example& example : kExamples) {
    if (equal_ignore_case(context.args[2], example.kind)) return example.write(context.reply);
  }
  context.reply.error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

}  // namespace tandem
