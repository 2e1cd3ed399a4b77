// A value that can be shared as it is at a moment for the price of a count: whoever changes it
// while it is shared gets a copy of its own first. So a snapshot takes a large value in pieces
// without copying it and without holding up who changes it.
//
//   CopyOnWrite<Listpack> node;   node->count();   node.write().append("x");
//   CopyOnWrite<Listpack> then = node.share();     stays what it was, also on another thread
//
// Threads: each handle belongs to one thread at a time; handles of one value may be on several.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace tandem {

// T has `T copy() const`.
template <class T>
class CopyOnWrite {
 public:
  CopyOnWrite() : box_(new Box{T()}) {}
  explicit CopyOnWrite(T value) : box_(new Box{std::move(value)}) {}
  CopyOnWrite(CopyOnWrite&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  CopyOnWrite& operator=(CopyOnWrite&& other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }
  ~CopyOnWrite() { release(); }

  CopyOnWrite share() const {
    box_->owners.fetch_add(1, std::memory_order_relaxed);
    return CopyOnWrite(box_);
  }
  const T& operator*() const { return box_->value; }
  const T* operator->() const { return &box_->value; }

  // For changing it.
  T& write() {
    // What the other owners read has been read before they let go.
    if (box_->owners.load(std::memory_order_acquire) != 1) {
      Box* own = new Box{box_->value.copy()};
      release();
      box_ = own;
    }
    return box_->value;
  }

 private:
  struct Box {
    T value;
    std::atomic<uint32_t> owners{1};
  };

  explicit CopyOnWrite(Box* box) : box_(box) {}
  void release() {
    if (box_ != nullptr && box_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_;
    box_ = nullptr;
  }

  Box* box_;  // null once moved from
};

}  // namespace tandem
