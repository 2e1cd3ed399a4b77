#include "engine/command_keys.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

std::string positions(std::span<const KeySpec> specs, std::vector<Bytes> args) {
  std::vector<FoundKey> found;
  std::string text = find_keys(specs, args, found) ? "" : "incomplete ";
  for (const FoundKey& key : found) text += std::to_string(key.position) + " ";
  return text;
}

// A word for keys may come several times. Each key behind one is found, were it the word itself:
// who stores into the last of them holds its stripe.
TEST(CommandKeys, AWordMayRepeat) {
  const KeySpec specs[] = {
      key_at(1, "RO access"),
      {.use = "OW update", .begin = 2, .begin_keyword = "STORE", .repeats = true}};
  EXPECT_EQ(positions(specs, {"c", "k", "x"}), "1 ");
  EXPECT_EQ(positions(specs, {"c", "k", "store", "a"}), "1 3 ");
  EXPECT_EQ(positions(specs, {"c", "k", "STORE", "a", "x", "STORE", "b"}), "1 3 6 ");
  EXPECT_EQ(positions(specs, {"c", "k", "STORE", "STORE", "STORE", "b"}), "1 3 4 5 ");
  EXPECT_EQ(positions(specs, {"c", "k", "STORE", "a", "STORE"}), "1 3 ");
  EXPECT_EQ(positions(specs, {"c", "STORE", "x"}), "1 ");
}

// Where a range begins may be a matter of the whole call.
TEST(CommandKeys, ARangeMayBeFoundByAFunction) {
  KeySpec spec = keys_range(1, -1, 1, "RW");
  spec.position_in = [](std::span<const Bytes> args) { return args.size() > 2 ? 2 : 0; };
  EXPECT_EQ(positions({&spec, 1}, {"c", "x", "a", "b"}), "2 3 ");
  EXPECT_EQ(positions({&spec, 1}, {"c", "x"}), "");
  EXPECT_EQ(spec.fixed_position(), 0);
  spec.last = 0;
  EXPECT_EQ(spec.fixed_position(), 0);
}

}  // namespace
}  // namespace tandem
