#include "data/common_subsequence.h"

#include <bit>
#include <optional>

namespace tandem {
namespace {

size_t index_of(char byte) { return static_cast<uint8_t>(byte); }

// One byte of the first text goes by: the row under `row`. `matches` are its places in the second.
void advance(std::vector<uint64_t>& row, const std::vector<uint64_t>& matches) {
  bool carry = false;
  for (size_t i = 0; i < row.size(); ++i) {
    uint64_t sum;
    const bool first_carry = __builtin_add_overflow(row[i], row[i] & matches[i], &sum);
    const bool second_carry = __builtin_add_overflow(sum, uint64_t{carry}, &sum);
    carry = first_carry || second_carry;
    row[i] = sum | (row[i] & ~matches[i]);
  }
}

}  // namespace

// For each byte of the first text, where it is in the second; `slots` say which is whose.
std::vector<CommonSubsequence::Row> CommonSubsequence::places_of_bytes(
    std::array<int, 256>& slots) const {
  slots.fill(-1);
  std::vector<Row> places;
  for (const char byte : first_) {
    int& slot = slots[index_of(byte)];
    if (slot >= 0) continue;
    slot = static_cast<int>(places.size());
    places.emplace_back(words());
  }
  for (size_t at = 0; at < second_.size(); ++at) {
    const int slot = slots[index_of(second_[at])];
    if (slot >= 0) places[static_cast<size_t>(slot)][at / 64] |= uint64_t{1} << at % 64;
  }
  return places;
}

template <class Keep>
CommonSubsequence::Row CommonSubsequence::fill(Keep keep) const {
  std::array<int, 256> slots;
  const std::vector<Row> places = places_of_bytes(slots);
  Row row(words(), ~uint64_t{0});
  for (const char byte : first_) {
    advance(row, places[static_cast<size_t>(slots[index_of(byte)])]);
    keep(row);
  }
  return row;
}

size_t CommonSubsequence::length() const {
  const Row last = fill([](const Row&) {});
  size_t length = 0;
  for (const uint64_t word : last) length += static_cast<size_t>(std::popcount(~word));
  return length;
}

void CommonSubsequence::for_each_match(FunctionRef<void(const Match&)> visit) const {
  std::vector<uint64_t> table;
  table.reserve(words() * first_.size());
  fill([&](const Row& row) { table.insert(table.end(), row.begin(), row.end()); });
  std::optional<Match> match;
  const auto end_match = [&] {
    if (match) visit(*match);
    match.reset();
  };
  size_t i = first_.size();
  size_t j = second_.size();
  while (i > 0 && j > 0) {
    if (first_[i - 1] == second_[j - 1]) {
      --i;
      --j;
      match = {.in_first = i, .in_second = j, .bytes = match ? match->bytes + 1 : 1};
      continue;
    }
    end_match();
    const bool rises = (table[(i - 1) * words() + (j - 1) / 64] >> (j - 1) % 64 & 1) == 0;
    --(rises ? i : j);
  }
  end_match();
}

}  // namespace tandem
