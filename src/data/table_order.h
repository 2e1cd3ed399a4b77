// The order in which SCAN goes through a hash table, for walks (data/element_walk.h): by the
// reversed bits of the hash, which growing and shrinking only cut finer or coarser. So the place of
// an element depends on its name alone.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "data/hash_table.h"

namespace tandem {

// Names::of(const Entry&) gives the entry's name. The table and its traits outlive the order.
template <class Traits, class Names>
class TableOrder {
 public:
  using Element = typename Traits::Entry;
  using Table = HashTable<Traits>;

  TableOrder(const Traits& traits, const Table& table) : traits_(traits), table_(table) {}

  template <class Fn>
  bool next(Fn&& fn) {
    // After a merge the chain also has elements of places that were passed before it.
    const uint64_t next = table_.scan(cursor_, [&](const Element* element, bool) {
      if (!passed(*element)) fn(*element);
    });
    cursor_ = next;
    return next != 0;
  }
  bool passed(const Element& element) const {
    return Table::scan_passed(cursor_, traits_.hash(element));
  }
  bool may_meet(Bytes name) const { return !Table::scan_passed(cursor_, traits_.hash_of(name)); }
  static Bytes name(const Element& element) { return Names::of(element); }

 private:
  const Traits& traits_;
  const Table& table_;
  uint64_t cursor_ = 0;
};

}  // namespace tandem
