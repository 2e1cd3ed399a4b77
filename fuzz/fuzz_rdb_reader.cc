// Any bytes at all into the RDB reader, in pieces whose size depends on the input. What it accepts
// must be a sound value: written again at every version it is accepted again, and as DUMP's payload
// too.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "rdb/dump.h"
#include "rdb/rdb_reader.h"
#include "rdb/rdb_writer.h"

namespace tandem {
namespace {

constexpr uint64_t kStringBytesMax = uint64_t{1} << 20;

void write_again(const Value& value) {
  for (int version = kRdbWriteVersionMin; version <= kRdbVersionMax; ++version) {
    std::string payload;
    dump_value(ref(value), {.version = version}, payload);
    const Result<Value> restored = restore_value(payload, {});
    CHECK(restored.has_value(), "a value that was read cannot be read again");
    CHECK(restored->type() == value.type(), "a value changed its type");
  }
}

void read(Bytes stored) {
  RdbReadOptions options;
  options.verify_checksum = false;
  options.string_bytes_max = kStringBytesMax;
  if (stored.size() % 2 == 0) {
    options.limits.hash_max_listpack_entries = 1;
    options.limits.set_max_listpack_entries = 1;
    options.limits.sorted_set_max_listpack_entries = 1;
    options.limits.list_max_listpack_size = 2;
  }
  const size_t piece = 1 + stored.size() % 61;
  RdbReader reader(options);
  for (size_t at = 0; at < stored.size(); at += piece) {
    reader.feed(stored.substr(at, piece));
    while (!reader.ended()) {
      const Result<RdbEvent> event = reader.next();
      if (!event) return;
      if (std::holds_alternative<RdbNeedMore>(*event)) break;
      if (const auto* entry = std::get_if<RdbEntry>(&*event)) write_again(entry->value);
    }
  }
  (void)reader.finish();
}

}  // namespace

int read_and_restore(Bytes bytes) {
  read(bytes);
  const RdbReadOptions options{.string_bytes_max = kStringBytesMax, .verify_checksum = false};
  (void)restore_value(bytes, options);
  (void)restore_libraries(bytes, options, [](Bytes) { return Result<void>(); });
  return 0;
}

}  // namespace tandem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return tandem::read_and_restore(tandem::Bytes(reinterpret_cast<const char*>(data), size));
}
