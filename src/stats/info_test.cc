#include "stats/info.h"

#include <string>

#include <gtest/gtest.h>

#include "stats/error_counts.h"

namespace tandem {
namespace {

TEST(Info, SectionsByWord) {
  EXPECT_TRUE(info_sections({}).contains("server"));
  EXPECT_FALSE(info_sections({}).contains("commandstats"));
  const std::vector<Bytes> all{"ALL"};
  EXPECT_TRUE(info_sections(all).contains("commandstats"));
  const std::vector<Bytes> some{"Server", "keyspace"};
  EXPECT_EQ(info_sections(some), (std::set<std::string>{"server", "keyspace"}));
}

TEST(Info, SectionsAreSeparatedByAnEmptyLine) {
  InfoFigures figures;
  figures.databases.push_back({3, 5, 1});
  figures.errors.push_back({"ERR", 2});
  EXPECT_EQ(info_text(figures, {"errorstats", "keyspace"}),
            "# Errorstats\r\nerrorstat_ERR:count=2\r\n\r\n"
            "# Keyspace\r\ndb3:keys=5,expires=1,avg_ttl=0\r\n");
  EXPECT_EQ(info_text(figures, {"nothing"}), "");
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

TEST(Info, CommandFigures) {
  InfoFigures figures;
  figures.commands.push_back({"client|id", 4, 10, 1, 2});
  EXPECT_EQ(info_text(figures, {"commandstats"}),
            "# Commandstats\r\ncmdstat_client|id:calls=4,usec=10,usec_per_call=2.50,"
            "rejected_calls=1,failed_calls=2\r\n");
}

TEST(Info, HumanBytes) {
  EXPECT_EQ(human_bytes(12), "12B");
  EXPECT_EQ(human_bytes(941248), "919.19K");
  EXPECT_EQ(human_bytes(6787072), "6.47M");
}

}  // namespace
}  // namespace tandem
