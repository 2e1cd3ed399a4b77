// One configured value that CONFIG SET may change while other threads read it. A part keeps its
// values in a plain Options struct of these, with their defaults as initial values; config fills
// the struct, the part reads it.
//
// Thread safety: any thread may get and set. Numbers, booleans and enums are relaxed atomics, cheap
// enough for a hot path; text and whatever else is larger is under a lock and comes back as a copy.
// Options of one struct change one by one, not together.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "base/lock.h"

namespace tandem {

template <class T>
inline constexpr bool kFitsAtomic =
    std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uintptr_t);

template <class T>
class Option {
 public:
  Option() = default;
  Option(T initial)
      : value_(std::move(initial)) {}  // implicit, so that a struct reads `Option<bool> x = true`
  Option(const Option&) = delete;
  Option& operator=(const Option&) = delete;

  T get() const {
    const Guard guard(lock_);
    return value_;
  }
  void set(T value) {
    const Guard guard(lock_);
    value_ = std::move(value);
  }
  bool empty() const {
    const Guard guard(lock_);
    return value_.empty();
  }

 private:
  mutable Lock lock_;
  T value_ TANDEM_GUARDED_BY(lock_){};
};

template <class T>
  requires kFitsAtomic<T>
class Option<T> {
 public:
  constexpr Option(T initial) : value_(initial) {}
  Option(const Option&) = delete;
  Option& operator=(const Option&) = delete;

  T get() const { return value_.load(std::memory_order_relaxed); }
  void set(T value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

using TextOption = Option<std::string>;

}  // namespace tandem
