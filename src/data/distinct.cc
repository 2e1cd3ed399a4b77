// Compares sorted hashes, which needs no copy of the texts; only if two are equal are the texts
// themselves compared.
#include "data/distinct.h"

#include <algorithm>
#include <string>
#include <vector>

#include <xxhash.h>

namespace tandem {

bool entries_are_distinct(ListpackView entries, uint32_t stride) {
  std::vector<uint64_t> hashes;
  hashes.reserve(entries.count() / stride);
  const auto for_each = [&](auto&& visit) {
    uint32_t skip = 0;
    for (auto at = entries.first(); at != entries.end(); at = entries.next(at)) {
      if (skip-- != 0) continue;
      skip = stride - 1;
      visit(entries.get(at));
    }
  };
  for_each([&](const Element& element) {
    const Bytes text = element.text();
    hashes.push_back(XXH3_64bits(text.data(), text.size()));
  });
  std::ranges::sort(hashes);
  if (std::ranges::adjacent_find(hashes) == hashes.end()) return true;
  std::vector<std::string> texts;
  texts.reserve(hashes.size());
  for_each([&](const Element& element) { texts.push_back(element.copy()); });
  std::ranges::sort(texts);
  return std::ranges::adjacent_find(texts) == texts.end();
}

}  // namespace tandem
