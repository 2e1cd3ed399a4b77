#include "rdb/dump.h"

#include <fmt/format.h>

#include "base/checksum.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"
#include "rdb/rdb_measure.h"
#include "rdb/rdb_packing.h"
#include "rdb/rdb_values.h"

namespace tandem {

void dump_value(const ValueRef& value, const RdbWriteOptions& options, std::string& out) {
  const size_t start = out.size();
  StringSink sink(out);
  RdbPackEach packer;
  RdbEncoder encoder(sink, options.compress ? &packer : nullptr);
  encoder.byte(rdb_type_of(value, options.version));
  rdb_encode_value(encoder, value, options.version);
  encoder.number16(static_cast<uint16_t>(options.version));
  encoder.flush();
  const uint64_t checksum = crc64(0, Bytes(out).substr(start));
  encoder.number64(checksum);
  encoder.flush();
}

Result<Value> restore_value(Bytes payload, const RdbReadOptions& options) {
  if (payload.size() < kRdbDumpFooterBytes) {
    return fail(ErrorCode::kRefused, "the payload has no version and checksum");
  }
  const size_t body_bytes = payload.size() - kRdbDumpFooterBytes;
  const char* footer = payload.data() + body_bytes;
  const auto version = load_little_endian<uint16_t>(footer);
  if (version > kRdbVersionMax) {
    return fail(ErrorCode::kRefused, fmt::format("the payload has RDB version {}", version));
  }
  const auto stored = load_little_endian<uint64_t>(footer + 2);
  if (options.verify_checksum && stored != crc64(0, payload.substr(0, body_bytes + 2))) {
    return fail(ErrorCode::kRefused, "the payload's checksum is wrong");
  }

  const Bytes body = payload.substr(0, body_bytes);
  if (body.empty()) return fail(ErrorCode::kInvalid, "the payload has no value");
  const auto type = static_cast<uint8_t>(body[0]);
  const std::string_view shape = rdb_value_shape(type);
  if (shape.empty()) return fail(ErrorCode::kInvalid, fmt::format("unknown type {}", type));
  RdbMeasure measure(options.string_bytes_max);
  measure.begin(1, shape);
  if (measure.advance(body) != RdbMeasure::Outcome::kWhole) {
    return fail(ErrorCode::kInvalid,
                measure.problem() ? measure.problem() : "the value is cut off");
  }
  RdbDecoder decoder(body, options.string_bytes_max);
  decoder.byte();
  if (type == kRdbModulePreview || type == kRdbModule2) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("data of the module type \"{}\"", rdb_module_name(decoder.length())));
  }
  std::optional<Value> value = rdb_decode_value(decoder, type, options.limits);
  if (!value) return fail(ErrorCode::kInvalid, decoder.problem());
  if (rdb_is_empty_collection(*value)) return fail(ErrorCode::kInvalid, "no elements");
  if (!decoder.at_end()) return fail(ErrorCode::kInvalid, "bytes after the value");
  return std::move(*value);
}

}  // namespace tandem
