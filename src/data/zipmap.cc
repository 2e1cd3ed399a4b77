// One bounds-checked walk; it runs twice, first to check and then to show.
#include "data/zipmap.h"

#include <cstdint>
#include <optional>

namespace tandem {

namespace {

constexpr uint8_t kEnd = 0xFF;
constexpr uint8_t kWide = 0xFE;

class Walk {
 public:
  explicit Walk(Bytes blob) : blob_(blob) {}

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
  if (blob.size() < 2 || !Walk(blob).run([](Bytes, Bytes) {})) {
    return fail(ErrorCode::kInvalid, "malformed zipmap");
  }
  Walk(blob).run(visit);
  return {};
}

}  // namespace tandem
