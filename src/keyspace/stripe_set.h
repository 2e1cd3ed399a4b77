// A set of stripes, as bits: cheap to fill, to compare and to go through in ascending order, which
// is the order in which stripes are locked.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tandem {

inline constexpr int kStripes = 256;

class StripeSet {
 public:
  static StripeSet all() {
    StripeSet every;
    every.words_.fill(~uint64_t{0});
    return every;
  }

  void add(int stripe) { word(stripe) |= bit(stripe); }
  void add(const StripeSet& others) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= others.words_[i];
  }
  bool has(int stripe) const { return (words_[index(stripe)] & bit(stripe)) != 0; }
  bool contains(const StripeSet& others) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      if ((others.words_[i] & ~words_[i]) != 0) return false;
    }
    return true;
  }
  bool empty() const { return (words_[0] | words_[1] | words_[2] | words_[3]) == 0; }
  bool is_all() const { return contains(all()); }
  void clear() { words_.fill(0); }
  bool operator==(const StripeSet&) const = default;

  // In ascending order; ends early when `act` gives false.
  template <class Act>
  bool for_each(Act&& act) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t left = words_[i]; left != 0; left &= left - 1) {
        if (!act(static_cast<int>(i * kBits) + std::countr_zero(left))) return false;
      }
    }
    return true;
  }

 private:
  static constexpr size_t kBits = 64;
  static size_t index(int stripe) { return static_cast<size_t>(stripe) / kBits; }
  static uint64_t bit(int stripe) { return uint64_t{1} << (static_cast<size_t>(stripe) % kBits); }
  uint64_t& word(int stripe) { return words_[index(stripe)]; }

  std::array<uint64_t, kStripes / kBits> words_{};
};

static_assert(kStripes == 256, "empty() names four words");

}  // namespace tandem
