#include "rdb/lzf_packer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace tandem {
namespace {

constexpr size_t kSameBytesMin = 4;  // shorter ones save nothing to speak of
constexpr size_t kSameBytesMax = 264;
constexpr size_t kDistanceMax = 8192;
constexpr size_t kPlainRunMax = 32;
// From so many places in a row without a find on, every second one is looked at, and so on.
constexpr int kPatienceBits = 5;

uint32_t four_bytes(const char* at) {
  uint32_t four;
  std::memcpy(&four, at, sizeof four);
  return four;
}

// How many bytes from `a` on are the same as those from `b` on; `b` ends at `end`.
size_t same_bytes(const char* a, const char* b, const char* end) {
  const char* const begin = b;
  while (end - b >= 8) {
    uint64_t left;
    uint64_t right;
    std::memcpy(&left, a, 8);
    std::memcpy(&right, b, 8);
    if (left != right) {
      return static_cast<size_t>(b - begin) +
             static_cast<size_t>(std::countr_zero(left ^ right)) / 8;
    }
    a += 8;
    b += 8;
  }
  while (b < end && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<size_t>(b - begin);
}

// Writes the packed form as long as it fits.
class Out {
 public:
  Out(std::span<char> out, Bytes text)
      : begin_(out.data()),
        at_(begin_),
        end_(begin_ + out.size()),
        text_end_(text.data() + text.size()) {}

  size_t bytes() const { return static_cast<size_t>(at_ - begin_); }

  bool plain(Bytes text) {
    if (text.empty()) return true;
    if (text.size() <= kPlainRunMax && left() > kPlainRunMax &&
        static_cast<size_t>(text_end_ - text.data()) >= kPlainRunMax) {
      // The most frequent case, without a loop: more is copied than counts.
      *at_ = static_cast<char>(text.size() - 1);
      std::memcpy(at_ + 1, text.data(), kPlainRunMax);
      at_ += 1 + text.size();
      return true;
    }
    const size_t runs = (text.size() + kPlainRunMax - 1) / kPlainRunMax;
    if (left() < text.size() + runs) return false;
    while (!text.empty()) {
      const size_t run = std::min(text.size(), kPlainRunMax);
      *at_++ = static_cast<char>(run - 1);
      std::memcpy(at_, text.data(), run);
      at_ += run;
      text.remove_prefix(run);
    }
    return true;
  }

  bool again(size_t distance, size_t bytes) {
    if (left() < 3) return false;
    const size_t offset = distance - 1;
    if (bytes < 9) {
      *at_++ = static_cast<char>((bytes - 2) << 5 | offset >> 8);
    } else {
      *at_++ = static_cast<char>(7 << 5 | offset >> 8);
      *at_++ = static_cast<char>(bytes - 9);
    }
    *at_++ = static_cast<char>(offset);
    return true;
  }

 private:
  size_t left() const { return static_cast<size_t>(end_ - at_); }

  char* const begin_;
  char* at_;
  char* const end_;
  const char* const text_end_;
};

}  // namespace

size_t LzfPacker::pack(Bytes text, std::span<char> out) {
  if (text.size() > kTextBytesMax || text.size() < kSameBytesMin) return 0;
  if (std::numeric_limits<uint32_t>::max() - base_ < text.size()) {
    seen_.fill(0);
    base_ = 1;
  }
  const auto slot = [this](uint32_t four) -> uint32_t& {
    return seen_[four * 0x9e3779b1U >> (32 - kTableBits)];
  };
  Out packed(out, text);
  const char* const data = text.data();
  const size_t last = text.size() - kSameBytesMin;
  size_t plain_from = 0;
  size_t at = 0;
  while (at <= last) {
    const uint32_t four = four_bytes(data + at);
    uint32_t& seen = slot(four);
    const size_t before = seen - base_;  // huge when it is of an earlier text
    seen = base_ + static_cast<uint32_t>(at);
    if (before >= at || at - before > kDistanceMax || four_bytes(data + before) != four) {
      at += 1 + ((at - plain_from) >> kPatienceBits);
      continue;
    }
    const char* const end = data + std::min(text.size(), at + kSameBytesMax);
    const size_t same =
        kSameBytesMin + same_bytes(data + before + kSameBytesMin, data + at + kSameBytesMin, end);
    if (!packed.plain(text.substr(plain_from, at - plain_from))) return 0;
    if (!packed.again(at - before, same)) return 0;
    at += same;
    plain_from = at;
    if (at > last) break;
    // So that what follows is found, too, where it comes again.
    slot(four_bytes(data + at - 2)) = base_ + static_cast<uint32_t>(at - 2);
  }
  base_ += static_cast<uint32_t>(text.size());
  return packed.plain(text.substr(plain_from)) ? packed.bytes() : 0;
}

}  // namespace tandem
