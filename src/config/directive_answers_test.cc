// tests/data/directives.txt holds what redis-server says of odd values of each directive, and
// tests/harness/directives.py how it was asked. Here the same is asked of Tandem's table.
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "config/config.h"
#include "config/config_value.h"
#include "io/files.h"

namespace tandem {
namespace {

// One file, in memory.
class OneFile final : public ConfigFiles {
 public:
  Result<std::string> read(const std::string&) override { return text; }
  Result<std::string> read_standard_input() override { return ""; }
  std::vector<std::string> expand(const std::string& pattern) override { return {pattern}; }
  Result<void> replace(const std::string&, const std::string&) override { return {}; }
  bool exists(const std::string&) override { return true; }
  std::string absolute(const std::string& path) override { return path; }

  std::string text;
};

struct Case {
  std::vector<std::string> asked;  // file LINE, or set NAME VALUE
  std::string verdict;             // refused or shown
  std::string answer;
};

constexpr std::string_view kLong = "{long}";
constexpr std::string_view kReasonFollows = " - ";

std::vector<Case> cases() {
  constexpr uint64_t kBytesMax = 1024 * 1024;
  DiskFiles files;
  std::istringstream text(files.read_all(TANDEM_TEST_DATA "/directives.txt", kBytesMax).value());
  std::vector<Case> all;
  for (std::string line; std::getline(text, line);) {
    for (size_t at; (at = line.find(kLong)) != line.npos;) {
      line.replace(at, kLong.size(), std::string(300, 'x'));
    }
    auto columns = split_words(line).value();
    Case next{.asked = {}, .verdict = columns.at(columns.size() - 2), .answer = columns.back()};
    next.asked.assign(columns.begin(), columns.end() - 2);
    all.push_back(std::move(next));
  }
  return all;
}

struct Answer {
  std::string verdict;
  std::string answer;
};

Answer ask(const Case& asked) {
  OneFile file;
  Options options;
  Config config(options, file);
  const auto shown = [&config](const std::string& name) {
    const auto pairs = config.get(std::vector<std::string>{name});
    return Answer{"shown", pairs.empty() ? "(no such directive)" : pairs[0].value};
  };
  if (asked.asked[0] == "set") {
    const ConfigPair pair{asked.asked[1], asked.asked[2]};
    auto set = config.set(std::span(&pair, 1), false);
    if (set) return shown(pair.name);
    const std::string& text = set.error().text;
    return {"refused", text.substr(text.find(kReasonFollows) + kReasonFollows.size())};
  }
  file.text = asked.asked[1] + "\n";
  auto loaded = config.load({.file = "x.conf", .standard_input = false, .lines = {}});
  if (loaded) return shown(file.text.substr(0, file.text.find_first_of(" \n")));
  const std::string& report = loaded.error().text;
  return {"refused", report.substr(report.rfind('\n') + 1)};
}

// What would promise safety or a limit that is not there: Tandem says so.
bool only_default(const Answer& answer) {
  return answer.verdict == "refused" && answer.answer.find("can only be '") != std::string::npos;
}

// Where 7.2 differs from the 7.0 that was asked.
bool is_newer(const Case& asked) {
  constexpr std::string_view kNewer[] = {"(none yet)"};
  return std::ranges::find(kNewer, asked.asked[1]) != std::end(kNewer);
}

TEST(DirectiveAnswers, AreThoseOfRedis) {
  const auto all = cases();
  ASSERT_GT(all.size(), 2000u);
  size_t promises = 0;
  for (const Case& asked : all) {
    if (is_newer(asked)) continue;
    const Answer answer = ask(asked);
    if (only_default(answer)) {
      ++promises;
      continue;
    }
    const bool same = answer.verdict == asked.verdict && answer.answer == asked.answer;
    EXPECT_TRUE(same) << asked.asked[0] << ": " << asked.asked[1] << " " << asked.asked.back()
                      << "\n  Redis: " << asked.verdict << " " << asked.answer
                      << "\n  here:  " << answer.verdict << " " << answer.answer;
  }
  EXPECT_LT(promises, all.size() / 8);
}

}  // namespace
}  // namespace tandem
