// When a key expires, as commands say it: relative or absolute, in seconds or milliseconds.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/context.h"

namespace tandem {

struct TimeForm {
  bool seconds;
  bool absolute;
};

// Unix milliseconds, or nothing when that is not representable; takes negative values.
std::optional<int64_t> unix_ms_of(int64_t value, TimeForm form, int64_t now_ms);

// "ERR invalid expire time in 'set' command".
void invalid_expire_time(Context& ctx);

// Whether a key that is given this expiry is deleted at once. Not on a replica and not in a
// primary's stream: there only the primary's DEL deletes.
bool is_over(const Context& ctx, int64_t expiry_ms);

}  // namespace tandem
