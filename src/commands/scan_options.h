// What SCAN, SSCAN, HSCAN and ZSCAN share: the cursor, MATCH and COUNT, and the shape of the reply.
#pragma once

#include <cstdint>
#include <optional>

#include "base/function_ref.h"
#include "engine/context.h"

namespace tandem {

struct ScanOptions {
  uint64_t cursor = 0;
  int64_t count = 10;
  std::optional<Bytes> pattern;
  std::optional<Bytes> type;  // SCAN only

  bool matches(Bytes text) const;
};

// The cursor stands at `cursor_index`, options behind it; has answered if there is nothing.
std::optional<ScanOptions> parse_scan(Context& ctx, size_t cursor_index, bool with_type);

// One SCAN of a container: calls `step` (a cursor to the next one) until enough elements were seen,
// and answers. `step` writes its matches to the reply and says how many it saw and wrote.
struct ScanStep {
  uint64_t cursor;
  int64_t seen;
  int64_t written;
};
void reply_scan(Context& ctx, const ScanOptions& options,
                FunctionRef<ScanStep(uint64_t cursor)> step);
void reply_empty_scan(Context& ctx);

}  // namespace tandem
