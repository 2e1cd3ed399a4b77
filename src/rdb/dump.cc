#include "rdb/dump.h"

#include <fmt/format.h>

#include "base/checksum.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"
#include "rdb/rdb_measure.h"
#include "rdb/rdb_packing.h"
#include "rdb/rdb_values.h"

namespace tandem {

namespace {

// Behind what lies in `out` from `start` on.
void append_footer(std::string& out, size_t start, int version) {
  char number[sizeof(uint64_t)];
  store_little_endian(number, static_cast<uint16_t>(version));
  out.append(number, sizeof(uint16_t));
  store_little_endian(number, crc64(0, Bytes(out).substr(start)));
  out.append(number, sizeof(uint64_t));
}

// What stands before the footer.
Result<Bytes> body_of(Bytes payload, const RdbReadOptions& options) {
  if (payload.size() < kRdbDumpFooterBytes) {
    return fail(ErrorCode::kRefused, "the payload has no version and checksum");
  }
  const size_t body_bytes = payload.size() - kRdbDumpFooterBytes;
  const char* footer = payload.data() + body_bytes;
  if (const int version = dump_version(payload); version > kRdbVersionMax) {
    return fail(ErrorCode::kRefused, fmt::format("the payload has RDB version {}", version));
  }
  const auto stored = load_little_endian<uint64_t>(footer + sizeof(uint16_t));
  if (options.verify_checksum && stored != crc64(0, payload.substr(0, body_bytes + 2))) {
    return fail(ErrorCode::kRefused, "the payload's checksum is wrong");
  }
  return payload.substr(0, body_bytes);
}

}  // namespace

int dump_version(Bytes payload) {
  return load_little_endian<uint16_t>(payload.data() + payload.size() - kRdbDumpFooterBytes);
}

void dump_value(const ValueRef& value, const RdbWriteOptions& options, std::string& out) {
  const size_t start = out.size();
  StringSink sink(out);
  RdbPackEach packer;
  RdbEncoder encoder(sink, options.compress ? &packer : nullptr);
  encoder.byte(rdb_type_of(value, options.version));
  rdb_encode_value(encoder, value, options.version);
  encoder.flush();
  append_footer(out, start, options.version);
}

Result<Value> restore_value(Bytes payload, const RdbReadOptions& options) {
  const Result<Bytes> whole = body_of(payload, options);
  if (!whole) return std::unexpected(whole.error());
  const Bytes body = *whole;
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

void dump_libraries(std::span<const Bytes> codes, const RdbWriteOptions& options,
                    std::string& out) {
  const size_t start = out.size();
  StringSink sink(out);
  RdbPackEach packer;
  RdbEncoder encoder(sink, options.compress ? &packer : nullptr);
  for (const Bytes code : codes) rdb_encode_library(encoder, code);
  encoder.flush();
  append_footer(out, start, options.version);
}

Result<void> restore_libraries(Bytes payload, const RdbReadOptions& options,
                               FunctionRef<Result<void>(Bytes code)> each) {
  const Result<Bytes> body = body_of(payload, options);
  if (!body) return std::unexpected(body.error());
  std::string scratch;
  for (Bytes left = *body; !left.empty();) {
    if (static_cast<uint8_t>(left[0]) != kRdbFunction2) {
      return fail(ErrorCode::kInvalid, "given type is not a function");
    }
    RdbMeasure measure(options.string_bytes_max);
    measure.begin(1, rdb_opcode_shape(kRdbFunction2));
    const bool whole = measure.advance(left) == RdbMeasure::Outcome::kWhole;
    RdbDecoder decoder(left.substr(1), options.string_bytes_max);
    const Bytes code = whole ? decoder.string(scratch) : Bytes();
    if (!whole || !decoder.ok()) {
      return fail(ErrorCode::kInvalid, "Failed loading library payload");
    }
    if (auto done = each(code); !done) return done;
    left.remove_prefix(1 + decoder.at());
  }
  return {};
}

}  // namespace tandem
