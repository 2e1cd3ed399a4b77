// Reading trusts the bytes; ListpackView::validate is what earns that trust. Writing goes through
// one function, open_gap, which grows or shrinks the allocation and keeps the header right; an
// entry is then written into the gap.
#include "data/listpack.h"

#include <algorithm>
#include <bitset>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <malloc.h>
#include <xxhash.h>

#include "base/check.h"

namespace tandem {

using namespace listpack_format;  // NOLINT(google-build-using-namespace): the grammar of this file

namespace {

uint64_t load_little_endian(const uint8_t* from, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | from[i];
  return value;
}

void store_little_endian(uint8_t* to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

int64_t sign_extend(uint64_t value, int bits) {
  const int shift = 64 - bits;
  return static_cast<int64_t>(value << shift) >> shift;
}

// What the first bytes of an entry say: the encoding's own length, and the data's.
struct EntryShape {
  uint32_t head_bytes;  // 0: not an encoding
  uint64_t data_bytes;
};

// Reads no further than `available` bytes.
EntryShape shape_of(const uint8_t* entry, uint64_t available) {
  const uint8_t first = entry[0];
  if (first < 0x80) return {1, 0};
  if (first < kInt13) return {1, first & 0x3Fu};
  if (first < kText12) return {2, 0};
  if (first < kText32) {
    if (available < 2) return {0, 0};
    return {2, (first & 0x0Fu) << 8 | entry[1]};
  }
  switch (first) {
    case kText32:
      if (available < 5) return {0, 0};
      return {5, load_little_endian(entry + 1, 4)};
    case kInt16:
      return {1, 2};
    case kInt24:
      return {1, 3};
    case kInt32:
      return {1, 4};
    case kInt64:
      return {1, 8};
    default:
      return {0, 0};
  }
}

uint64_t entry_length(const uint8_t* entry) {
  const EntryShape shape = shape_of(entry, 5);
  return shape.head_bytes + shape.data_bytes;
}

int64_t read_integer(const uint8_t* entry) {
  const uint8_t first = entry[0];
  if (first < 0x80) return first;
  if (first < kText12) return sign_extend((first & 0x1Fu) << 8 | entry[1], 13);
  switch (first) {
    case kInt16:
      return sign_extend(load_little_endian(entry + 1, 2), 16);
    case kInt24:
      return sign_extend(load_little_endian(entry + 1, 3), 24);
    case kInt32:
      return sign_extend(load_little_endian(entry + 1, 4), 32);
    default:
      return static_cast<int64_t>(load_little_endian(entry + 1, 8));
  }
}

bool holds_text(uint8_t first) {
  return (first >= kText6 && first < kInt13) || (first >= kText12 && first <= kText32);
}

Bytes read_text(const uint8_t* entry) {
  const EntryShape shape = shape_of(entry, 5);
  return Bytes(reinterpret_cast<const char*>(entry) + shape.head_bytes, shape.data_bytes);
}

void write_backlen(uint8_t* to, uint64_t length) {
  const uint32_t bytes = backlen_bytes(length);
  for (uint32_t i = 0; i < bytes; ++i) {
    const auto seven = static_cast<uint8_t>(length >> (7 * (bytes - 1 - i)) & 0x7F);
    to[i] = i == 0 ? seven : seven | 0x80;
  }
}

// Reads the backlen that ends just before `end`.
uint64_t read_backlen(const uint8_t* end) {
  uint64_t length = 0;
  for (int i = 0; i < 5; ++i) {
    const uint8_t byte = *--end;
    length |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) break;
  }
  return length;
}

}  // namespace

bool ListpackView::validate(Bytes blob) {
  if (blob.size() < kEmptyBytes || blob.size() > UINT32_MAX) return false;
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.data());
  if (load_little_endian(bytes, 4) != blob.size()) return false;
  const uint64_t end = blob.size() - 1;
  if (bytes[end] != kEnd) return false;
  uint64_t at = kHeaderBytes;
  uint64_t count = 0;
  while (at < end) {
    const EntryShape shape = shape_of(bytes + at, end - at);
    if (shape.head_bytes == 0) return false;
    const uint64_t length = shape.head_bytes + shape.data_bytes;
    const uint32_t back = backlen_bytes(length);
    if (length + back > end - at) return false;
    if (back == 1) {  // nearly always
      if (bytes[at + length] != length) return false;
    } else {
      uint8_t expected[5];
      write_backlen(expected, length);
      if (std::memcmp(expected, bytes + at + length, back) != 0) return false;
    }
    at += length + back;
    ++count;
  }
  const uint64_t stated = load_little_endian(bytes + 4, 2);
  return stated == kCountUnknown || stated == count;
}

uint32_t ListpackView::count() const {
  const auto stated = static_cast<uint32_t>(load_little_endian(byte(4), 2));
  if (stated != kCountUnknown) return stated;
  uint32_t count = 0;
  for (Position at = first(); at != end(); at = next(at)) ++count;
  return count;
}

ListpackView::Position ListpackView::next(Position at) const {
  const uint64_t length = entry_length(byte(at));
  return at + static_cast<Position>(length + backlen_bytes(length));
}

ListpackView::Position ListpackView::previous(Position at) const {
  const uint64_t length = read_backlen(byte(at));
  return at - static_cast<Position>(length + backlen_bytes(length));
}

Element ListpackView::get(Position at) const {
  const uint8_t* entry = byte(at);
  return holds_text(*entry) ? Element(read_text(entry)) : Element(read_integer(entry));
}

bool ListpackView::matches(Position at, Bytes value) const {
  const uint8_t* entry = byte(at);
  if (holds_text(*entry)) return read_text(entry) == value;
  const std::optional<int64_t> integer = parse_int64(value);
  return integer && *integer == read_integer(entry);
}

ListpackView::Position ListpackView::seek(int64_t index) const {
  if (index >= 0) {
    Position at = first();
    while (index-- > 0 && at != end()) at = next(at);
    return at;
  }
  Position at = end();
  while (index++ < 0) {
    if (at == first()) return end();
    at = previous(at);
  }
  return at;
}

ListpackView::Position ListpackView::find(Bytes value, Position from, uint32_t stride) const {
  const std::optional<int64_t> integer = parse_int64(value);
  uint32_t skip = 0;
  for (Position at = from; at != end(); at = next(at)) {
    if (skip-- != 0) continue;
    skip = stride - 1;
    const uint8_t* entry = byte(at);
    if (holds_text(*entry) ? read_text(entry) == value
                           : integer && *integer == read_integer(entry)) {
      return at;
    }
  }
  return end();
}

// An entry about to be written: its encoding (with the integer's bytes) and the text behind it.
struct Listpack::Encoded {
  uint8_t head[9];
  uint32_t head_bytes = 0;
  Bytes text;

  uint64_t length() const { return head_bytes + text.size(); }

  static Encoded of_integer(int64_t value);
  static Encoded of_text(Bytes text);
  static Encoded of(Bytes value) {
    const std::optional<int64_t> integer = parse_int64(value);
    return integer ? of_integer(*integer) : of_text(value);
  }
};

Listpack::Encoded Listpack::Encoded::of_integer(int64_t value) {
  Encoded entry;
  const auto bits = static_cast<uint64_t>(value);
  const auto wide = [&](uint8_t encoding, int bytes) {
    entry.head[0] = encoding;
    store_little_endian(entry.head + 1, bits, bytes);
    entry.head_bytes = 1 + static_cast<uint32_t>(bytes);
  };
  if (value >= 0 && value <= 127) {
    entry.head[0] = static_cast<uint8_t>(value);
    entry.head_bytes = 1;
  } else if (value >= -4096 && value <= 4095) {
    entry.head[0] = static_cast<uint8_t>(kInt13 | (bits >> 8 & 0x1F));
    entry.head[1] = static_cast<uint8_t>(bits);
    entry.head_bytes = 2;
  } else if (value >= INT16_MIN && value <= INT16_MAX) {
    wide(kInt16, 2);
  } else if (value >= -(1 << 23) && value < (1 << 23)) {
    wide(kInt24, 3);
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    wide(kInt32, 4);
  } else {
    wide(kInt64, 8);
  }
  return entry;
}

Listpack::Encoded Listpack::Encoded::of_text(Bytes text) {
  Encoded entry;
  entry.text = text;
  const size_t size = text.size();
  if (size < 64) {
    entry.head[0] = static_cast<uint8_t>(kText6 | size);
    entry.head_bytes = 1;
  } else if (size < 4096) {
    entry.head[0] = static_cast<uint8_t>(kText12 | size >> 8);
    entry.head[1] = static_cast<uint8_t>(size);
    entry.head_bytes = 2;
  } else {
    entry.head[0] = kText32;
    store_little_endian(entry.head + 1, size, 4);
    entry.head_bytes = 5;
  }
  return entry;
}

Listpack::Listpack() : data_(static_cast<uint8_t*>(std::malloc(kEmptyBytes))) {
  CHECK(data_ != nullptr, "out of memory");
  store_little_endian(data_, kEmptyBytes, 4);
  store_little_endian(data_ + 4, 0, 2);
  data_[kHeaderBytes] = kEnd;
}

Listpack::~Listpack() { std::free(data_); }

Listpack& Listpack::operator=(Listpack&& other) noexcept {
  std::swap(data_, other.data_);
  return *this;
}

Result<Listpack> Listpack::from_bytes(Bytes blob) {
  if (!ListpackView::validate(blob)) return fail(ErrorCode::kInvalid, "malformed listpack");
  return from_valid(blob);
}

Listpack Listpack::from_valid(Bytes blob) {
  Listpack copy;
  copy.open_gap(kHeaderBytes, kHeaderBytes, blob.size() - kEmptyBytes, 0);
  std::memcpy(copy.data_, blob.data(), blob.size());
  return copy;
}

uint32_t Listpack::total_bytes() const {
  return static_cast<uint32_t>(load_little_endian(data_, 4));
}

size_t Listpack::memory_bytes() const { return malloc_usable_size(data_); }

uint64_t Listpack::entry_bytes(Bytes value) {
  const uint64_t length = Encoded::of(value).length();
  return length + backlen_bytes(length);
}

void Listpack::open_gap(Position from, Position to, uint64_t bytes, int64_t entries_delta) {
  const uint64_t old_total = total_bytes();
  const uint64_t new_total = old_total - (to - from) + bytes;
  CHECK(new_total <= UINT32_MAX, "a listpack past its format's size");
  if (new_total > old_total) {
    data_ = static_cast<uint8_t*>(std::realloc(data_, new_total));
    CHECK(data_ != nullptr, "out of memory");
  }
  std::memmove(data_ + from + bytes, data_ + to, old_total - to);
  if (new_total < old_total) {
    auto* smaller = static_cast<uint8_t*>(std::realloc(data_, new_total));
    if (smaller != nullptr) data_ = smaller;
  }
  store_little_endian(data_, new_total, 4);
  const auto stated = static_cast<int64_t>(load_little_endian(data_ + 4, 2));
  if (stated == kCountUnknown) {
    // Stays unknown, unless a later walk is asked for: a count that is too large to state is rare.
    return;
  }
  const int64_t count = stated + entries_delta;
  store_little_endian(data_ + 4,
                      static_cast<uint64_t>(count >= kCountUnknown ? kCountUnknown : count), 2);
}

Listpack::Position Listpack::write_entry(Position from, Position to, const Encoded& entry) {
  const uint64_t length = entry.length();
  open_gap(from, to, length + backlen_bytes(length), from == to ? 1 : 0);
  uint8_t* out = data_ + from;
  std::memcpy(out, entry.head, entry.head_bytes);
  if (!entry.text.empty()) {
    std::memcpy(out + entry.head_bytes, entry.text.data(), entry.text.size());
  }
  write_backlen(out + length, length);
  return from;
}

Listpack::Position Listpack::splice(Position from, Position to, Bytes value) {
  return write_entry(from, to, Encoded::of(value));
}

Listpack::Position Listpack::splice_integer(Position from, Position to, int64_t value) {
  return write_entry(from, to, Encoded::of_integer(value));
}

void Listpack::append_entries(ListpackView other, Position from, Position to) {
  int64_t entries = 0;
  for (Position at = from; at != to; at = other.next(at)) ++entries;
  const Position end = view().end();
  open_gap(end, end, to - from, entries);
  if (to != from) std::memcpy(data_ + end, other.bytes().data() + from, to - from);
}

Listpack::Position Listpack::erase(Position at, uint32_t count) {
  const ListpackView entries = view();
  Position to = at;
  int64_t erased = 0;
  while (to != entries.end() && erased < count) {
    to = entries.next(to);
    ++erased;
  }
  open_gap(at, to, 0, -erased);
  return at;
}

void Listpack::erase_range(Position from, Position to) {
  const ListpackView entries = view();
  int64_t erased = 0;
  for (Position at = from; at != to; at = entries.next(at)) ++erased;
  open_gap(from, to, 0, -erased);
}

// Few texts are distinct if each falls on another place of a small map, which is nearly always so.
// Else their hashes are sorted, which needs no copy of the texts; and only if two are equal are the
// texts themselves compared.
bool entries_are_distinct(ListpackView entries, uint32_t stride) {
  const auto for_each = [&](auto&& visit) {
    uint32_t skip = 0;
    for (auto at = entries.first(); at != entries.end(); at = entries.next(at)) {
      if (skip-- != 0) continue;
      skip = stride - 1;
      visit(entries.get(at));
    }
  };
  const auto hash_of = [](const Element& element) {
    const Bytes text = element.text();
    return XXH3_64bits(text.data(), text.size());
  };
  constexpr uint32_t kFew = 24;
  if (entries.count() / stride <= kFew) {
    std::bitset<4096> places;
    bool apart = true;
    for_each([&](const Element& element) {
      const size_t place = hash_of(element) % places.size();
      apart = apart && !places.test(place);
      places.set(place);
    });
    if (apart) return true;
  }
  std::vector<uint64_t> hashes;
  hashes.reserve(entries.count() / stride);
  for_each([&](const Element& element) { hashes.push_back(hash_of(element)); });
  std::ranges::sort(hashes);
  if (std::ranges::adjacent_find(hashes) == hashes.end()) return true;
  std::vector<std::string> texts;
  texts.reserve(hashes.size());
  for_each([&](const Element& element) { texts.push_back(element.copy()); });
  std::ranges::sort(texts);
  return std::ranges::adjacent_find(texts) == texts.end();
}

}  // namespace tandem
