#include "config/config.h"

#include <map>

#include <gtest/gtest.h>

namespace tandem {
namespace {

class MemoryFiles final : public ConfigFiles {
 public:
  Result<std::string> read(const std::string& path) override {
    if (!files.contains(path)) return fail(ErrorCode::kIo, "No such file or directory");
    return files[path];
  }
  Result<std::string> read_standard_input() override { return input; }
  std::vector<std::string> expand(const std::string& pattern) override {
    if (!pattern.ends_with('*')) return {pattern};
    std::vector<std::string> paths;
    for (const auto& [path, text] : files) {
      if (path.starts_with(pattern.substr(0, pattern.size() - 1))) paths.push_back(path);
    }
    return paths;
  }
  Result<void> replace(const std::string& path, const std::string& text) override {
    files[path] = text;
    return {};
  }
  bool exists(const std::string& path) override { return files.contains(path); }
  std::string absolute(const std::string& path) override { return path; }

  std::map<std::string, std::string> files;
  std::string input;
};

struct ConfigTest : testing::Test {
  // The error's text, empty when it went well.
  std::string load(std::vector<std::string> arguments) {
    auto loaded = config.load(parse_config_arguments(arguments));
    return loaded ? "" : loaded.error().text;
  }
  std::string load_file(const std::string& text) {
    files.files["x.conf"] = text;
    return load({"x.conf"});
  }
  std::string get(const std::string& name) {
    const auto pairs = config.get(std::vector<std::string>{name});
    return pairs.empty() ? "(none)" : pairs[0].value;
  }
  std::string set(std::vector<ConfigPair> pairs, bool local = false) {
    auto done = config.set(pairs, local);
    return done ? "" : done.error().text;
  }

  MemoryFiles files;
  Options options;
  Config config{options, files};
};

TEST_F(ConfigTest, DefaultsAreThoseOfRedis) {
  EXPECT_EQ(get("port"), "6379");
  EXPECT_EQ(get("save"), "3600 1 300 100 60 10000");
  EXPECT_EQ(get("bind"), "* -::*");
  EXPECT_EQ(get("client-output-buffer-limit"),
            "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
  EXPECT_EQ(get("maxmemory-policy"), "noeviction");
  EXPECT_EQ(get("shutdown-on-sigterm"), "default");
  EXPECT_EQ(get("unixsocketperm"), "0");
}

TEST_F(ConfigTest, TheWordBehindABareNameIsItsValue) {
  EXPECT_EQ(load({"--requirepass", "--secret", "--timeout", "3"}), "");
  EXPECT_EQ(options.server.network.password.get(), "--secret");
  EXPECT_EQ(get("timeout"), "3");
  EXPECT_EQ(load({"--timeout 4", "--save", "--tcp-backlog", "9", "--save"}), "");
  EXPECT_EQ(get("timeout"), "4");
  EXPECT_EQ(get("save"), "");
  EXPECT_EQ(get("tcp-backlog"), "9");
  EXPECT_TRUE(load({"--timeout", "--loglevel", "verbose"}).ends_with("wrong number of arguments"));
}

TEST_F(ConfigTest, ValuesThatRedisRefusesAreRefused) {
  const std::pair<std::string, std::string> kRefused[] = {
      {"shutdown-on-sigterm save nosave",
       "shutdown options SAVE and NOSAVE can't be used simultaneously"},
      {"maxmemory-clients abc", "argument must be a memory or percent value"},
      {"maxmemory-clients -5%", "argument must be a memory or percent value"},
      {"maxmemory-clients 200%", "percentage argument must be less or equal to 100"},
      {"dbfilename a/b", "dbfilename can't be a path, just a filename"},
      {"appendfilename a/b", "appendfilename can't be a path, just a filename"},
      {"appendfilename ''", "appendfilename can't be empty"},
      {"appenddirname a/b", "appenddirname can't be a path, just a dirname"},
      {"cluster-announce-hostname 'a b'",
       "Hostnames may only contain alphanumeric characters, hyphens or dots"},
      {"cluster-announce-hostname " + std::string(256, 'a'),
       "Hostnames must be less than 256 characters"},
  };
  for (const auto& [line, text] : kRefused) {
    EXPECT_TRUE(load_file(line).ends_with(text)) << load_file(line);
  }
  EXPECT_EQ(set({{"shutdown-on-sigterm", "nosave save"}}),
            "ERR CONFIG SET failed (possibly related to argument 'shutdown-on-sigterm') - shutdown "
            "options SAVE and NOSAVE can't be used simultaneously");
  EXPECT_EQ(load_file("shutdown-on-sigterm nosave now\ncluster-announce-hostname a-b.c9"), "");
}

TEST_F(ConfigTest, FileInputAndArgumentsAreReadInThatOrder) {
  files.files["x.conf"] = "port 1\ntimeout 5 \n# a comment\n\n  maxclients 7";
  files.input = "\nport 2\ntcp-backlog 9";
  EXPECT_EQ(load({"x.conf", "--tcp-backlog", "10", "--replicaof", "127.0.0.1", "7001", "-"}), "");
  EXPECT_EQ(get("port"), "2");
  EXPECT_EQ(get("timeout"), "5");
  EXPECT_EQ(get("maxclients"), "7");
  EXPECT_EQ(get("tcp-backlog"), "10");
  EXPECT_EQ(options.replication.primary.get().host, "127.0.0.1");
  EXPECT_EQ(options.replication.primary.get().port, 7001);
}

TEST_F(ConfigTest, QuotesAndEscapes) {
  EXPECT_EQ(load_file("requirepass \"a\\x41\\n\\\"b\"\nmasterauth 'it\\'s'"), "");
  EXPECT_EQ(get("requirepass"), "aA\n\"b");
  EXPECT_EQ(get("masterauth"), "it's");
}

TEST_F(ConfigTest, IncludeTakesPatternsAndNests) {
  files.files["inc/a"] = "port 5\ninclude other";
  files.files["inc/b"] = "timeout 6";
  files.files["other"] = "maxclients 3";
  EXPECT_EQ(load_file("port 1\ninclude inc/*\n"), "");
  EXPECT_EQ(get("port"), "5");
  EXPECT_EQ(get("timeout"), "6");
  EXPECT_EQ(get("maxclients"), "3");
}

TEST_F(ConfigTest, AnIncludeOfItselfEnds) {
  EXPECT_NE(load_file("include x.conf\n").find("Too many nested includes"), std::string::npos);
}

TEST_F(ConfigTest, ABadLineIsQuotedWithItsNumberAndReason) {
  EXPECT_EQ(load_file("\n# x\n  port abc \n"),
            "\n*** FATAL CONFIG FILE ERROR (Redis 7.2.4) ***\n"
            "Reading the configuration file, at line 3\n>>> 'port abc'\n"
            "argument couldn't be parsed into an integer");
}

TEST_F(ConfigTest, ReasonsAreThoseOfRedis) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"foo bar", "Bad directive or wrong number of arguments"},
      {"port", "wrong number of arguments"},
      {"port 1 2", "wrong number of arguments"},
      {"port 70000", "argument must be between 0 and 65535 inclusive"},
      {"appendonly maybe", "argument must be 'yes' or 'no'"},
      {"maxmemory 10zz", "argument must be a memory value"},
      {"appendfsync x", "argument(s) must be one of the following: everysec, always, no"},
      {"save 10", "Invalid save parameters"},
      {"save 0 1", "Invalid save parameters"},
      {"requirepass \"abc", "Unbalanced quotes in configuration line"},
      {"replicaof a 99999", "Invalid master port"},
      {"dbfilename a/b", "dbfilename can't be a path, just a filename"},
      {"sentinel monitor a 127.0.0.1 1 1", "sentinel directive while not in sentinel mode"},
      {"unixsocketperm 999", "argument couldn't be parsed as an octal number"},
      {"dir /nonexistent/folder", "No such file or directory"},
      {"rename-command a", "Bad directive or wrong number of arguments"},
      {"client-output-buffer-limit normal 1 2",
       "Wrong number of arguments in buffer limit configuration."},
      {"notify-keyspace-events Q", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."},
  };
  for (const auto& [line, reason] : cases) {
    EXPECT_TRUE(load_file(line).ends_with(">>> '" + line + "'\n" + reason)) << load_file(line);
  }
}

TEST_F(ConfigTest, SaveLinesAddUpAndReplaceTheDefaults) {
  EXPECT_EQ(load_file("save 10 20\nsave 30 40\n"), "");
  EXPECT_EQ(get("save"), "10 20 30 40");
  EXPECT_EQ(load_file("save 10 20\nsave \"\"\n"), "");
  EXPECT_EQ(get("save"), "");
  EXPECT_EQ(load({"--save", "--port", "1"}), "");
  EXPECT_EQ(get("save"), "");
  EXPECT_EQ(get("port"), "1");
}

TEST_F(ConfigTest, AcceptedDirectivesKeepTheirValueAndWarn) {
  EXPECT_EQ(load_file("io-threads 4\nactiverehashing yes\nlua-replicate-commands yes\n"), "");
  EXPECT_EQ(get("io-threads"), "4");
  EXPECT_EQ(config.warnings(), std::vector<std::string>{"'io-threads' has no effect: clients are "
                                                        "served by worker-threads"});
}

// What would promise safety or a limit.
TEST_F(ConfigTest, WhatIsNotThereIsNotPromised) {
  const std::pair<std::string, std::string> kRefused[] = {
      {"loadmodule /a/b.so", "'loadmodule' cannot be had: there are no modules"},
      {"appendonly yes", "'appendonly' can only be 'no': there is no append-only file"},
      {"tls-port 6380", "'tls-port' can only be '0': there is no TLS"},
      {"tls-cert-file a", "'tls-cert-file' can only be '': there is no TLS"},
      {"tls-replication yes", "'tls-replication' can only be 'no': there is no TLS"},
      {"cluster-enabled yes", "'cluster-enabled' can only be 'no': there is no cluster"},
  };
  for (const auto& [line, reason] : kRefused) {
    const std::string report = load_file("timeout 1\n" + line + "\n");
    EXPECT_NE(report.find("at line 2\n>>> '" + line + "'\n" + reason), report.npos) << report;
    const size_t blank = line.find(' ');
    const std::string name = line.substr(0, blank);
    const Directive* directive = find_directive(name);
    if (directive == nullptr || directive->has(kImmutable)) continue;
    const std::string before = get(name);
    EXPECT_NE(set({{"timeout", "9"}, {name, line.substr(blank + 1)}}).find(reason), report.npos);
    EXPECT_EQ(get(name), before);
    EXPECT_EQ(get("timeout"), "1");
  }
  EXPECT_EQ(load_file("appendonly no\nmaxmemory 0\ntls-port 0\naclfile ''\n"
                      "cluster-enabled no\nuser default on nopass sanitize-payload ~* &* +@all\n"),
            "");
}

TEST_F(ConfigTest, UsersAreKeptForWhoKnowsTheirRules) {
  EXPECT_EQ(load_file("user alice on \">a b\" ~*\nUSER bob\n"), "");
  ASSERT_EQ(config.users().size(), 2u);
  EXPECT_EQ(config.users()[0].words, (std::vector<std::string>{"alice", "on", ">a b", "~*"}));
  EXPECT_EQ(config.users()[1].words, std::vector<std::string>{"bob"});
  EXPECT_NE(config.users()[1].report.find("at line 2\n>>> 'USER bob'\n"), std::string::npos);
  EXPECT_NE(load_file("user\n").find("Bad directive or wrong number of arguments"),
            std::string::npos);
}

TEST_F(ConfigTest, AUserIsDeclaredOnce) {
  const std::string report = load_file("user bob on\nuser bob off\n");
  EXPECT_NE(report.find("at line 2\n>>> 'user bob off'\nError in user declaration 'bob': Duplicate "
                        "user found. A user can only be defined once in config files"),
            report.npos)
      << report;
}

TEST_F(ConfigTest, SetsWhichEventsAreTold) {
  EXPECT_EQ(load_file("notify-keyspace-events KEA\n"), "");
  EXPECT_EQ(get("notify-keyspace-events"), "AKE");
  EXPECT_TRUE(options.server.key_events.get().tells(KeyEventClass::kList));
  EXPECT_EQ(set({{"notify-keyspace-events", "Kg"}}), "");
  EXPECT_EQ(get("notify-keyspace-events"), "gK");
  EXPECT_FALSE(options.server.key_events.get().on_event_channels());
  EXPECT_EQ(set({{"notify-keyspace-events", ""}}), "");
  EXPECT_FALSE(options.server.key_events.get().tells_any());
}

TEST_F(ConfigTest, TheMemoryOfClientsIsASizeOrAShare) {
  const Option<int64_t>& limit = options.server.network.clients_memory_max;
  EXPECT_EQ(load_file("maxmemory-clients 1gb\n"), "");
  EXPECT_EQ(get("maxmemory-clients"), "1073741824");
  EXPECT_EQ(set({{"maxmemory-clients", "5%"}}), "");
  EXPECT_EQ(get("maxmemory-clients"), "5%");
  EXPECT_EQ(limit.get(), -5);
  EXPECT_EQ(set({{"maxmemory-clients", "0%"}}), "");
  EXPECT_EQ(get("maxmemory-clients"), "0");
}

TEST_F(ConfigTest, EveryRowWithoutEffectSaysWhy) {
  for (const Directive& directive : directives()) {
    if (directive.accepted() != nullptr) EXPECT_NE(directive.accepted()->why, "") << directive.name;
  }
}

TEST_F(ConfigTest, ProtectedDirectivesAskWhoAsks) {
  const std::string refusal =
      "ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected "
      "config";
  EXPECT_EQ(set({{"dbfilename", "a"}}, true), refusal);
  EXPECT_EQ(load_file("enable-protected-configs local"), "");
  EXPECT_EQ(set({{"dbfilename", "a"}}, false), refusal);
  EXPECT_EQ(set({{"dbfilename", "a"}}, true), "");
  EXPECT_EQ(load_file("enable-protected-configs yes"), "");
  EXPECT_EQ(set({{"dbfilename", "b"}}, false), "");
}

TEST_F(ConfigTest, NothingBehindADirectiveOfSeveralWords) {
  EXPECT_EQ(load_file("save"), "");
  EXPECT_EQ(get("save"), "");
  EXPECT_EQ(load_file("save 1 2\nsave\nsave 3 4"), "");
  EXPECT_EQ(get("save"), "3 4");
  EXPECT_EQ(load_file("bind\nlatency-tracking-info-percentiles\nclient-output-buffer-limit"), "");
  EXPECT_EQ(get("bind"), "");
  EXPECT_EQ(get("latency-tracking-info-percentiles"), "");
  EXPECT_TRUE(
      load_file("shutdown-on-sigterm")
          .ends_with("argument(s) must be one of the following: default, save, nosave, now, "
                     "force"));
}

TEST_F(ConfigTest, GetMatchesPatternsAndAliases) {
  const std::vector<std::string> patterns{"*-PRIORITY", "port"};
  const auto pairs = config.get(patterns);
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].name, "port");
  EXPECT_EQ(pairs[1].name, "replica-priority");
  EXPECT_EQ(pairs[2].name, "slave-priority");
  EXPECT_EQ(get("debug-context"), "");
  EXPECT_EQ(get("debug-contex?"), "(none)");
}

TEST_F(ConfigTest, SetRefusesWithTheTextsOfRedis) {
  EXPECT_EQ(set({{"foo", "1"}}),
            "ERR Unknown option or number of arguments for CONFIG SET - 'foo'");
  const std::string failed = "ERR CONFIG SET failed (possibly related to argument '";
  EXPECT_EQ(set({{"databases", "3"}}), failed + "databases') - can't set immutable config");
  EXPECT_EQ(set({{"dir", "/"}}), failed + "dir') - can't set protected config");
  EXPECT_EQ(set({{"hz", "1"}, {"hz", "2"}}), failed + "hz') - duplicate parameter");
  EXPECT_EQ(set({{"maxmemory", "abc"}}), failed + "maxmemory') - argument must be a memory value");
}

TEST_F(ConfigTest, ADirectiveAndItsAliasMayBeSetTogether) {
  EXPECT_EQ(set({{"replica-priority", "5"}, {"slave-priority", "7"}}), "");
  EXPECT_EQ(get("replica-priority"), "7");
  EXPECT_NE(set({{"replica-priority", "8"}, {"slave-priority", "x"}}), "");
  EXPECT_EQ(get("replica-priority"), "7");
}

TEST_F(ConfigTest, OutputLimitsOfNoClassChangeNothing) {
  const std::string before = get("client-output-buffer-limit");
  EXPECT_EQ(set({{"client-output-buffer-limit", ""}}), "");
  EXPECT_EQ(get("client-output-buffer-limit"), before);
}

TEST_F(ConfigTest, SetIsAllOrNothing) {
  EXPECT_NE(set({{"timeout", "5"}, {"maxclients", "x"}}), "");
  EXPECT_EQ(get("timeout"), "0");
  int calls = 0;
  config.on_change(Part::kClientsMax, [&]() -> Result<void> {
    ++calls;
    if (options.server.network.clients_max.get() == 3) return fail(ErrorCode::kLimit, "too few");
    return {};
  });
  EXPECT_EQ(set({{"timeout", "5"}, {"maxclients", "3"}}),
            "ERR CONFIG SET failed (possibly related to argument 'maxclients') - too few");
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(get("timeout"), "0");
  EXPECT_EQ(get("maxclients"), "10000");
  EXPECT_EQ(set({{"timeout", "5"}, {"maxclients", "4"}}), "");
  EXPECT_EQ(get("timeout"), "5");
}

TEST_F(ConfigTest, ValuesAreShownInTheirOwnForm) {
  EXPECT_EQ(set({{"repl-backlog-size", "2MB"}, {"hz", "1000"}}), "");
  EXPECT_EQ(get("repl-backlog-size"), "2097152");
  EXPECT_EQ(get("hz"), "500");
  EXPECT_EQ(set({{"client-output-buffer-limit", "replica 1gb 2k 3"}}), "");
  EXPECT_EQ(get("client-output-buffer-limit"),
            "normal 0 0 0 slave 1073741824 2000 3 pubsub 33554432 8388608 60");
  EXPECT_EQ(set({{"shutdown-on-sigint", "nosave now"}}), "");
  EXPECT_EQ(get("shutdown-on-sigint"), "nosave now");
}

TEST_F(ConfigTest, RewriteKeepsCommentsAndOrder) {
  ASSERT_EQ(load_file("# first\nport 1\nslaveof localhost 2\nsave 1 1\nsave 2 2\n\n# last\n"), "");
  ASSERT_EQ(set({{"port", "7"},
                 {"save", "5 6"},
                 {"repl-backlog-size", "104857600"},
                 {"masterauth", "a\"b"}}),
            "");
  ASSERT_TRUE(config.rewrite());
  EXPECT_EQ(files.files["x.conf"],
            "# first\nport 7\nreplicaof localhost 2\nsave 5 6\n\n# last\n"
            "# Generated by CONFIG REWRITE\nmasterauth \"a\\\"b\"\nrepl-backlog-size 100mb\n");
  const std::string once = files.files["x.conf"];
  ASSERT_TRUE(config.rewrite());
  EXPECT_EQ(files.files["x.conf"], once);
}

TEST_F(ConfigTest, RewritePutsUsersInTheirPlaces) {
  ASSERT_EQ(load_file("user bob on\nport 1\nuser eve off\n"), "");
  ASSERT_TRUE(config.rewrite());
  EXPECT_EQ(files.files["x.conf"], "user bob on\nport 1\nuser eve off\n");
  std::vector<std::string> lines{"user a on", "user b on", "user c on"};
  config.on_rewrite_users([&lines] { return lines; });
  ASSERT_TRUE(config.rewrite());
  EXPECT_EQ(files.files["x.conf"],
            "user a on\nport 1\nuser b on\n# Generated by CONFIG REWRITE\nuser c on\n");
  lines.clear();
  ASSERT_TRUE(config.rewrite());
  EXPECT_EQ(files.files["x.conf"], "port 1\n# Generated by CONFIG REWRITE\n");
}

TEST_F(ConfigTest, RewriteNeedsAFile) {
  EXPECT_EQ(config.rewrite().error().text, "ERR The server is running without a config file");
}

// Every value that CONFIG GET shows must be one that a file may hold.
TEST_F(ConfigTest, EveryShownValueCanBeReadBack) {
  for (const Directive& directive : directives()) {
    const std::string value = get(std::string(directive.name));
    if (directive.name == "replicaof" && value.empty()) continue;
    MemoryFiles other_files;
    Options other_options;
    Config other(other_options, other_files);
    const std::vector<std::string> arguments{"--" + std::string(directive.name), value};
    const auto loaded = other.load(parse_config_arguments(arguments));
    EXPECT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ(other.get(std::vector<std::string>{std::string(directive.name)})[0].value, value);
  }
}

}  // namespace
}  // namespace tandem
