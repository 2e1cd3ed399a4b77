#include "data/stream_id.h"

#include "base/check.h"
#include "base/number.h"

namespace tandem {

std::optional<StreamId> StreamId::next() const {
  if (seq != kStreamIdMax.seq) return StreamId{ms, seq + 1};
  if (ms != kStreamIdMax.ms) return StreamId{ms + 1, 0};
  return std::nullopt;
}

std::optional<StreamId> StreamId::previous() const {
  if (seq != 0) return StreamId{ms, seq - 1};
  if (ms != 0) return StreamId{ms - 1, kStreamIdMax.seq};
  return std::nullopt;
}

std::string StreamId::text() const {
  char out[2 * kInt64TextMax + 1];
  size_t size = write_uint64(out, ms);
  out[size++] = '-';
  size += write_uint64(out + size, seq);
  return std::string(out, size);
}

std::string StreamId::big_endian() const {
  std::string key(16, '\0');
  for (size_t i = 0; i < 8; ++i) {
    key[i] = static_cast<char>(ms >> (56 - 8 * i));
    key[8 + i] = static_cast<char>(seq >> (56 - 8 * i));
  }
  return key;
}

StreamId StreamId::from_big_endian(Bytes key) {
  CHECK(key.size() == 16, "a stream id has 16 bytes");
  StreamId id;
  for (size_t i = 0; i < 8; ++i) {
    id.ms = id.ms << 8 | static_cast<uint8_t>(key[i]);
    id.seq = id.seq << 8 | static_cast<uint8_t>(key[8 + i]);
  }
  return id;
}

}  // namespace tandem
