// LZF saves nothing without a sequence of three bytes that comes again, and finding one is far
// cheaper than a run of the compressor, whose table is 256 KB: a look at the first kilobytes with a
// table of 2 KB tells random bytes and short names from text.
#include "rdb/rdb_packing.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <liblzf/lzf.h>

#include "rdb/rdb_format.h"

namespace tandem {
namespace {

constexpr size_t kProbeBytes = 4096;
constexpr size_t kLzfBytesMax = size_t{1} << 30;
// A compressed string has two lengths more than a plain one: less than this saved is not worth it.
constexpr size_t kLzfSavedMin = 4;
constexpr size_t kScratchKeptMax = 1024 * 1024;

// Of one kind and size: a judgement needs so many bytes tried, and looks back over so many.
constexpr size_t kJudgedBytesMin = 16 * 1024;
constexpr size_t kJudgedBytesMax = 64 * 1024;
// Less than one byte saved of so many does not pay.
constexpr size_t kPaysOneOf = 16;
// Where it does not pay, one string of so many is tried all the same.
constexpr uint32_t kTriedOneOf = 64;

// How many bytes were saved; 0: nothing was written.
size_t pack_with_lzf(RdbEncoder& encoder, Bytes text, std::string& scratch) {
  if (text.size() > kLzfBytesMax || !lzf_may_pay(text)) return 0;
  const size_t packed_max = text.size() - kLzfSavedMin;
  if (scratch.size() < packed_max) scratch.resize(packed_max);
  const size_t packed_bytes = lzf_compress(text.data(), static_cast<unsigned>(text.size()),
                                           scratch.data(), static_cast<unsigned>(packed_max));
  if (packed_bytes != 0) {
    encoder.byte(kRdbEncodedLzf);
    encoder.length(packed_bytes);
    encoder.length(text.size());
    encoder.raw(Bytes(scratch.data(), packed_bytes));
  }
  clear_and_keep(scratch, kScratchKeptMax);
  return packed_bytes == 0 ? 0 : text.size() - packed_bytes;
}

}  // namespace

bool lzf_may_pay(Bytes bytes) {
  constexpr int kTableBits = 10;
  std::array<uint16_t, size_t{1} << kTableBits>
      last_seen{};  // offset + 1 of three bytes with this hash
  const size_t end = std::min(bytes.size(), kProbeBytes);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  for (size_t at = 0; at + 3 <= end; ++at) {
    const uint32_t three = uint32_t{data[at]} << 16 | uint32_t{data[at + 1]} << 8 | data[at + 2];
    uint16_t& seen = last_seen[three * 0x9e3779b1U >> (32 - kTableBits)];
    if (seen != 0 && std::memcmp(data + seen - 1, data + at, 3) == 0) return true;
    seen = static_cast<uint16_t>(at + 1);
  }
  return false;
}

bool RdbPackEach::pack(RdbEncoder& encoder, Bytes text) {
  return pack_with_lzf(encoder, text, scratch_) > 0;
}

bool RdbPacking::Tally::pays() const {
  return tried < kJudgedBytesMin || saved * kPaysOneOf >= tried;
}

// Halving lets the past fade, so that the last strings count most.
void RdbPacking::Tally::add(size_t bytes, size_t bytes_saved) {
  tried += bytes;
  saved += bytes_saved;
  while (tried > kJudgedBytesMax) {
    tried /= 2;
    saved /= 2;
  }
}

bool RdbPacking::pack(RdbEncoder& encoder, RdbStringKind kind, Bytes text) {
  Tally& tally = tallies_[kind.index()][static_cast<size_t>(std::bit_width(text.size()))];
  if (!tally.pays() && ++tally.left_out % kTriedOneOf != 0) return false;
  ++tried_;
  const size_t saved = pack_with_lzf(encoder, text, scratch_);
  tally.add(text.size(), saved);
  return saved > 0;
}

}  // namespace tandem
