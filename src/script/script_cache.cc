#include "script/script_cache.h"

#include <utility>

namespace tandem {

ScriptCache::Script* ScriptCache::find(Bytes sha1) {
  const auto found = scripts_.find(sha1);
  return found == scripts_.end() ? nullptr : &found->second;
}

std::optional<uint32_t> ScriptCache::flags_of(Bytes sha1) const {
  const Guard guard(lock_);
  const auto found = scripts_.find(sha1);
  if (found == scripts_.end() || !found->second.has_flags) return std::nullopt;
  return found->second.flags;
}

ScriptCache::Script& ScriptCache::add(Bytes sha1, Script script) {
  bytes_.fetch_add(static_cast<int64_t>(script.text.size()), std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  if (!script.loaded) evaluated_.emplace_back(sha1);
  const Guard guard(lock_);
  return scripts_.emplace(sha1, std::move(script)).first->second;
}

int ScriptCache::drop_excess() {
  while (has_excess()) {
    const auto found = scripts_.find(evaluated_.front());
    evaluated_.pop_front();
    if (found == scripts_.end() || found->second.loaded) continue;
    const int function = found->second.function;
    bytes_.fetch_sub(static_cast<int64_t>(found->second.text.size()), std::memory_order_relaxed);
    count_.fetch_sub(1, std::memory_order_relaxed);
    {
      const Guard guard(lock_);
      scripts_.erase(found);
    }
    if (function != kNone) return function;
  }
  return kNone;
}

void ScriptCache::clear() {
  {
    const Guard guard(lock_);
    scripts_.clear();
  }
  evaluated_.clear();
  count_.store(0, std::memory_order_relaxed);
  bytes_.store(0, std::memory_order_relaxed);
}

void ScriptCache::forget_functions() {
  for (auto& [sha1, script] : scripts_) script.function = kNone;
}

}  // namespace tandem
