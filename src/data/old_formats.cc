// Of both forms: one bounds-checked walk decodes entry by entry; it runs twice, first to check and
// then to show.
#include "data/old_formats.h"

#include <cstdint>
#include <optional>

namespace tandem {
namespace {

constexpr uint64_t kHeaderBytes = 10;
constexpr uint8_t kEnd = 0xFF;
constexpr uint8_t kWide = 0xFE;
constexpr uint16_t kCountUnknown = 65535;

struct Cursor {
  const uint8_t* bytes;
  uint64_t at;
  uint64_t end;  // of the entries: where 0xFF stands

  bool has(uint64_t wanted) const { return end - at >= wanted; }
};

uint64_t little_endian(const uint8_t* from, int bytes) {
  uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | from[i];
  return value;
}

std::optional<Element> read_text(Cursor& cursor, uint64_t head_bytes, uint64_t size) {
  if (!cursor.has(head_bytes) || cursor.end - cursor.at - head_bytes < size) return std::nullopt;
  const auto* text = reinterpret_cast<const char*>(cursor.bytes + cursor.at + head_bytes);
  cursor.at += head_bytes + size;
  return Element(Bytes(text, size));
}

std::optional<Element> read_integer(Cursor& cursor, int bytes) {
  if (!cursor.has(1 + static_cast<uint64_t>(bytes))) return std::nullopt;
  const int shift = 64 - 8 * bytes;
  const uint64_t raw = little_endian(cursor.bytes + cursor.at + 1, bytes);
  cursor.at += 1 + static_cast<uint64_t>(bytes);
  return Element(static_cast<int64_t>(raw << shift) >> shift);
}

// The encoding and data of one entry; nothing if they are malformed.
std::optional<Element> read_value(Cursor& cursor) {
  if (!cursor.has(1)) return std::nullopt;
  const uint8_t* head = cursor.bytes + cursor.at;
  switch (head[0] >> 6) {
    case 0:
      return read_text(cursor, 1, head[0] & 0x3F);
    case 1:
      if (!cursor.has(2)) return std::nullopt;
      return read_text(cursor, 2, (head[0] & 0x3Fu) << 8 | head[1]);
    case 2:
      if (head[0] != 0x80 || !cursor.has(5)) return std::nullopt;
      return read_text(
          cursor, 5,
          uint64_t{head[1]} << 24 | uint64_t{head[2]} << 16 | uint64_t{head[3]} << 8 | head[4]);
    default:
      break;
  }
  switch (head[0]) {
    case 0xC0:
      return read_integer(cursor, 2);
    case 0xD0:
      return read_integer(cursor, 4);
    case 0xE0:
      return read_integer(cursor, 8);
    case 0xF0:
      return read_integer(cursor, 3);
    case 0xFE:
      return read_integer(cursor, 1);
    default:
      break;
  }
  if (head[0] < 0xF1 || head[0] > 0xFD) return std::nullopt;
  ++cursor.at;
  return Element(int64_t{head[0]} - 0xF1);
}

// The length of the entry before, as the entry states it; false if malformed.
bool read_previous_length(Cursor& cursor, uint64_t& length) {
  if (!cursor.has(1)) return false;
  length = cursor.bytes[cursor.at];
  if (length < kWide) {
    ++cursor.at;
    return true;
  }
  if (length != kWide || !cursor.has(5)) return false;
  length = little_endian(cursor.bytes + cursor.at + 1, 4);
  cursor.at += 5;
  return true;
}

bool walk(Bytes blob, FunctionRef<void(const Element&)> visit) {
  Cursor cursor{reinterpret_cast<const uint8_t*>(blob.data()), kHeaderBytes, blob.size() - 1};
  uint64_t count = 0;
  uint64_t last = kHeaderBytes;
  uint64_t previous_length = 0;
  while (cursor.at < cursor.end) {
    const uint64_t start = cursor.at;
    uint64_t stated = 0;
    if (!read_previous_length(cursor, stated) || stated != previous_length) return false;
    const std::optional<Element> element = read_value(cursor);
    if (!element) return false;
    visit(*element);
    previous_length = cursor.at - start;
    last = start;
    ++count;
  }
  const uint64_t stated_count = little_endian(cursor.bytes + 8, 2);
  if (stated_count != kCountUnknown && stated_count != count) return false;
  return little_endian(cursor.bytes + 4, 4) == last;
}

}  // namespace

Result<void> read_ziplist(Bytes blob, FunctionRef<void(const Element&)> visit) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(blob.data());
  if (blob.size() < kHeaderBytes + 1 || little_endian(bytes, 4) != blob.size() ||
      bytes[blob.size() - 1] != kEnd || !walk(blob, [](const Element&) {})) {
    return fail(ErrorCode::kInvalid, "malformed ziplist");
  }
  walk(blob, visit);
  return {};
}

namespace {

class ZipmapWalk {
 public:
  explicit ZipmapWalk(Bytes blob) : blob_(blob) {}

  bool run(FunctionRef<void(Bytes, Bytes)> visit) {
    uint64_t pairs = 0;
    while (left() > 0 && byte() != kEnd) {
      const std::optional<uint64_t> field_size = length();
      if (!field_size || *field_size > left()) return false;
      const Bytes field = take(*field_size);
      const std::optional<uint64_t> value_size = length();
      if (!value_size || left() == 0) return false;
      const uint64_t unused = static_cast<uint8_t>(take(1)[0]);
      if (*value_size > left() || unused > left() - *value_size) return false;
      const Bytes value = take(*value_size);
      take(unused);
      visit(field, value);
      ++pairs;
    }
    const auto stated = static_cast<uint8_t>(blob_[0]);
    return left() == 1 && (stated >= kWide || stated == pairs);
  }

 private:
  uint64_t left() const { return blob_.size() - at_; }
  uint8_t byte() const { return static_cast<uint8_t>(blob_[at_]); }
  Bytes take(uint64_t size) {
    const Bytes taken = blob_.substr(at_, size);
    at_ += size;
    return taken;
  }
  std::optional<uint64_t> length() {
    if (left() == 0 || byte() == kEnd) return std::nullopt;
    if (byte() < kWide) return static_cast<uint8_t>(take(1)[0]);
    if (left() < 5) return std::nullopt;
    uint64_t size = 0;
    for (int i = 4; i >= 1; --i) {
      size = size << 8 | static_cast<uint8_t>(blob_[at_ + static_cast<uint64_t>(i)]);
    }
    at_ += 5;
    return size;
  }

  Bytes blob_;
  uint64_t at_ = 1;
};

}  // namespace

Result<void> read_zipmap(Bytes blob, FunctionRef<void(Bytes field, Bytes value)> visit) {
  if (blob.size() < 2 || !ZipmapWalk(blob).run([](Bytes, Bytes) {})) {
    return fail(ErrorCode::kInvalid, "malformed zipmap");
  }
  ZipmapWalk(blob).run(visit);
  return {};
}

}  // namespace tandem
