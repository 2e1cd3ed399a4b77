// Sorts a part of many, the first or those from a place on, and leaves equals in the order in which
// Redis leaves them: what is first may decide what is stored, and replicas of both kinds must store
// the same.
//
// Redis sorts everything with the C library's qsort, which keeps equals in order, and a part of
// many with the quicksort of Bentley and McIlroy ("Engineering a sort function", 1993), which does
// not, passing over what lies wholly before or behind that part.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace tandem {

namespace front_sort {

// Which of three elements, by their places, is the middle one.
template <class T, class Order>
size_t median(std::span<const T> items, size_t a, size_t b, size_t c, Order order) {
  if (order(items[a], items[b]) < 0) {
    if (order(items[b], items[c]) < 0) return b;
    return order(items[a], items[c]) < 0 ? c : a;
  }
  if (order(items[b], items[c]) > 0) return b;
  return order(items[a], items[c]) < 0 ? a : c;
}

template <class T, class Order>
size_t pivot(std::span<const T> items, Order order) {
  const size_t last = items.size() - 1;
  const size_t middle = items.size() / 2;
  if (items.size() == 7) return middle;
  if (items.size() <= 40) return median(items, 0, middle, last, order);
  const size_t step = items.size() / 8;
  return median(items, median(items, 0, step, 2 * step, order),
                median(items, middle - step, middle, middle + step, order),
                median(items, last - 2 * step, last - step, last, order), order);
}

template <class T, class Order>
void insertion_sort(std::span<T> items, Order order) {
  for (size_t end = 1; end < items.size(); ++end) {
    for (size_t at = end; at > 0 && order(items[at - 1], items[at]) > 0; --at) {
      std::swap(items[at - 1], items[at]);
    }
  }
}

template <class T>
void swap_runs(std::span<T> items, size_t a, size_t b, size_t count) {
  std::swap_ranges(items.begin() + static_cast<ptrdiff_t>(a),
                   items.begin() + static_cast<ptrdiff_t>(a + count),
                   items.begin() + static_cast<ptrdiff_t>(b));
}

// What is less than the pivot lies in front then, what is greater behind, its equals in between.
struct Split {
  size_t less;
  size_t greater;
};

template <class T, class Order>
Split split(std::span<T> items, Order order) {
  std::swap(items[0], items[pivot<T>(items, order)]);
  // Equals of the pivot, items[0], are collected at both ends: [0, a) and [d, size).
  size_t a = 1;
  size_t b = 1;
  size_t c = items.size();
  size_t d = items.size();
  for (;;) {
    for (; b < c; ++b) {
      const int sign = order(items[b], items[0]);
      if (sign > 0) break;
      if (sign == 0) std::swap(items[a++], items[b]);
    }
    for (; b < c; --c) {
      const int sign = order(items[c - 1], items[0]);
      if (sign < 0) break;
      if (sign == 0) std::swap(items[c - 1], items[--d]);
    }
    if (b == c) break;
    std::swap(items[b++], items[--c]);
  }
  const Split sides{.less = b - a, .greater = d - c};
  const size_t in_front = std::min(a, sides.less);
  swap_runs(items, 0, b - in_front, in_front);
  const size_t behind = std::min(sides.greater, items.size() - d);
  swap_runs(items, b, items.size() - behind, behind);
  return sides;
}

template <class T, class Order>
void stable_sort(std::vector<T>& items, Order order) {
  std::vector<size_t> places(items.size());
  std::iota(places.begin(), places.end(), size_t{0});
  std::ranges::sort(places, [&](size_t a, size_t b) {
    const int sign = order(items[a], items[b]);
    return sign < 0 || (sign == 0 && a < b);
  });
  std::vector<T> sorted;
  sorted.reserve(items.size());
  for (const size_t place : places) sorted.push_back(std::move(items[place]));
  items = std::move(sorted);
}

}  // namespace front_sort

// `count` of `items` from place `from` on (or up to the end) are then those that belong there.
// `order` gives less than 0, 0 or more than 0, for all of them (NaN has no place in an order).
template <class T, class Order>
void sort_part(std::vector<T>& items, size_t from, size_t count, Order order) {
  if (from == 0 && count >= items.size()) return front_sort::stable_sort(items, order);
  // No recursion: chosen data could make it deep.
  std::vector<std::pair<size_t, size_t>> parts = {{0, items.size()}};  // place and size
  while (!parts.empty()) {
    const auto [first, size] = parts.back();
    parts.pop_back();
    if (first + size <= from || (first > from && first - from >= count)) continue;
    const std::span<T> part = std::span(items).subspan(first, size);
    if (size < 7) {
      front_sort::insertion_sort(part, order);
      continue;
    }
    const auto [less, greater] = front_sort::split(part, order);
    if (less > 1) parts.emplace_back(first, less);
    if (greater > 1) parts.emplace_back(first + size - greater, greater);
  }
}

template <class T, class Order>
void sort_front(std::vector<T>& items, size_t count, Order order) {
  sort_part(items, 0, count, order);
}

}  // namespace tandem
