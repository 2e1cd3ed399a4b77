#include "base/random.h"

#include <array>

#include <sys/random.h>

#include "base/bytes.h"
#include "base/check.h"

namespace tandem {
namespace {

uint64_t splitmix(uint64_t& state) {
  uint64_t z = (state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

uint64_t rotate_left(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

}  // namespace

Random::Random(uint64_t seed) : state_{splitmix(seed), splitmix(seed)} {}

uint64_t Random::next() {
  const uint64_t s0 = state_[0];
  uint64_t s1 = state_[1];
  const uint64_t result = s0 + s1;
  s1 ^= s0;
  state_[0] = rotate_left(s0, 24) ^ s1 ^ (s1 << 16);
  state_[1] = rotate_left(s1, 37);
  return result;
}

uint64_t Random::below(uint64_t bound) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
}

std::string Random::hex(int length) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(static_cast<size_t>(length), '0');
  for (char& c : out) c = kDigits[next() >> 60];
  return out;
}

uint64_t entropy_seed() {
  uint64_t seed = 0;
  CHECK(getrandom(&seed, sizeof(seed), 0) == sizeof(seed), "the kernel gives entropy");
  return seed;
}

std::string entropy_hex(size_t digits) {
  std::string text;
  while (text.size() < digits) {
    std::array<uint8_t, 32> bytes;
    CHECK(getrandom(bytes.data(), bytes.size(), 0) == ssize_t{bytes.size()},
          "the kernel gives entropy");
    text += hex_text(bytes);
  }
  text.resize(digits);
  return text;
}

}  // namespace tandem
