// LZF for the strings of RDB (rdb_format.h), where it pays. The format leaves it to the writer for
// every string anew, and running the compressor costs far more than all the rest of a snapshot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "keyspace/value.h"
#include "rdb/lzf_packer.h"
#include "rdb/rdb_items.h"

namespace tandem {

// Writes strings with LZF. Confined to one thread.
class RdbLzf {
 public:
  // How many bytes are saved. 0: it would be too few to be worth it, and nothing was written.
  size_t pack(RdbEncoder& encoder, Bytes text);

 private:
  LzfPacker packer_;
  std::string packed_;
};

// Tries each string, whatever became of those before it: for a single value.
class RdbPackEach final : public RdbPacker {
 public:
  bool pack(RdbEncoder& encoder, Bytes text) override;

 private:
  std::unique_ptr<RdbLzf> lzf_;  // from the first string on
};

// What a string is part of; strings of one kind and about one size are taken to be alike.
class RdbStringKind {
 public:
  static constexpr size_t kKinds = 7;

  static constexpr RdbStringKind key() { return RdbStringKind(0); }
  static constexpr RdbStringKind value(ValueType type) {
    return RdbStringKind(static_cast<uint8_t>(1 + static_cast<uint8_t>(type)));
  }
  constexpr size_t index() const { return index_; }

 private:
  explicit constexpr RdbStringKind(uint8_t index) : index_(index) {}
  uint8_t index_;
};

// Tries strings as long as it pays: while LZF saves less than one byte in sixteen of what looks
// alike, it is tried with one string of 64, and so notices when the data change. What it does
// follows from the strings alone, in the order in which they come.
//
// Confined to one thread.
class RdbPacking {
 public:
  // As RdbPacker::pack().
  bool pack(RdbEncoder& encoder, RdbStringKind kind, Bytes text);

  // Strings so far that were tried.
  uint64_t tried() const { return tried_; }

 private:
  // The last strings of one kind and size that were tried: their bytes, and how many were saved.
  struct Tally {
    size_t tried = 0;
    size_t saved = 0;
    uint32_t left_out = 0;  // strings since then

    bool pays() const;
    void add(size_t bytes, size_t bytes_saved);
  };
  static constexpr size_t kSizes = 65;  // by the length of the size in bits

  std::array<std::array<Tally, kSizes>, RdbStringKind::kKinds> tallies_{};
  uint64_t tried_ = 0;
  RdbLzf lzf_;
};

}  // namespace tandem
