// A sequence of texts and integers in one allocation, in Redis's listpack format
// (data/listpack_format.h): the compact form of lists, sets, hashes, sorted sets and stream nodes.
//
// Invariants: the bytes always pass validate(); a text that is a canonical integer is stored as one
// (in what we write; a foreign blob may hold it as text, and find() and matches() treat the two as
// equal).
//
// A Position is an offset into bytes(), valid until the listpack changes; end() is past the last
// entry. Arguments must not view into the listpack that they change. Not thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "data/element.h"
#include "data/listpack_format.h"

namespace tandem {

struct EncodedElement;

// Reads a listpack that somebody else owns. Only over bytes that passed validate().
class ListpackView {
 public:
  using Position = uint32_t;

  // Deep check of bytes from outside: after it every access is safe. Costs one walk, allocates
  // nothing.
  static bool validate(Bytes blob);

  explicit ListpackView(Bytes valid) : bytes_(valid) {}
  // Of valid bytes that begin there, which tell themselves how many they are.
  static ListpackView at(const char* valid);

  Bytes bytes() const { return bytes_; }
  uint32_t count() const;  // a walk if there are 65535 entries or more
  bool empty() const { return first() == end(); }

  Position first() const { return listpack_format::kHeaderBytes; }
  Position end() const { return static_cast<Position>(bytes_.size()) - 1; }
  Position last() const { return empty() ? end() : previous(end()); }
  Position next(Position at) const;      // at != end()
  Position previous(Position at) const;  // at != first()
  Element get(Position at) const;        // at != end()
  bool matches(Position at, Bytes value) const;

  // The entry with this index, from the tail when negative (-1 is the last); end() if there is
  // none.
  Position seek(int64_t index) const;
  // The first entry equal to `value` at `from` or after it, looking at every `stride`-th entry
  // only; end() if none.
  Position find(Bytes value, Position from, uint32_t stride = 1) const;

 private:
  const uint8_t* byte(Position at) const {
    return reinterpret_cast<const uint8_t*>(bytes_.data()) + at;
  }

  Bytes bytes_;
};

class Listpack {
 public:
  using Position = ListpackView::Position;

  Listpack();
  ~Listpack();
  Listpack(Listpack&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
  Listpack& operator=(Listpack&& other) noexcept;
  Listpack(const Listpack&) = delete;
  Listpack& operator=(const Listpack&) = delete;

  // Takes a copy of bytes from outside, or refuses them (kInvalid).
  static Result<Listpack> from_bytes(Bytes blob);
  // The same for bytes that are known to pass validate(), such as another listpack's.
  static Listpack from_valid(Bytes blob);
  Listpack copy() const { return from_valid(bytes()); }

  // For who keeps it in one word: takes back what release() gave, which is from malloc. Released,
  // it can only be destroyed.
  static Listpack adopt(uint8_t* released) { return Listpack(released); }
  uint8_t* release() { return std::exchange(data_, nullptr); }

  ListpackView view() const { return ListpackView(bytes()); }
  Bytes bytes() const { return Bytes(reinterpret_cast<const char*>(data_), total_bytes()); }
  // Where the bytes begin, for whoever is to read them soon and does not want to wait for memory.
  const void* place() const { return data_; }
  uint32_t total_bytes() const;
  uint32_t count() const { return view().count(); }
  bool empty() const { return view().empty(); }
  size_t memory_bytes() const;

  // Whether an insertion of this many bytes of values stays below the format's safe size.
  bool can_grow(uint64_t value_bytes) const { return can_grow(total_bytes(), value_bytes); }
  static bool can_grow(uint64_t total_bytes, uint64_t value_bytes) {
    return total_bytes + value_bytes <= listpack_format::kBytesMax;
  }
  // How many bytes `value` takes as an entry.
  static uint64_t entry_bytes(Bytes value);

  // Each returns the place of what it wrote. The caller has asked can_grow().
  Position append(Bytes value) { return insert(view().end(), value); }
  Position prepend(Bytes value) { return insert(view().first(), value); }
  Position insert(Position before, Bytes value) { return splice(before, before, value); }
  Position replace(Position at, Bytes value) { return splice(at, view().next(at), value); }
  Position append_integer(int64_t value) { return insert_integer(view().end(), value); }
  Position insert_integer(Position before, int64_t value) {
    return splice_integer(before, before, value);
  }
  Position replace_integer(Position at, int64_t value) {
    return splice_integer(at, view().next(at), value);
  }
  // Copies whole entries [from, to) of another listpack to the end.
  void append_entries(ListpackView other, Position from, Position to);

  // Removes `count` entries from `at` on (fewer if it ends before); returns the place of what
  // followed them.
  Position erase(Position at, uint32_t count = 1);
  // Removes the entries in [from, to).
  void erase_range(Position from, Position to);

  // Writes over an entry where it lies if the new one is as long; else false. REQUIRES: the bytes
  // are the caller's to change.
  static bool overwrite(ListpackView pack, Position at, Bytes value);

 private:
  explicit Listpack(uint8_t* data) : data_(data) {}
  Position splice(Position from, Position to, Bytes value);
  Position splice_integer(Position from, Position to, int64_t value);
  Position write_entry(Position from, Position to, const EncodedElement& entry);
  // Turns [from, to) into a gap of `bytes` and fixes the header; entries_delta is added to the
  // count.
  void open_gap(Position from, Position to, uint64_t bytes, int64_t entries_delta);

  uint8_t*
      data_;  // from malloc, so that realloc can grow it in place; exactly total_bytes() are in use
};

// Whether a listpack from outside names anything twice: what sets, hashes and sorted sets must
// refuse when they are built from a blob.

// Looks at every `stride`-th entry, from the first on.
bool entries_are_distinct(ListpackView entries, uint32_t stride);

}  // namespace tandem
