// Entries as they are at one moment, on their way from the keyspace into RDB (rdb_format.h). What
// must be done while others wait for the stripe is apart from what need not:
//
//   under the stripe:   RdbCapture capture(options);
//                       capture.add(entry);                 copies, counts references, no more
//   on any one thread:  while (capture.encode(sink, ...)) send what is in the sink;
//
// A string of more than Entry::kInlineMax bytes is shared for the price of a count: a write that
// changes it in place makes a copy of its own first, and most writes replace it anyway. All else is
// copied: as it lies in memory where the version's readers know that form (listpacks, intsets), and
// else element by element. So what was captured is RDB already, but for the shared strings, which
// are put in their places, and for strings that LZF may take, whose places are noted.
//
// Confined to one thread at a time. Large collections do not belong here (RdbLargeEntry): what
// adding them costs has no limit.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "keyspace/entry.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"
#include "rdb/rdb_packing.h"

namespace tandem {

class RdbCapture {
 public:
  // Has room for `bytes` to begin with.
  explicit RdbCapture(const RdbWriteOptions& options, size_t bytes = 0) : options_(options) {
    plain_.reserve(bytes);
  }
  RdbCapture(RdbCapture&&) noexcept = default;
  RdbCapture& operator=(RdbCapture&&) noexcept = default;

  // REQUIRES: the entry's stripe held, and no call of encode() so far.
  void add(const Entry& entry);
  // Part of an entry, as `encode` writes it; `kind` says what its strings are.
  void add(RdbStringKind kind, FunctionRef<void(RdbEncoder&)> encode);

  // Appends the next entries, of about `bytes` in all. `packing`: who tries LZF, if the options say
  // so; null: all goes out plain, which takes next to no time. False: these were the last, and
  // nothing is held any more.
  bool encode(ByteSink& sink, RdbPacking* packing, size_t bytes);

  bool empty() const { return plain_.empty(); }
  // Of what it holds: copied, and shared.
  size_t copied_bytes() const { return plain_.size(); }
  size_t bytes() const { return plain_.size() + shared_bytes_; }
  // Nothing is left in it, but its room.
  void clear();

 private:
  // A string among the bytes of plain_: copied there, or shared and to be put there.
  struct Text {
    size_t at;
    size_t size;
    RdbStringKind kind;
    bool shared;
  };
  // Notes the strings that LZF may take.
  class Notes final : public RdbPacker {
   public:
    Notes(RdbCapture& capture, RdbStringKind kind)
        : kind(kind), capture_(capture), begin_(capture.plain_.size()) {}
    bool pack(RdbEncoder& encoder, Bytes text) override;

    RdbStringKind kind;

   private:
    RdbCapture& capture_;
    const size_t begin_;
  };

  void put(RdbEncoder& to, const Text& text, RdbPacking* packing);

  RdbWriteOptions options_;
  std::string plain_;
  std::vector<Text> texts_;  // in the order of their places
  std::vector<SharedText> shared_;
  size_t shared_bytes_ = 0;
  // How far it is encoded.
  size_t at_ = 0;
  size_t text_ = 0;
  size_t next_shared_ = 0;
};

}  // namespace tandem
