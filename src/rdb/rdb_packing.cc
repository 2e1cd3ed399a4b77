#include "rdb/rdb_packing.h"

#include <bit>

#include "rdb/rdb_format.h"

namespace tandem {
namespace {

// A compressed string has two lengths more than a plain one: less than this saved is not worth it.
constexpr size_t kLzfSavedMin = 4;
constexpr size_t kPackedKeptMax = 1024 * 1024;

// Of one kind and size: a judgement needs so many bytes tried, and looks back over so many.
constexpr size_t kJudgedBytesMin = 16 * 1024;
constexpr size_t kJudgedBytesMax = 64 * 1024;
// Less than one byte saved of so many does not pay.
constexpr size_t kPaysOneOf = 16;
// Where it does not pay, one string of so many is tried all the same.
constexpr uint32_t kTriedOneOf = 64;

}  // namespace

size_t RdbLzf::pack(RdbEncoder& encoder, Bytes text) {
  if (text.size() > LzfPacker::kTextBytesMax || text.size() <= kLzfSavedMin) return 0;
  const size_t packed_max = text.size() - kLzfSavedMin;
  if (packed_.size() < packed_max) packed_.resize(packed_max);
  const size_t bytes = packer_.pack(text, {packed_.data(), packed_max});
  if (bytes != 0) {
    encoder.byte(kRdbEncodedLzf);
    encoder.length(bytes);
    encoder.length(text.size());
    encoder.raw(Bytes(packed_.data(), bytes));
  }
  if (packed_.capacity() > kPackedKeptMax) packed_ = {};
  return bytes == 0 ? 0 : text.size() - bytes;
}

bool RdbPackEach::pack(RdbEncoder& encoder, Bytes text) {
  if (lzf_ == nullptr) lzf_ = std::make_unique<RdbLzf>();
  return lzf_->pack(encoder, text) > 0;
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
  const size_t saved = lzf_.pack(encoder, text);
  tally.add(text.size(), saved);
  return saved > 0;
}

}  // namespace tandem
