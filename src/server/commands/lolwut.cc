// LOLWUT: two riders on one curve, and the version.
//
// The curve is one of Lissajous's: across by one sine, down by another, whose frequencies are drawn
// for each picture. The second rider is a little behind the first.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/number.h"
#include "base/version.h"
#include "server/commands/rows.h"

namespace tandem {
namespace {

struct Canvas {
  size_t columns = 60;
  size_t lines = 20;
};

constexpr int64_t kSideMax = 1000;

std::string ride(const Canvas& canvas, Random& random) {
  constexpr uint64_t kFrequencies = 5;
  constexpr double kLag = 0.12;
  const double turn = 2 * std::numbers::pi;
  const auto across = static_cast<double>(1 + random.below(kFrequencies));
  const auto down = static_cast<double>(1 + random.below(kFrequencies));
  const double phase = turn * static_cast<double>(random.below(360)) / 360;
  std::vector<std::string> picture(canvas.lines, std::string(canvas.columns, ' '));
  const auto place = [](double sine, size_t side) {
    return static_cast<size_t>(std::lround((1 + sine) / 2 * static_cast<double>(side - 1)));
  };
  const auto draw = [&](double time, char mark) {
    const size_t column = place(std::sin(across * time + phase), canvas.columns);
    picture[place(std::sin(down * time), canvas.lines)][column] = mark;
  };
  const size_t steps = 8 * (canvas.columns + canvas.lines);
  for (size_t step = 0; step < steps; ++step) {
    const double time = turn * static_cast<double>(step) / static_cast<double>(steps);
    draw(time - kLag, '.');
  }
  for (size_t step = 0; step < steps; step += 8) {
    draw(turn * static_cast<double>(step) / static_cast<double>(steps), 'o');
  }
  std::string text;
  for (const std::string& line : picture) text += line + "\n";
  return text;
}

// The numbers behind a version that has any: its width and, of the later one, its height.
bool parse_canvas(Context& c, size_t first, int64_t version, Canvas& canvas) {
  constexpr int64_t kWithLines = 6;
  for (size_t at = first; at < std::min(c.args.size(), first + 3); ++at) {
    const auto side = parse_int64(c.args[at]);
    if (!side) {
      c.reply.error(kNotInteger);
      return false;
    }
    const auto clamped = static_cast<size_t>(std::clamp<int64_t>(*side, 1, kSideMax));
    if (at == first) canvas.columns = clamped;
    if (at == first + 1 && version == kWithLines) canvas.lines = clamped;
  }
  return true;
}

void lolwut(Context& c) {
  Canvas canvas;
  constexpr std::array kVersionsWithNumbers{5, 6};
  if (c.args.size() >= 3 && equal_ignore_case(c.args[1], "version")) {
    const auto version = parse_int64(c.args[2]);
    if (!version) return c.reply.error(kNotInteger);
    const bool numbers =
        std::ranges::find(kVersionsWithNumbers, *version) != kVersionsWithNumbers.end();
    if (numbers && !parse_canvas(c, 3, *version, canvas)) return;
  }
  c.reply.verbatim(fmt::format("{}\nTandem {}. Redis ver. {}\n", ride(canvas, c.random),
                               kTandemVersion, kRedisVersion));
}

}  // namespace

// clang-format off: a row is a record
std::vector<CommandRow> lolwut_rows() {
  return {
      {.name = "lolwut", .arity = -1, .flags = kReadOnly | kFast, .handler = lolwut,
       .group = "server", .since = "5.0.0",
       .summary = "Draws a picture and tells the version.",
       .syntax = "[VERSION version:integer]"},
  };
}
// clang-format on

}  // namespace tandem
