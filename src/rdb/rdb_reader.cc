// One item at a time: its first byte tells the shape of what follows, RdbMeasure waits until that
// is whole, then it is decoded from the buffer in one go. The buffer is trimmed only in feed, so
// that events can view into it.
#include "rdb/rdb_reader.h"

#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/checksum.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"
#include "rdb/rdb_values.h"

namespace tandem {
namespace {

constexpr size_t kIdleBufferBytesMax = size_t{1} << 20;

bool is_attribute(uint8_t opcode) {
  return opcode == kRdbExpireMs || opcode == kRdbExpireSeconds || opcode == kRdbIdle ||
         opcode == kRdbFrequency;
}

}  // namespace

RdbReader::RdbReader(const RdbReadOptions& options)
    : options_(options), measure_(options.string_bytes_max) {}

void RdbReader::feed(Bytes bytes) {
  if (error_) return;
  if (at_ > 0) {
    add_to_checksum();
    buffer_.erase(0, at_);
    base_ += at_;
    at_ = checksummed_ = 0;
    if (buffer_.size() < kIdleBufferBytesMax && buffer_.capacity() > 2 * kIdleBufferBytesMax) {
      buffer_.shrink_to_fit();
    }
  }
  buffer_.append(bytes);
}

Bytes RdbReader::rest() const { return end_ ? item() : Bytes(); }

Result<RdbEvent> RdbReader::next() {
  if (error_) return std::unexpected(*error_);
  if (end_) return *end_;
  Result<RdbEvent> event = advance();
  if (!event) error_ = event.error();
  return event;
}

Result<RdbEvent> RdbReader::advance() {
  for (;;) {
    if (stage_ == Stage::kHeader) return read_header();
    if (stage_ == Stage::kChecksum) return read_checksum();
    if (stage_ == Stage::kOpcode) {
      if (item().empty()) return RdbNeedMore{};
      if (Result<void> begun = begin_item(); !begun) return std::unexpected(begun.error());
      continue;
    }
    const Result<bool> whole = measure();
    if (!whole) return std::unexpected(whole.error());
    if (!*whole) return RdbNeedMore{};
    if (stage_ == Stage::kKey) {
      key_end_ = measure_.size();
      stage_ = Stage::kValue;
      measure_.begin(key_end_, rdb_value_shape(opcode_));
      continue;
    }
    if (stage_ == Stage::kValue) return read_entry();
    Result<RdbEvent> event = read_operands();
    if (!event || !std::holds_alternative<RdbNeedMore>(*event)) return event;
  }
}

Result<RdbEvent> RdbReader::read_header() {
  const Bytes header = item();
  const size_t magic_bytes = std::min(header.size(), kRdbMagic.size());
  if (header.substr(0, magic_bytes) != kRdbMagic.substr(0, magic_bytes)) {
    return fail_at(ErrorCode::kInvalid, 0, "not an RDB file: it does not begin with REDIS");
  }
  if (header.size() < kRdbHeaderBytes) return RdbNeedMore{};
  for (const char digit : header.substr(kRdbMagic.size(), kRdbHeaderBytes - kRdbMagic.size())) {
    if (digit < '0' || digit > '9') {
      return fail_at(ErrorCode::kInvalid, kRdbMagic.size(), "the version is not four digits");
    }
    version_ = version_ * 10 + (digit - '0');
  }
  if (version_ < kRdbVersionMin || version_ > kRdbVersionMax) {
    return fail_at(ErrorCode::kUnsupported, kRdbMagic.size(),
                   fmt::format("RDB version {}; versions {} to {} can be read", version_,
                               kRdbVersionMin, kRdbVersionMax));
  }
  consume(kRdbHeaderBytes);
  return RdbHeader{version_};
}

Result<void> RdbReader::begin_item() {
  opcode_ = static_cast<uint8_t>(item()[0]);
  key_end_ = 0;
  if (!rdb_value_shape(opcode_).empty()) {
    stage_ = Stage::kKey;
    measure_.begin(1, "S");
    return {};
  }
  if (attributes_.any() && !is_attribute(opcode_)) {
    return fail_at(ErrorCode::kInvalid, 0, "an expiry or age that no key follows");
  }
  if (opcode_ == kRdbEof) {
    consume(1);
    stage_ = Stage::kChecksum;
    return {};
  }
  const std::string_view shape = rdb_opcode_shape(opcode_);
  if (shape.empty()) {
    return fail_at(ErrorCode::kInvalid, 0, fmt::format("unknown type or opcode {}", opcode_));
  }
  stage_ = Stage::kOperands;
  measure_.begin(1, shape);
  return {};
}

Result<bool> RdbReader::measure() {
  switch (measure_.advance(item())) {
    case RdbMeasure::Outcome::kWhole:
      return true;
    case RdbMeasure::Outcome::kNeedMore:
      return false;
    case RdbMeasure::Outcome::kInvalid:
      break;
  }
  return fail_at(ErrorCode::kInvalid, measure_.size(), measure_.problem());
}

// RdbNeedMore: done, but it makes no event of its own.
Result<RdbEvent> RdbReader::read_operands() {
  RdbDecoder decoder(item().substr(0, measure_.size()), options_.string_bytes_max);
  decoder.byte();
  RdbEvent event = RdbNeedMore{};
  switch (opcode_) {
    case kRdbAux: {
      const Bytes name = decoder.string(name_scratch_);
      event = RdbAuxField{name, decoder.string(value_scratch_)};
      break;
    }
    case kRdbFunction2:
      event = RdbLibrary{decoder.string(value_scratch_)};
      break;
    case kRdbSelectDb: {
      const uint64_t database = decoder.length();
      if (database >= options_.databases) {
        return fail_at(
            ErrorCode::kInvalid, 1,
            fmt::format("database {}, but there are only {}", database, options_.databases));
      }
      database_ = static_cast<uint32_t>(database);
      event = RdbSelect{database_};
      break;
    }
    case kRdbResizeDb: {
      const uint64_t keys = decoder.length();
      event = RdbSizes{keys, decoder.length()};
      break;
    }
    case kRdbExpireMs:
      attributes_.expire_ms = static_cast<int64_t>(decoder.number64());
      break;
    case kRdbExpireSeconds:
      attributes_.expire_ms = int64_t{static_cast<int32_t>(decoder.number32())} * 1000;
      break;
    case kRdbIdle:
      attributes_.idle_s = decoder.length();
      break;
    case kRdbFrequency:
      attributes_.use_frequency = decoder.byte();
      break;
    case kRdbModuleAux:
      return fail_module(decoder.length());
    default:
      return fail_at(ErrorCode::kUnsupported, 0,
                     "a function library as release candidates of Redis 7.0 wrote it");
  }
  if (!decoder.ok()) return fail_at(ErrorCode::kInvalid, decoder.at(), decoder.problem());
  consume(decoder.at());
  return event;
}

Result<RdbEvent> RdbReader::read_entry() {
  RdbDecoder decoder(item().substr(0, measure_.size()), options_.string_bytes_max);
  decoder.byte();
  const Bytes key = decoder.string(name_scratch_);
  if (!decoder.ok()) return fail_at(ErrorCode::kInvalid, decoder.at(), decoder.problem());
  if (opcode_ == kRdbModule2 || opcode_ == kRdbModulePreview) return fail_module(decoder.length());
  std::optional<Value> value = rdb_decode_value(decoder, opcode_, options_.limits);
  if (!value) return fail_at(ErrorCode::kInvalid, decoder.at(), decoder.problem());
  const RdbAttributes attributes = std::exchange(attributes_, {});
  consume(decoder.at());
  if (rdb_is_empty_collection(*value)) return RdbEmpty{database_, key};
  return RdbEntry{database_,         key,
                  std::move(*value), attributes.expire_ms,
                  attributes.idle_s, attributes.use_frequency};
}

Result<RdbEvent> RdbReader::read_checksum() {
  bool verified = false;
  if (version_ >= kRdbChecksumSince) {
    if (item().size() < kRdbChecksumBytes) return RdbNeedMore{};
    add_to_checksum();
    const auto stored = load_little_endian<uint64_t>(item().data());
    if (options_.verify_checksum && stored != 0) {
      if (stored != checksum_) {
        return fail_at(ErrorCode::kInvalid, 0,
                       fmt::format("the checksum is {:016x}, but the bytes before it have {:016x}",
                                   stored, checksum_));
      }
      verified = true;
    }
    at_ += kRdbChecksumBytes;
    checksummed_ = at_;
  }
  end_ = RdbEnd{version_, verified};
  return *end_;
}

Result<void> RdbReader::finish() {
  if (error_) return std::unexpected(*error_);
  if (end_) return {};
  const std::string where = stage_ == Stage::kOpcode ? "" : ", in the middle of an item";
  return fail_at(ErrorCode::kEnd, item().size(), "the input ends too early" + where);
}

void RdbReader::consume(size_t bytes) {
  at_ += bytes;
  key_end_ = 0;
  stage_ = Stage::kOpcode;
}

void RdbReader::add_to_checksum() {
  if (!options_.verify_checksum || end_) return;
  checksum_ = crc64(checksum_, Bytes(buffer_).substr(checksummed_, at_ - checksummed_));
  checksummed_ = at_;
}

std::unexpected<Error> RdbReader::fail_at(ErrorCode code, size_t item_offset,
                                          std::string_view what) const {
  std::string text = fmt::format("RDB, byte {}", base_ + at_ + item_offset);
  if (key_end_ > 0) {
    RdbDecoder decoder(item().substr(1, key_end_ - 1), options_.string_bytes_max);
    std::string scratch;
    const Bytes key = decoder.string(scratch);
    if (decoder.ok()) text += fmt::format(", key {}", rdb_quoted(key));
  }
  return fail(code, fmt::format("{}: {}", text, what));
}

std::unexpected<Error> RdbReader::fail_module(uint64_t id) const {
  return fail_at(ErrorCode::kUnsupported, 0,
                 fmt::format("data of the module type \"{}\"; modules are not supported",
                             rdb_module_name(id)));
}

}  // namespace tandem
