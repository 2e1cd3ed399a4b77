#include "engine/command_keys.h"

#include <algorithm>

#include "base/number.h"

namespace tandem {
namespace {

// The first argument position of a specification, or -1; with a keyword, the first behind `after`.
int find_begin(const KeySpec& spec, std::span<const Bytes> args, int after = 0) {
  const auto count = static_cast<int>(args.size());
  if (spec.position_in != nullptr) {
    const int position = spec.position_in(args);
    return position != 0 ? position : -1;
  }
  if (spec.begin_keyword.empty()) return spec.begin < count ? spec.begin : -1;
  const int step = spec.begin < 0 ? -1 : 1;
  const int from = spec.begin < 0 ? count + spec.begin : spec.begin;
  for (int i = std::max(from, after); i > 0 && i < count; i += step) {
    if (equal_ignore_case(args[static_cast<size_t>(i)], spec.begin_keyword)) {
      return i + 1 < count ? i + 1 : -1;
    }
  }
  return -1;
}

// Whether one of the words, which have blanks between them, is among the arguments.
bool has_word(std::span<const Bytes> args, std::string_view words) {
  while (!words.empty()) {
    const std::string_view word = take_word(words);
    if (std::ranges::any_of(args, [&](Bytes arg) { return equal_ignore_case(arg, word); })) {
      return true;
    }
  }
  return false;
}

KeyUse use_in(const KeySpec& spec, std::span<const Bytes> args) {
  // The one that was found is there, be there others.
  if (!spec.use.has(KeyUse::kVariable)) return spec.use.without(KeyUse::kIncomplete);
  const size_t from = std::min(static_cast<size_t>(spec.milder.from), args.size());
  return has_word(args.subspan(from), spec.milder.words) ? spec.use.without(KeyUse::kVariable)
                                                         : spec.milder.use;
}

void add_unknown(const KeySpec& spec, std::span<const Bytes> args, std::vector<FoundKey>& found) {
  const int position = spec.position_in != nullptr ? spec.position_in(args) : 0;
  if (position != 0) found.push_back({position, spec.use});
}

bool add_keys_from(int begin, const KeySpec& spec, std::span<const Bytes> args,
                   std::vector<FoundKey>& found) {
  const auto count = static_cast<int>(args.size());
  int first = begin;
  int last;
  if (spec.find == KeySpec::Find::kRange) {
    last = spec.last >= 0 ? begin + spec.last : count + spec.last;
    if (spec.last < 0 && spec.limit > 1) last = begin + (count - begin) / spec.limit - 1;
  } else {
    const auto keys = parse_int64(args[static_cast<size_t>(begin + spec.count_at)]);
    first = begin + spec.first_at;
    if (!keys || *keys < 0 || *keys > (count - first) / spec.step) return false;
    last = first + static_cast<int>(*keys) * spec.step - 1;
  }
  if (last >= count) return false;
  const KeyUse use = use_in(spec, args);
  for (int i = first; i <= last; i += spec.step) found.push_back({i, use});
  return true;
}

bool add_keys(const KeySpec& spec, std::span<const Bytes> args, std::vector<FoundKey>& found) {
  int begin = find_begin(spec, args);
  if (begin < 0) return true;  // optional keys that are not there
  bool complete = add_keys_from(begin, spec, args, found);
  while (spec.repeats && (begin = find_begin(spec, args, begin)) > 0) {
    complete = add_keys_from(begin, spec, args, found) && complete;
  }
  return complete;
}

}  // namespace

std::vector<std::string_view> KeyUse::words() const {
  std::vector<std::string_view> words;
  for (const Word& known : kWords) {
    if (has(known.bit)) words.push_back(known.word);
  }
  return words;
}

bool find_keys(std::span<const KeySpec> specs, std::span<const Bytes> args,
               std::vector<FoundKey>& found) {
  bool complete = true;
  for (const KeySpec& spec : specs) {
    if (!spec.tells_keys()) continue;
    if (spec.find == KeySpec::Find::kUnknown) {
      add_unknown(spec, args, found);
    } else {
      complete = add_keys(spec, args, found) && complete;
    }
  }
  return complete;
}

}  // namespace tandem
