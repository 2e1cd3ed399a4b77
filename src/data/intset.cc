// Everything is read and written in place through the width; adding a value that needs more widens
// all of them.
#include "data/intset.h"

#include "base/check.h"

namespace tandem {

namespace {

constexpr size_t kHeaderBytes = 8;

uint64_t load(Bytes bytes, size_t at, uint32_t width) {
  uint64_t value = 0;
  for (uint32_t i = width; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

void save(std::string& bytes, size_t at, uint64_t value, uint32_t width) {
  for (uint32_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

int64_t value_at(Bytes bytes, uint32_t index, uint32_t width) {
  const int shift = 64 - 8 * static_cast<int>(width);
  const uint64_t raw = load(bytes, kHeaderBytes + size_t{index} * width, width);
  return static_cast<int64_t>(raw << shift) >> shift;
}

uint32_t width_for(int64_t value) {
  if (value >= INT16_MIN && value <= INT16_MAX) return 2;
  if (value >= INT32_MIN && value <= INT32_MAX) return 4;
  return 8;
}

}  // namespace

bool Intset::validate(Bytes blob) {
  if (blob.size() < kHeaderBytes) return false;
  const uint64_t width = load(blob, 0, 4);
  const uint64_t count = load(blob, 4, 4);
  if (width != 2 && width != 4 && width != 8) return false;
  if (blob.size() - kHeaderBytes != count * width) return false;
  for (uint64_t i = 1; i < count; ++i) {
    const auto index = static_cast<uint32_t>(i);
    const auto bytes = static_cast<uint32_t>(width);
    if (value_at(blob, index - 1, bytes) >= value_at(blob, index, bytes)) return false;
  }
  return true;
}

Intset::Intset() : bytes_(kHeaderBytes, '\0') { save(bytes_, 0, 2, 4); }

Result<Intset> Intset::from_bytes(Bytes blob) {
  if (!validate(blob)) return fail(ErrorCode::kInvalid, "malformed intset");
  Intset set;
  set.bytes_ = blob;
  return set;
}

uint32_t Intset::width() const { return static_cast<uint32_t>(load(bytes_, 0, 4)); }
uint32_t Intset::size() const { return static_cast<uint32_t>(load(bytes_, 4, 4)); }
void Intset::set_size(uint32_t count) { save(bytes_, 4, count, 4); }

size_t Intset::memory_bytes() const {
  const size_t in_place = std::string().capacity();
  return bytes_.capacity() > in_place ? bytes_.capacity() + 1 : 0;
}

int64_t Intset::at(uint32_t index) const {
  DCHECK(index < size(), "an intset read past its end");
  return value_at(bytes_, index, width());
}

void Intset::store(uint32_t index, int64_t value) {
  const uint32_t bytes = width();
  save(bytes_, kHeaderBytes + size_t{index} * bytes, static_cast<uint64_t>(value), bytes);
}

uint32_t Intset::lower_bound(int64_t value) const {
  const uint32_t bytes = width();
  uint32_t low = 0;
  uint32_t high = size();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (value_at(bytes_, middle, bytes) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool Intset::contains(int64_t value) const {
  const uint32_t index = lower_bound(value);
  return index < size() && at(index) == value;
}

bool Intset::add(int64_t value) {
  if (width_for(value) > width()) widen(width_for(value));
  const uint32_t index = lower_bound(value);
  const uint32_t count = size();
  if (index < count && at(index) == value) return false;
  const uint32_t bytes = width();
  bytes_.insert(kHeaderBytes + size_t{index} * bytes, bytes, '\0');
  set_size(count + 1);
  store(index, value);
  return true;
}

bool Intset::remove(int64_t value) {
  const uint32_t index = lower_bound(value);
  const uint32_t count = size();
  if (index == count || at(index) != value) return false;
  const uint32_t bytes = width();
  bytes_.erase(kHeaderBytes + size_t{index} * bytes, bytes);
  set_size(count - 1);
  return true;
}

void Intset::widen(uint32_t wider) {
  const uint32_t narrow = width();
  const uint32_t count = size();
  std::string out(kHeaderBytes + size_t{count} * wider, '\0');
  save(out, 0, wider, 4);
  save(out, 4, count, 4);
  for (uint32_t i = 0; i < count; ++i) {
    save(out, kHeaderBytes + size_t{i} * wider, static_cast<uint64_t>(value_at(bytes_, i, narrow)),
         wider);
  }
  bytes_ = std::move(out);
}

}  // namespace tandem
