#include "stats/info.h"

#include <string>

#include <gtest/gtest.h>

#include "stats/counters.h"

namespace tandem {
namespace {

struct Counts {
  int64_t hits = 0;
  double seconds = 0;
  int64_t kept = 7;
};

constexpr MetricRow<Counts> kCounts[] = {
    {{.name = "own_seconds", .help = "Of the test.", .digits = 3}, metric_read<&Counts::seconds>},
    {{.name = "keyspace_hits", .kind = MetricKind::kCounter, .help = "Of the test."},
     metric_read<&Counts::hits>,
     [](Counts& counts) { counts.hits = 0; }},
    {{.name = "own_kept", .help = "Of the test."}, metric_read<&Counts::kept>},
    {{.name = "own_nothing", .help = "Of the test."}, [](const Counts&) { return MetricValue(); }},
};

TEST(Info, SectionsByWord) {
  EXPECT_TRUE(info_sections({}).contains("server"));
  EXPECT_FALSE(info_sections({}).contains("commandstats"));
  const std::vector<Bytes> all{"ALL"};
  EXPECT_TRUE(info_sections(all).contains("commandstats"));
  const std::vector<Bytes> some{"Server", "keyspace"};
  EXPECT_EQ(info_sections(some), (std::set<std::string>{"server", "keyspace"}));
}

TEST(Info, SectionsAreSeparatedByAnEmptyLine) {
  EXPECT_EQ(info_text({}, {"modules", "cluster"}),
            "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n");
  EXPECT_EQ(info_text({}, {"nothing"}), "");
}

TEST(Info, ARowIsShownWithoutAnyMoreEdits) {
  Counts counts{.hits = 5, .seconds = 1.5};
  const MetricTables tables{MetricTable("stats", kCounts, counts)};
  const std::string text = info_text(tables, {"stats"});
  EXPECT_NE(text.find("\r\nkeyspace_hits:5\r\n"), text.npos) << "in the layout's place";
  EXPECT_TRUE(text.ends_with("reply_buffer_expands:0\r\nown_seconds:1.500\r\nown_kept:7\r\n"))
      << "behind it";
  EXPECT_EQ(text.find("own_nothing"), text.npos);
}

TEST(Info, SeveralSourcesAddUpAndAreResetTogether) {
  Counts one{.hits = 5, .seconds = 1.5}, other{.hits = 6, .seconds = 2};
  const auto table =
      MetricTable::summed<Counts>("stats", kCounts, [&](FunctionRef<void(Counts&)> visit) {
        visit(one);
        visit(other);
      });
  EXPECT_EQ(*read_metrics({table}, "stats").at("keyspace_hits").integer(), 11);
  EXPECT_EQ(*read_metrics({table}, "stats").at("own_seconds").fraction(), 3.5);
  table.reset();
  EXPECT_EQ(one.hits + other.hits, 0);
  EXPECT_EQ(one.kept, 7) << "it has no reset";
}

TEST(Info, MetricsWithALabelAreOneLineEach) {
  const auto table = MetricTable::labelled<Counts>(
      "keyspace", kCounts, [](FunctionRef<void(std::string_view, const Counts&)> visit) {
        visit("3", Counts{.hits = 5});
        visit("4", Counts{.hits = 6});
      });
  EXPECT_EQ(info_text({table}, {"keyspace"}),
            "# Keyspace\r\ndb3:own_seconds=0.000,keyspace_hits=5,own_kept=7\r\n"
            "db4:own_seconds=0.000,keyspace_hits=6,own_kept=7\r\n");
}

TEST(Info, NoLineIsThereTwice) {
  std::set<std::string_view> names;
  for (const InfoSection& section : info_layout()) {
    for (const InfoLine& line : section.lines) {
      EXPECT_TRUE(names.insert(line.name).second) << line.name;
    }
  }
}

TEST(Info, ErrorsOfOneWordHaveNoCode) {
  ErrorCounts errors;
  errors.count("-WRONGTYPE Operation\r\n");
  errors.count("-word\r\n");
  errors.count("-ERR text\r\n");
  errors.count("-" + std::string(40, 'x') + " text\r\n");
  EXPECT_EQ(errors.list().size(), 2u);
  EXPECT_EQ(errors.list().find("ERR")->second, 3u);
}

TEST(Info, HumanBytes) {
  EXPECT_EQ(human_bytes(12), "12B");
  EXPECT_EQ(human_bytes(941248), "919.19K");
  EXPECT_EQ(human_bytes(6787072), "6.47M");
}

TEST(Rate, GrowthForEachOfAnother) {
  Rate rate;
  rate.sample(100, 1000);
  EXPECT_EQ(rate.value(), 0) << "one sample has not grown yet";
  for (int64_t at = 1; at <= 16; ++at) rate.sample(100 + 50 * at, 1000 + 100 * at);
  EXPECT_DOUBLE_EQ(rate.value(), 0.5);
  rate.sample(0, 2700);  // after CONFIG RESETSTAT
  EXPECT_DOUBLE_EQ(rate.value(), 0.5 * 15 / 16);
  rate.reset();
  EXPECT_EQ(rate.value(), 0);
}

}  // namespace
}  // namespace tandem
