#include "script/script_cache.h"

#include <functional>
#include <string>
#include <vector>

#include "resp/request.h"

namespace tandem {
namespace {

struct FlagName {
  Bytes name;
  ScriptFlag flag;
};

constexpr FlagName kFlagNames[] = {
    {"no-writes", kScriptNoWrites},
    {"allow-oom", kScriptAllowOom},
    {"allow-stale", kScriptAllowStale},
    {"no-cluster", kScriptNoCluster},
    {"allow-cross-slot-keys", kScriptCrossSlot},
};

std::unexpected<Error> wrong(Bytes what, Bytes shown) {
  return fail(ErrorCode::kInvalid, "ERR " + std::string(what) + std::string(shown));
}

Result<uint32_t> read_flags(Bytes list) {
  uint32_t flags = 0;
  // After a comma one more is expected.
  for (bool more = !list.empty(); more;) {
    const Bytes name = list.substr(0, list.find(','));
    more = name.size() < list.size();
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    uint32_t flag = 0;
    for (const FlagName& known : kFlagNames) {
      if (known.name == name) flag = known.flag;
    }
    if (flag == 0) return wrong("Unexpected flag in script shebang: ", name);
    flags |= flag;
  }
  return flags;
}

}  // namespace

Result<ScriptText> read_script_text(Bytes script) {
  ScriptText text{.code = script};
  if (!script.starts_with("#!")) return text;
  const size_t end = script.find('\n');
  if (end == Bytes::npos) return wrong("Invalid script shebang", "");
  std::string storage;
  std::vector<Bytes> words;
  if (!split_arguments(script.substr(0, end), storage, words) || words.empty()) {
    return wrong("Invalid engine in script shebang", "");
  }
  if (words[0] != "#!lua") return wrong("Unexpected engine in script shebang: ", words[0]);
  text.has_flags = true;
  text.code = script.substr(end);
  for (size_t i = 1; i < words.size(); ++i) {
    static constexpr Bytes kFlags = "flags=";
    if (!words[i].starts_with(kFlags)) return wrong("Unknown lua shebang option: ", words[i]);
    const Result<uint32_t> flags = read_flags(words[i].substr(kFlags.size()));
    if (!flags) return std::unexpected(flags.error());
    text.flags |= *flags;
  }
  return text;
}

ScriptCache::Script* ScriptCache::find(Bytes sha1) {
  const auto found = scripts_.find(sha1);
  return found == scripts_.end() ? nullptr : &found->second;
}

ScriptCache::Script& ScriptCache::add(Bytes sha1, Script script) {
  bytes_.fetch_add(static_cast<int64_t>(script.text.size()), std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  if (!script.loaded) evaluated_.emplace_back(sha1);
  return scripts_.emplace(sha1, std::move(script)).first->second;
}

int ScriptCache::drop_excess() {
  while (evaluated_.size() > kEvaluatedScriptsMax) {
    const auto found = scripts_.find(evaluated_.front());
    evaluated_.pop_front();
    if (found == scripts_.end() || found->second.loaded) continue;
    const int function = found->second.function;
    bytes_.fetch_sub(static_cast<int64_t>(found->second.text.size()), std::memory_order_relaxed);
    count_.fetch_sub(1, std::memory_order_relaxed);
    scripts_.erase(found);
    if (function != kNone) return function;
  }
  return kNone;
}

void ScriptCache::clear() {
  scripts_.clear();
  evaluated_.clear();
  count_.store(0, std::memory_order_relaxed);
  bytes_.store(0, std::memory_order_relaxed);
}

void ScriptCache::forget_functions() {
  for (auto& [sha1, script] : scripts_) script.function = kNone;
}

}  // namespace tandem
