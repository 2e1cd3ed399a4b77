// Seeded chance. Each owner has a generator of its own: not thread safe, and there is no global
// one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tandem {

// xoroshiro128+ (Blackman and Vigna, 2018), seeded through splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t next();
  // Uniform in [0, bound); bound > 0. The bias of the multiply-shift method is below 2^-32 for our
  // bounds.
  uint64_t below(uint64_t bound);
  // `length` lower-case hexadecimal digits, as replication ids and run ids are written.
  std::string hex(int length);

 private:
  uint64_t state_[2];
};

// A seed from the kernel's entropy, for programs; tests and simulations choose their own.
uint64_t entropy_seed();

// Lower-case hexadecimal digits that nobody can guess, for secrets.
std::string entropy_hex(size_t digits);

}  // namespace tandem
