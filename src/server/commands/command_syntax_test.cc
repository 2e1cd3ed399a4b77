#include "server/commands/command_syntax.h"

#include <gtest/gtest.h>

#include "io/files.h"
#include "server/commands/rows.h"
#include "server/composition.h"
#include "server/configuration_hooks.h"

namespace tandem {
namespace {

// One line for a tree: "count:integer=COUNT?" is optional, "+" multiple, "@0" a key's
// specification, "since 6.2.0" and "until 2.8.12" versions; in quotes what people are shown.
std::string shown(const std::vector<SyntaxArgument>& arguments) {
  std::string text;
  for (const SyntaxArgument& argument : arguments) {
    if (!text.empty()) text += ' ';
    text += argument.name + ':' + std::string(syntax_type_name(argument.type));
    if (argument.key_spec_index >= 0) text += '@' + std::to_string(argument.key_spec_index);
    if (!argument.token.empty()) text += '=' + argument.token;
    if (argument.optional) text += '?';
    if (argument.multiple) text += argument.multiple_token ? "++" : "+";
    if (!argument.shown.empty()) text += '"' + argument.shown + '"';
    if (!argument.since.empty()) text += " since " + argument.since;
    if (!argument.deprecated_since.empty()) text += " until " + argument.deprecated_since;
    if (!argument.children.empty()) text += '(' + shown(argument.children) + ')';
  }
  return text;
}

CommandRow row_of(std::string_view syntax) {
  return {.name = "test", .keys = {key_at(1, "RO access")}, .syntax = syntax};
}

std::string parsed(const CommandRow& row) {
  const auto arguments = parse_syntax(row);
  return arguments ? shown(*arguments) : "nothing";
}
std::string parsed(std::string_view syntax) { return parsed(row_of(syntax)); }

TEST(CommandSyntax, ReadsWordsAndLiterals) {
  EXPECT_EQ(parsed(""), "");
  EXPECT_EQ(parsed("key value"), "key:key@0 value:string");
  EXPECT_EQ(parsed("key [CH] [COUNT count]"), "key:key@0 ch:pure-token=CH? count:integer=COUNT?");
  EXPECT_EQ(parsed("[LIMIT offset count]"), "limit:block=LIMIT?(offset:integer count:integer)");
  EXPECT_EQ(parsed("key [NX | XX]"), "key:key@0 nx-xx:oneof?(nx:pure-token=NX xx:pure-token=XX)");
  EXPECT_EQ(parsed("[BY <NX | XX>]"), "by:oneof=BY?(nx:pure-token=NX xx:pure-token=XX)");
  EXPECT_EQ(parsed("[INCR] score member"), "incr:pure-token=INCR? score:double member:string");
  EXPECT_EQ(parsed("[EX seconds | PX milliseconds | KEEPTTL]"),
            "seconds-milliseconds-keepttl:oneof?(seconds:integer=EX milliseconds:integer=PX "
            "keepttl:pure-token=KEEPTTL)");
  EXPECT_EQ(parsed("<host port | NO ONE>"),
            "host-port-no-one:oneof(host-port:block(host:string port:integer) "
            "no-one:block(no:pure-token=NO one:pure-token=ONE))");
}

TEST(CommandSyntax, ReadsRepetitions) {
  EXPECT_EQ(parsed("key [key ...]"), "key:key@0+");
  EXPECT_EQ(parsed("[key ...]"), "key:key@0?+");
  EXPECT_EQ(parsed("[channel [channel ...]]"), "channel:string?+");
  EXPECT_EQ(parsed("key score member [score member ...]"),
            "key:key@0 data:block+(score:double member:string)");
  EXPECT_EQ(parsed("STREAMS key [key ...] id [id ...]"),
            "streams:block=STREAMS(key:key@0+ id:string+)");
  EXPECT_EQ(parsed("[ID client-id [client-id ...]]"), "client-id:integer=ID?+");
  EXPECT_EQ(parsed("[GET pattern [GET pattern ...]]"), "pattern:pattern=GET?++");
  EXPECT_EQ(parsed("<[ID id] | NX>..."), "id-nx:oneof+(id:string=ID? nx:pure-token=NX)");
}

TEST(CommandSyntax, ReadsNames) {
  EXPECT_EQ(parsed("from:<LEFT | RIGHT> to:[LEFT | RIGHT]"),
            "from:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
            "to:oneof?(left:pure-token=LEFT right:pure-token=RIGHT)");
  EXPECT_EQ(parsed("[TYPE kind:<A | B>] [change:CH]"),
            "kind:oneof=TYPE?(a:pure-token=A b:pure-token=B) change:pure-token=CH?");
  EXPECT_EQ(parsed("trim:<threshold [~]>"),
            "trim:block(threshold:string approximately:pure-token=~?)");
  EXPECT_EQ(parsed("field value pair:[field value ...]"), "pair:block+(field:string value:string)");
}

TEST(CommandSyntax, ReadsNotes) {
  EXPECT_EQ(parsed("[EX seconds@2.6.12 | KEEPTTL@6.0.0]@6.2.0"),
            "seconds-keepttl:oneof? since 6.2.0(seconds:integer=EX since 2.6.12 "
            "keepttl:pure-token=KEEPTTL since 6.0.0)");
  EXPECT_EQ(parsed("old=ip:port@1.0.0!2.8.12"), "old:string\"ip:port\" since 1.0.0 until 2.8.12");
  EXPECT_EQ(parsed("[LIMIT count]@6.2.0] threshold"), "nothing");
}

TEST(CommandSyntax, ReadsTypes) {
  EXPECT_EQ(parsed("increment timeout min"), "increment:integer timeout:double min:string");
  EXPECT_EQ(parsed("increment:double timeout:integer min:unix-time"),
            "increment:double timeout:integer min:unix-time");
  CommandRow row = row_of("source destination");
  row.keys.push_back(key_at(2, "RW"));
  EXPECT_EQ(parsed(row), "source:key@0 destination:key@1");
  row.keys.clear();
  EXPECT_EQ(parsed(row), "source:string destination:string");
  row.keys = {key_at(1, "RO"), keys_unknown("RO"), key_at(2, "OW")};
  row.syntax = "key [BY pattern] [GET pattern ...] [STORE destination]";
  EXPECT_EQ(parsed(row),
            "key:key@0 pattern:pattern@1=BY? pattern:pattern@1=GET?++ destination:key@2=STORE?");
}

TEST(CommandSyntax, RefusesWhatIsNotInTheNotation) {
  for (const char* text :
       {"[key", "key]", "<a | b", "[a>", "a | b", "[]", "[a | ]", "< | a>", "...", "key ...",
        "[a ... b]", "[a | b ...]", "<a ...>", "[a ... | b]", "name: a", "a:nosuch", "[a]1.0.0"}) {
    EXPECT_EQ(parsed(text), "nothing") << text;
  }
}

TEST(CommandSyntax, DocumentsArgumentsAsTheProtocolDoes) {
  Command command;
  command.row = row_of("key [NX]@6.2.0 [id=ids!7.0.0 ...]");
  std::string out;
  ReplyWriter reply(out);
  write_command_docs(reply, command);
  const std::string expected =
      "$9\r\narguments\r\n*3\r\n"
      "*8\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
      "$12\r\ndisplay_text\r\n$3\r\nkey\r\n$14\r\nkey_spec_index\r\n:0\r\n"
      "*12\r\n$4\r\nname\r\n$2\r\nnx\r\n$4\r\ntype\r\n$10\r\npure-token\r\n"
      "$12\r\ndisplay_text\r\n$2\r\nnx\r\n$5\r\ntoken\r\n$2\r\nNX\r\n"
      "$5\r\nsince\r\n$5\r\n6.2.0\r\n$5\r\nflags\r\n*1\r\n+optional\r\n"
      "*10\r\n$4\r\nname\r\n$2\r\nid\r\n$4\r\ntype\r\n$6\r\nstring\r\n"
      "$12\r\ndisplay_text\r\n$3\r\nids\r\n"
      "$16\r\ndeprecated_since\r\n$5\r\n7.0.0\r\n$5\r\nflags\r\n*2\r\n+optional\r\n+multiple\r\n";
  EXPECT_TRUE(out.starts_with("*8\r\n"));  // without a complexity, which the row does not state
  EXPECT_TRUE(out.ends_with(expected)) << out;
}

TEST(CommandSyntax, DocumentsWhatVersionsChanged) {
  Command command;
  command.row = {.name = "test", .history = "6.0.0 Takes a count; 6.2.0 Takes an id, too"};
  std::string out;
  ReplyWriter reply(out);
  write_command_docs(reply, command);
  EXPECT_TRUE(
      out.ends_with("$7\r\nhistory\r\n*2\r\n"
                    "*2\r\n$5\r\n6.0.0\r\n$13\r\nTakes a count\r\n"
                    "*2\r\n$5\r\n6.2.0\r\n$16\r\nTakes an id, too\r\n"))
      << out;
}

TEST(CommandSyntax, EveryCommandOfTheServerIsInTheNotation) {
  DiskFiles files;
  MachineConfigFiles config_files(files);
  Options options;
  Config config(options, config_files);
  const Supervision nobody(Supervisor::kNone);
  const Composition composition(
      options, config,
      {.program = "", .show_title = [](std::string_view) {}, .supervision = nobody}, 1);
  const Registry& registry = composition.registry();
  EXPECT_GT(registry.id_count(), 200u);
  for (size_t id = 0; id < registry.id_count(); ++id) {
    const Command& command = registry.by_id(static_cast<int>(id));
    EXPECT_TRUE(parse_syntax(command.row)) << command.full_name << ": " << command.row.syntax;
  }
}

}  // namespace
}  // namespace tandem
