#include "commands/elements.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace tandem {

void wait_for_any(Context& ctx, std::span<const Bytes> keys, ValueType type, int64_t deadline_ms) {
  ctx.block({.keys = {keys.begin(), keys.end()}, .type = type, .deadline_ms = deadline_ms});
}

std::optional<DrawArguments> draw_arguments(Context& ctx, Bytes values_word) {
  constexpr size_t kCount = 2;  // where it stands
  DrawArguments wanted;
  if (ctx.args.size() == kCount) return wanted;
  const size_t words = ctx.args.size() - kCount - 1;
  if (words > 0 && values_word.empty()) {
    ctx.reply.error(kSyntaxError);
    return std::nullopt;
  }
  wanted.count = symmetric_integer_argument(ctx, kCount);
  if (!wanted.count) return std::nullopt;
  if (words == 0) return wanted;
  if (words > 1 || !OptionWords(ctx, kCount + 1).take(values_word)) {
    ctx.reply.error(kSyntaxError);
    return std::nullopt;
  }
  constexpr int64_t kPairsMax = std::numeric_limits<int64_t>::max() / 2;
  if (*wanted.count > kPairsMax || *wanted.count < -kPairsMax) {
    ctx.reply.error("ERR value is out of range");
    return std::nullopt;
  }
  wanted.with_values = true;
  return wanted;
}

void replicate_in_parts(Context& ctx, Bytes command, Bytes key,
                        std::span<const std::string> elements) {
  if (!ctx.replicates()) return;
  constexpr size_t kElementsMax = 1024;  // of one command
  while (!elements.empty()) {
    const auto part = elements.first(std::min(elements.size(), kElementsMax));
    elements = elements.subspan(part.size());
    std::vector<Bytes> effect = {command, key};
    effect.insert(effect.end(), part.begin(), part.end());
    ctx.replicate(effect);
  }
}

}  // namespace tandem
