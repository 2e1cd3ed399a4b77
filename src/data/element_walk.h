// A walk over the elements of a large container as they were at one moment, some at a time, while
// the container goes on changing between the steps: how a snapshot of a big set, hash or sorted set
// holds nobody up.
//
//   begin          the moment; the container's large form knows the walk from here on
//   step           visits some elements, in an order that no change can upset (Order)
//   before_change  from the large form, about to add, change or remove an element: one that is not
//                  visited yet is visited now, as it still is; its name is remembered and skipped
//                  when the walk comes by
//   end            everything is visited, or the walk is given up: the container forgets it
//
// Each element that was there at the moment is visited exactly once, as it was then; elements that
// came later never are. A container that goes away first has the rest visited at once.
//
// Price: one remembered name for each element that changes ahead of the walk.
//
// Not thread safe: walk and container belong to whoever holds the container's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace tandem {

// Whether a container of so many elements and bytes is large: to be walked in steps.
constexpr bool is_large(size_t elements, size_t bytes) {
  return elements > 256 || bytes > 64 * 1024;
}

class ElementWalk {
 public:
  virtual ~ElementWalk() = default;
  // Visits about so many elements more. False: all have been visited.
  virtual bool step(size_t elements) = 0;
};

// What a large form knows of the walk over it, and tells it.
template <class Element>
class WalkHook {
 public:
  // Null: `name` is about to be added.
  virtual void before_change(Bytes name, const Element* element) = 0;
  // The elements are about to go, all at once.
  virtual void finish() = 0;

 protected:
  ~WalkHook() = default;
};

// Order (an order of elements that survives every change of the container):
//   using Element;
//   bool next(fn)                           visits some elements; false: these were the last
//   bool passed(const Element&) const       next() has been where this element is
//   bool may_meet(Bytes name) const         next() may yet come across an element of this name
//   static Bytes name(const Element&)
template <class Order>
class OrderedWalk final : public ElementWalk, public WalkHook<typename Order::Element> {
 public:
  using Element = typename Order::Element;
  using Hook = WalkHook<Element>;
  using Visit = std::function<void(const Element&)>;

  // `noted_in` is the large form's; REQUIRES: no other walk is noted there.
  OrderedWalk(Hook*& noted_in, Order order, Visit visit)
      : noted_in_(&noted_in), order_(std::move(order)), visit_(std::move(visit)) {
    CHECK(noted_in == nullptr, "one walk over a container at a time");
    noted_in = this;
  }
  ~OrderedWalk() { end(); }
  OrderedWalk(const OrderedWalk&) = delete;
  OrderedWalk& operator=(const OrderedWalk&) = delete;

  bool step(size_t elements) override {
    size_t seen = 0;
    while (noted_in_ != nullptr && seen < elements) {
      const bool more = order_.next([&](const Element& element) {
        ++seen;
        if (changed_.empty() || !changed_.contains(std::string(Order::name(element)))) {
          visit_(element);
        }
      });
      if (!more) end();
    }
    return noted_in_ != nullptr;
  }

  void before_change(Bytes name, const Element* element) override {
    if (!order_.may_meet(name)) return;
    if (!changed_.emplace(name).second) return;
    if (element != nullptr && !order_.passed(*element)) visit_(*element);
  }

  void finish() override { step(std::numeric_limits<size_t>::max()); }

 private:
  void end() {
    if (noted_in_ != nullptr) *noted_in_ = nullptr;
    noted_in_ = nullptr;
  }

  Hook** noted_in_;  // null once ended
  Order order_;
  const Visit visit_;
  std::unordered_set<std::string> changed_;
};

}  // namespace tandem
