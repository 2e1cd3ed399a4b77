// One step is one letter of the shape. A step either moves the place past its bytes or leaves it
// where it was and says how many bytes it lacks, so calling again repeats at most one letter.
#include "rdb/rdb_measure.h"

#include "base/check.h"
#include "rdb/rdb_format.h"

namespace tandem {

RdbLength rdb_parse_length(Bytes bytes) {
  using Outcome = RdbLength::Outcome;
  if (bytes.empty()) return {Outcome::kNeedMore, 1, 0};
  const auto first = static_cast<uint8_t>(bytes[0]);
  switch (first & 0xc0) {
    case kRdbLength6:
      return {Outcome::kLength, 1, first};
    case kRdbLength14:
      if (bytes.size() < 2) return {Outcome::kNeedMore, 2, 0};
      return {Outcome::kLength, 2, uint64_t{first & 0x3fU} << 8 | static_cast<uint8_t>(bytes[1])};
    case 0xc0:
      if (first > kRdbEncodedLzf) return {Outcome::kInvalid, 1, 0};
      return {Outcome::kEncoded, 1, first};
    default:
      break;
  }
  if (first == kRdbLength32) {
    if (bytes.size() < 5) return {Outcome::kNeedMore, 5, 0};
    return {Outcome::kLength, 5, load_big_endian<uint32_t>(bytes.data() + 1)};
  }
  if (first == kRdbLength64) {
    if (bytes.size() < 9) return {Outcome::kNeedMore, 9, 0};
    return {Outcome::kLength, 9, load_big_endian<uint64_t>(bytes.data() + 1)};
  }
  return {Outcome::kInvalid, 1, 0};
}

void RdbMeasure::begin(size_t start, std::string_view shape) {
  shape_ = shape;
  shape_at_ = 0;
  at_ = start;
  needed_ = start;
  depth_ = 0;
  problem_ = nullptr;
}

RdbMeasure::Outcome RdbMeasure::advance(Bytes item) {
  if (item.size() < needed_) return Outcome::kNeedMore;
  while (shape_at_ < shape_.size()) {
    const Outcome outcome = step(item);
    if (outcome != Outcome::kWhole) return outcome;
  }
  return Outcome::kWhole;
}

RdbMeasure::Outcome RdbMeasure::step(Bytes item) {
  Outcome outcome = Outcome::kWhole;
  uint64_t ignored = 0;
  switch (shape_[shape_at_]) {
    case 'S':
      outcome = skip_string(item);
      break;
    case 'L':
      outcome = skip_length(item, ignored);
      break;
    case 'D':
      outcome = skip_old_double(item);
      break;
    case '1':
      outcome = skip(item, 1);
      break;
    case '4':
      outcome = skip(item, 4);
      break;
    case '8':
      outcome = skip(item, 8);
      break;
    case 'E':
      outcome = skip(item, 16);
      break;
    case '(':
      return open(item);
    case ')':
      close();
      return Outcome::kWhole;
    default:
      CHECK(false, "a letter that no shape has");
  }
  if (outcome == Outcome::kWhole) ++shape_at_;
  return outcome;
}

RdbMeasure::Outcome RdbMeasure::skip(Bytes item, uint64_t bytes) {
  if (item.size() - at_ < bytes) {
    needed_ = at_ + bytes;
    return Outcome::kNeedMore;
  }
  at_ += bytes;
  return Outcome::kWhole;
}

RdbMeasure::Outcome RdbMeasure::skip_length(Bytes item, uint64_t& value) {
  const RdbLength length = rdb_parse_length(item.substr(at_));
  switch (length.outcome) {
    case RdbLength::Outcome::kNeedMore:
      needed_ = at_ + length.bytes;
      return Outcome::kNeedMore;
    case RdbLength::Outcome::kInvalid:
      return invalid("not a length");
    case RdbLength::Outcome::kEncoded:
      return invalid("a string's encoding where a length must stand");
    case RdbLength::Outcome::kLength:
      break;
  }
  value = length.value;
  at_ += length.bytes;
  return Outcome::kWhole;
}

RdbMeasure::Outcome RdbMeasure::skip_string(Bytes item) {
  const size_t start = at_;
  const RdbLength length = rdb_parse_length(item.substr(at_));
  uint64_t bytes = length.value;
  switch (length.outcome) {
    case RdbLength::Outcome::kNeedMore:
      needed_ = at_ + length.bytes;
      return Outcome::kNeedMore;
    case RdbLength::Outcome::kInvalid:
      return invalid("a string of unknown encoding");
    case RdbLength::Outcome::kLength:
      at_ += length.bytes;
      if (bytes > string_bytes_max_) return invalid("a string longer than the limit");
      break;
    case RdbLength::Outcome::kEncoded:
      at_ += 1;
      if (length.value != kRdbEncodedLzf) {
        bytes = size_t{1} << (length.value - kRdbEncodedInt8);
        break;
      }
      uint64_t plain = 0;
      Outcome outcome = skip_length(item, bytes);
      if (outcome == Outcome::kWhole) outcome = skip_length(item, plain);
      if (outcome != Outcome::kWhole) {
        if (outcome == Outcome::kNeedMore) at_ = start;
        return outcome;
      }
      if (bytes > string_bytes_max_ || plain > string_bytes_max_) {
        return invalid("a string longer than the limit");
      }
      if (plain == 0 || bytes == 0 || plain > bytes * kRdbLzfRatioMax) {
        return invalid("a compressed string that claims what its bytes cannot hold");
      }
      break;
  }
  const Outcome outcome = skip(item, bytes);
  if (outcome == Outcome::kNeedMore) at_ = start;
  return outcome;
}

RdbMeasure::Outcome RdbMeasure::skip_old_double(Bytes item) {
  if (item.size() == at_) return skip(item, 1);
  const auto text_bytes = static_cast<uint8_t>(item[at_]);
  return skip(item, text_bytes >= kRdbDoubleNan ? 1 : size_t{1} + text_bytes);
}

RdbMeasure::Outcome RdbMeasure::open(Bytes item) {
  uint64_t count = 0;
  const Outcome outcome = skip_length(item, count);
  if (outcome != Outcome::kWhole) return outcome;
  ++shape_at_;
  if (count != 0) {
    CHECK(depth_ < kRdbShapeDepthMax, "a shape nested deeper than its limit");
    repeats_[depth_++] = {shape_at_, count};
    return Outcome::kWhole;
  }
  for (int opened = 1; opened > 0; ++shape_at_) {
    if (shape_[shape_at_] == '(') ++opened;
    if (shape_[shape_at_] == ')') --opened;
  }
  return Outcome::kWhole;
}

void RdbMeasure::close() {
  Repeat& repeat = repeats_[depth_ - 1];
  if (--repeat.left > 0) {
    shape_at_ = repeat.shape_at;
  } else {
    --depth_;
    ++shape_at_;
  }
}

RdbMeasure::Outcome RdbMeasure::invalid(const char* problem) {
  problem_ = problem;
  return Outcome::kInvalid;
}

}  // namespace tandem
