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
#include "data/encoded_element.h"

namespace tandem {

using namespace listpack_format;  // NOLINT(google-build-using-namespace): the grammar of this file

bool ListpackView::validate(Bytes blob) {
  if (blob.size() < kEmptyBytes || blob.size() > UINT32_MAX) return false;
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.data());
  if (load_little_endian(bytes, 4) != blob.size()) return false;
  const uint64_t end = blob.size() - 1;
  if (bytes[end] != kEnd) return false;
  uint64_t at = kHeaderBytes;
  uint64_t count = 0;
  while (at < end) {
    const ElementShape shape = shape_of(bytes + at, end - at);
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

ListpackView ListpackView::at(const char* valid) {
  return ListpackView({valid, load_little_endian(reinterpret_cast<const uint8_t*>(valid), 4)});
}

uint32_t ListpackView::count() const {
  const auto stated = static_cast<uint32_t>(load_little_endian(byte(4), 2));
  if (stated != kCountUnknown) return stated;
  uint32_t count = 0;
  for (Position at = first(); at != end(); at = next(at)) ++count;
  return count;
}

ListpackView::Position ListpackView::next(Position at) const {
  const uint64_t length = encoded_length(byte(at));
  return at + static_cast<Position>(length + backlen_bytes(length));
}

ListpackView::Position ListpackView::previous(Position at) const {
  const uint64_t length = read_backlen(byte(at));
  return at - static_cast<Position>(length + backlen_bytes(length));
}

Element ListpackView::get(Position at) const { return read_element(byte(at)); }

bool ListpackView::matches(Position at, Bytes value) const {
  return element_matches(byte(at), value);
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
    if (element_matches(byte(at), value, integer)) return at;
  }
  return end();
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

uint64_t Listpack::entry_bytes(Bytes value) { return EncodedElement::of(value).listpack_bytes(); }

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

Listpack::Position Listpack::write_entry(Position from, Position to, const EncodedElement& entry) {
  open_gap(from, to, entry.listpack_bytes(), from == to ? 1 : 0);
  write_backlen(entry.write(data_ + from), entry.length());
  return from;
}

bool Listpack::overwrite(ListpackView pack, Position at, Bytes value) {
  auto* place = reinterpret_cast<uint8_t*>(const_cast<char*>(pack.bytes().data())) + at;
  const EncodedElement element = EncodedElement::of(value);
  if (element.length() != encoded_length(place)) return false;
  element.write(place);
  return true;
}

Listpack::Position Listpack::splice(Position from, Position to, Bytes value) {
  return write_entry(from, to, EncodedElement::of(value));
}

Listpack::Position Listpack::splice_integer(Position from, Position to, int64_t value) {
  return write_entry(from, to, EncodedElement::of_integer(value));
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
