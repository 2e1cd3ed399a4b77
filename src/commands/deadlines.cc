#include "commands/deadlines.h"

#include <limits>

namespace tandem {

std::optional<int64_t> unix_ms_of(int64_t value, TimeForm form, int64_t now_ms) {
  using Limits = std::numeric_limits<int64_t>;
  if (form.seconds) {
    if (value > Limits::max() / 1000 || value < Limits::min() / 1000) return std::nullopt;
    value *= 1000;
  }
  if (form.absolute) return value;
  if (value > Limits::max() - now_ms) return std::nullopt;
  return value + now_ms;
}

void invalid_expire_time(Context& ctx) {
  ctx.reply.error("ERR invalid expire time in '" + ctx.command.full_name + "' command");
}

bool is_over(const Context& ctx, int64_t expiry_ms) {
  return expiry_ms <= ctx.now_ms && !ctx.from_primary &&
         ctx.keys.access().mode() == ExpiryMode::kDelete;
}

}  // namespace tandem
