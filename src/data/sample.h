// Some elements of a container by chance: all different, and each choice of that many equally
// likely. A container does it by a walk over all or by single draws, whichever looks at fewer.
//
// A draw may bring an element that was drawn before, the more likely the more are drawn. Up to a
// third of the container an element costs at most one and a half draws on the average; beyond that
// one walk over all of it costs less.
#pragma once

#include <cstddef>
#include <type_traits>
#include <unordered_set>

#include "base/random.h"

namespace tandem {

inline bool draws_are_cheaper(size_t count, size_t size) {
  constexpr size_t kDrawnShare = 3;
  return count <= size / kDrawnShare;
}

// Both show what they choose to `visit`, and return how many elements they looked at.

// Takes each element with the chance that it takes to end with just `count`. REQUIRES: count <=
// container.size().
template <class Container, class Visit>
size_t sample_by_walk(const Container& container, size_t count, Random& random, Visit&& visit) {
  size_t wanted = count;
  size_t left = container.size();
  if (wanted == 0) return 0;
  container.for_each([&](const auto&... element) {
    if (random.below(left--) >= wanted) return true;
    visit(element...);
    return --wanted > 0;
  });
  return container.size() - left;
}

// `draw` brings any element, all equally likely, as what tells it from the others: an address or a
// place.
template <class Draw, class Visit>
size_t sample_by_draws(size_t count, Draw&& draw, Visit&& visit) {
  std::unordered_set<std::invoke_result_t<Draw>> drawn;
  size_t looked_at = 0;
  for (; drawn.size() < count; ++looked_at) {
    const auto element = draw();
    if (drawn.insert(element).second) visit(element);
  }
  return looked_at;
}

}  // namespace tandem
