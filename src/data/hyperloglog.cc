#include "data/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/function_ref.h"

namespace tandem {
namespace {

constexpr Bytes kMagic = "HYLL";
constexpr size_t kEncodingAt = 4;
constexpr size_t kCountAt = 8;
constexpr size_t kHeadBytes = 16;
constexpr char kDense = 0;
constexpr char kSparse = 1;
constexpr char kStale = '\x80';  // in the last byte of the count

constexpr int kIndexBits = 14;
static_assert(kHyperLogLogRegisters == 1u << kIndexBits);
// The other bits of a hash: a register is the place of the first that is set, or one more.
constexpr int kValueBits = 64 - kIndexBits;

constexpr unsigned kShortZerosMax = 64;  // registers of a run
constexpr unsigned kValuesMax = 4;
constexpr unsigned kRunValueMax = 32;

std::unexpected<Error> corrupt() {
  return fail(ErrorCode::kInvalid, "runs that are not 16,384 registers");
}

uint8_t byte_at(Bytes bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

// MurmurHash64A (Austin Appleby, 2008, in the public domain), with the seed of Redis.
uint64_t hash_of(Bytes element) {
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  constexpr uint64_t kSeed = 0xadc83b19;
  constexpr int kShift = 47;
  uint64_t hash = kSeed ^ (element.size() * kFactor);
  for (; element.size() >= 8; element.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, element.data(), 8);
    word *= kFactor;
    word ^= word >> kShift;
    hash = (hash ^ (word * kFactor)) * kFactor;
  }
  if (!element.empty()) {
    uint64_t rest = 0;
    std::memcpy(&rest, element.data(), element.size());
    hash = (hash ^ rest) * kFactor;
  }
  hash = (hash ^ (hash >> kShift)) * kFactor;
  return hash ^ (hash >> kShift);
}
static_assert(std::endian::native == std::endian::little, "words are hashed as they lie");

// Four registers of a dense value in three bytes.
constexpr size_t kGroupBytes = 3;
constexpr unsigned kRegisterMask = 0x3F;

unsigned group_at(Bytes text, size_t at) {
  return byte_at(text, at) | unsigned{byte_at(text, at + 1)} << 8 |
         unsigned{byte_at(text, at + 2)} << 16;
}

struct Run {
  unsigned bytes;
  unsigned registers;
  uint8_t value;
};

// Nothing: it is cut off.
std::optional<Run> run_at(Bytes text, size_t at) {
  if (at >= text.size()) return std::nullopt;
  const unsigned first = byte_at(text, at);
  if ((first & 0x80) != 0) {
    return Run{1, (first & 3) + 1, static_cast<uint8_t>((first >> 2 & 0x1F) + 1)};
  }
  if ((first & 0x40) == 0) return Run{1, first + 1, 0};
  if (at + 1 == text.size()) return std::nullopt;
  return Run{2, ((first & 0x3F) << 8 | byte_at(text, at + 1)) + 1, 0};
}

// The shortest run of so many registers, none if there are none.
void append_run(std::string& out, unsigned registers, uint8_t value) {
  if (registers == 0) return;
  const unsigned less = registers - 1;
  if (value > 0) {
    out += static_cast<char>(0x80 | (value - 1) << 2 | less);
  } else if (registers <= kShortZerosMax) {
    out += static_cast<char>(less);
  } else {
    out += static_cast<char>(0x40 | less >> 8);
    out += static_cast<char>(less);
  }
}

Result<void> for_each_run(Bytes text, FunctionRef<void(unsigned first, const Run&)> visit) {
  unsigned first = 0;
  for (size_t at = kHeadBytes; at < text.size();) {
    const std::optional<Run> run = run_at(text, at);
    if (!run || first + run->registers > kHyperLogLogRegisters) return corrupt();
    visit(first, *run);
    first += run->registers;
    at += run->bytes;
  }
  if (first != kHyperLogLogRegisters) return corrupt();
  return {};
}

template <class Visit>
void for_each_dense_register(Bytes text, Visit visit) {
  size_t index = 0;
  for (size_t at = kHeadBytes; at < text.size(); at += kGroupBytes) {
    const unsigned group = group_at(text, at);
    visit(index, group & kRegisterMask);
    visit(index + 1, group >> 6 & kRegisterMask);
    visit(index + 2, group >> 12 & kRegisterMask);
    visit(index + 3, group >> 18);
    index += 4;
  }
}

// Makes one run of two neighbours that have one value. From `at` on so few runs are looked at that
// it costs little, and as many as in Redis.
void join_runs(std::string& text, size_t at) {
  constexpr int kLooks = 5;
  for (int look = 0; look < kLooks; ++look) {
    const std::optional<Run> run = run_at(text, at);
    if (!run) return;
    const std::optional<Run> next = run_at(text, at + run->bytes);
    const bool joins = next && run->value > 0 && run->value == next->value &&
                       run->registers + next->registers <= kValuesMax;
    if (joins) {
      std::string joined;
      append_run(joined, run->registers + next->registers, run->value);
      text.replace(at, 2, joined);
    } else {
      at += run->bytes;
    }
  }
}

// How many registers have each value.
using Histogram = std::array<uint32_t, kRegisterMask + 1>;

double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double power = 1;
  double sum = x;
  for (double before = -1; before != sum;) {
    x *= x;
    before = sum;
    sum += x * power;
    power += power;
  }
  return sum;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double power = 1;
  double sum = 1 - x;
  for (double before = -1; before != sum;) {
    x = std::sqrt(x);
    before = sum;
    power *= 0.5;
    sum -= (1 - x) * (1 - x) * power;
  }
  return sum / 3;
}

uint64_t estimate(const Histogram& histogram) {
  constexpr double kRegisters = kHyperLogLogRegisters;
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  double z = kRegisters * tau((kRegisters - histogram[kValueBits + 1]) / kRegisters);
  for (size_t value = kValueBits; value > 0; --value) {
    z += histogram[value];
    z *= 0.5;
  }
  z += kRegisters * sigma(histogram[0] / kRegisters);
  return static_cast<uint64_t>(std::llround(kAlpha * kRegisters * kRegisters / z));
}

}  // namespace

Observation observe(Bytes element) {
  const uint64_t hash = hash_of(element);
  // The bit above the last stops the count.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kValueBits;
  return {.index = static_cast<uint16_t>(hash % kHyperLogLogRegisters),
          .value = static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

bool is_hyperloglog(Bytes text) {
  if (text.size() < kHeadBytes || !text.starts_with(kMagic)) return false;
  const char encoding = text[kEncodingAt];
  return encoding == kSparse || (encoding == kDense && text.size() == kHyperLogLogDenseBytes);
}

bool is_dense_hyperloglog(Bytes text) { return text[kEncodingAt] == kDense; }

std::optional<uint64_t> kept_count(Bytes text) {
  if ((text[kHeadBytes - 1] & kStale) != 0) return std::nullopt;
  uint64_t count;
  std::memcpy(&count, text.data() + kCountAt, sizeof(count));
  return count;
}

void keep_count(std::span<char> text, uint64_t count) {
  std::memcpy(text.data() + kCountAt, &count, sizeof(count));
}

void forget_count(std::span<char> text) { text[kHeadBytes - 1] |= kStale; }

bool raise_register(std::span<char> dense, Observation observation) {
  const size_t at = kHeadBytes + observation.index / 4 * kGroupBytes;
  const int shift = observation.index % 4 * 6;
  unsigned group = group_at({dense.data(), dense.size()}, at);
  if ((group >> shift & kRegisterMask) >= observation.value) return false;
  group &= ~(kRegisterMask << shift);
  group |= unsigned{observation.value} << shift;
  for (size_t i = 0; i < kGroupBytes; ++i) dense[at + i] = static_cast<char>(group >> (8 * i));
  return true;
}

HyperLogLog::HyperLogLog() : text_(kMagic) {
  text_ += kSparse;
  text_.resize(kHeadBytes);
  forget_count();
  append_run(text_, kHyperLogLogRegisters, 0);
}

Result<void> HyperLogLog::become_dense() {
  if (is_dense_hyperloglog(text_)) return {};
  std::string dense = text_.substr(0, kHeadBytes);
  dense[kEncodingAt] = kDense;
  dense.resize(kHyperLogLogDenseBytes);
  const auto filled = for_each_run(text_, [&](unsigned first, const Run& run) {
    for (unsigned i = 0; i < run.registers && run.value > 0; ++i) {
      raise_register(dense, {static_cast<uint16_t>(first + i), run.value});
    }
  });
  if (filled) text_ = std::move(dense);
  return filled;
}

Result<bool> HyperLogLog::raise_dense(Observation observation) {
  if (auto dense = become_dense(); !dense) return std::unexpected(std::move(dense.error()));
  return raise_register(text_, observation);
}

Result<bool> HyperLogLog::raise(Observation observation, size_t sparse_bytes_max) {
  if (is_dense_hyperloglog(text_) || observation.value > kRunValueMax) {
    return raise_dense(observation);
  }
  size_t before = kHeadBytes;  // the run before the one that has the register
  size_t at = kHeadBytes;
  unsigned first = 0;
  std::optional<Run> run = run_at(text_, at);
  while (run && first + run->registers <= observation.index) {
    before = at;
    at += run->bytes;
    first += run->registers;
    run = run_at(text_, at);
  }
  if (!run) return corrupt();
  if (run->value >= observation.value) return false;
  std::string parts;
  append_run(parts, observation.index - first, run->value);
  append_run(parts, 1, observation.value);
  append_run(parts, first + run->registers - observation.index - 1, run->value);
  const size_t bytes = text_.size() - run->bytes + parts.size();
  if (bytes > text_.size() && bytes > sparse_bytes_max) return raise_dense(observation);
  text_.replace(at, run->bytes, parts);
  join_runs(text_, before);
  return true;
}

void HyperLogLog::raise_to(const RegisterUnion& all, size_t sparse_bytes_max) {
  constexpr const char* kKnown = "a value that was read is well formed";
  if (all.any_dense()) CHECK(become_dense(), kKnown);
  for (size_t index = 0; index < kHyperLogLogRegisters; ++index) {
    const Observation least{static_cast<uint16_t>(index), all.registers()[index]};
    if (least.value > 0) CHECK(raise(least, sparse_bytes_max), kKnown);
  }
}

Result<void> RegisterUnion::add(Bytes text) {
  if (is_dense_hyperloglog(text)) {
    any_dense_ = true;
    for_each_dense_register(text, [&](size_t index, unsigned value) {
      registers_[index] = std::max(registers_[index], static_cast<uint8_t>(value));
    });
    return {};
  }
  return for_each_run(text, [&](unsigned first, const Run& run) {
    for (unsigned i = first; i < first + run.registers && run.value > 0; ++i) {
      registers_[i] = std::max(registers_[i], run.value);
    }
  });
}

uint64_t RegisterUnion::count() const {
  Histogram histogram{};
  for (const uint8_t value : registers_) ++histogram[value];
  return estimate(histogram);
}

Result<uint64_t> count_elements(Bytes text) {
  Histogram histogram{};
  if (is_dense_hyperloglog(text)) {
    for_each_dense_register(text, [&](size_t, unsigned value) { ++histogram[value]; });
    return estimate(histogram);
  }
  const auto counted =
      for_each_run(text, [&](unsigned, const Run& run) { histogram[run.value] += run.registers; });
  if (!counted) return std::unexpected(counted.error());
  return estimate(histogram);
}

}  // namespace tandem
