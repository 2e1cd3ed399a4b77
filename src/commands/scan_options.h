// What SCAN, SSCAN, HSCAN and ZSCAN share: the cursor, MATCH and COUNT, and the shape of the reply.
#pragma once

#include <cstdint>
#include <optional>

#include "base/function_ref.h"
#include "commands/arguments.h"
#include "engine/context.h"

namespace tandem {

struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  std::optional<Bytes> pattern;
  std::optional<Bytes> type;  // SCAN only

  bool matches(Bytes text) const;
};

// SCAN's cursor and options; has answered if there is nothing.
std::optional<ScanOptions> parse_scan(Context& ctx);
// The options behind a container's cursor. False: an error was answered.
bool parse_scan_words(Context& ctx, size_t first, bool with_type, ScanOptions& options);

// One SCAN of a container: calls `step` (a cursor to the next one) until enough elements were seen,
// and answers. `step` writes its matches to the reply and says how many it saw and wrote.
struct ScanStep {
  uint64_t cursor;
  int64_t seen;
  int64_t written;
  bool refused = false;  // by Context::visit: nothing is answered
};
void reply_scan(Context& ctx, const ScanOptions& options,
                FunctionRef<ScanStep(uint64_t cursor)> step);
void reply_empty_scan(Context& ctx);

// What SSCAN, HSCAN and ZSCAN go through. They look at the key before the options: of an absent key
// anything may be asked. Null: the answer is out.
template <class T>
const T* scanned_container(Context& ctx, ScanOptions& options) {
  const std::optional<uint64_t> cursor = cursor_argument(ctx, 2);
  if (!cursor) return nullptr;
  options.cursor = *cursor;
  const T* container;
  if (!ctx.keys.read(ctx.args[1], container)) {
    ctx.reply.error(kWrongType);
    return nullptr;
  }
  if (container == nullptr) {
    reply_empty_scan(ctx);
    return nullptr;
  }
  return parse_scan_words(ctx, 3, false, options) ? container : nullptr;
}

}  // namespace tandem
