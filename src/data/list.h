// The value of a list key: a listpack while it is one small node ("listpack"), else a row of nodes
// ("quicklist"), each a listpack within EncodingLimits::list_max_listpack_size, or plain bytes for
// one element larger than that.
//
// Invariants: a quicklist has no empty node; size() is the sum of the nodes' entries. It turns into
// a quicklist before it outgrows one node, and back into a listpack when one packed node of at most
// half that size is left, as in 7.2. Not thread safe. Views and Elements are valid until the list
// changes; arguments must not view into the list.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/copy_on_write.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "data/element.h"
#include "data/listpack.h"

namespace tandem {

class Quicklist;
struct ListNodeBody;

enum class ListEnd : uint8_t { kHead, kTail };

class List {
 public:
  List();
  ~List();
  List(List&& other) noexcept;
  List& operator=(List&& other) noexcept;

  // Loading. from_listpack takes one blob (RDB's listpack form); the append_ calls build a
  // quicklist node by node, and finish_loading settles the encoding. Bytes are checked: kInvalid if
  // they are no listpack; from_listpack refuses an empty one too, append_packed_node passes it
  // over.
  static Result<List> from_listpack(Bytes blob, const EncodingLimits& limits);
  Result<void> append_packed_node(Bytes blob);
  void append_plain_node(Bytes element);
  void finish_loading(const EncodingLimits& limits);

  size_t size() const;
  bool empty() const { return size() == 0; }
  // In the same form. A quicklist's nodes are shared until one of the two changes them.
  List copy() const;
  Bytes encoding_name() const;  // "listpack" or "quicklist"
  size_t memory_bytes() const;

  // Pushes the values one after the other, so at the head the last one ends first. The encoding is
  // decided once for all of them, as LPUSH and RPUSH do.
  void push(ListEnd end, std::span<const Bytes> values, const EncodingLimits& limits);
  void push(ListEnd end, Bytes value, const EncodingLimits& limits) {
    push(end, {&value, 1}, limits);
  }
  std::optional<std::string> pop(ListEnd end, const EncodingLimits& limits);

  // A negative index counts from the tail.
  std::optional<Element> at(int64_t index) const;
  bool set(int64_t index, Bytes value, const EncodingLimits& limits);  // false: out of range
  // Inserts beside the first element equal to `pivot`; false: not found.
  bool insert(Bytes pivot, bool before, Bytes value, const EncodingLimits& limits);
  // LREM: removes the first `count` elements equal to `value`, the last -count if negative, all if
  // 0; returns how many.
  size_t remove(Bytes value, int64_t count, const EncodingLimits& limits);
  // Keeps `count` elements from index `first` on (less where the list ends); the rest goes.
  void keep(size_t first, size_t count, const EncodingLimits& limits);

  // Visits up to `count` elements from index `first` on, towards the tail, or towards the head if
  // `backwards`; ends early when visit returns false.
  void for_each(size_t first, size_t count, bool backwards, FunctionRef<bool(Bytes)> visit) const;
  void for_each(FunctionRef<bool(Bytes)> visit) const { for_each(0, size(), false, visit); }

  // For RDB: the blob of the listpack form, or nullptr in quicklist form; and the nodes in either
  // form.
  const Listpack* listpack() const { return quicklist_ ? nullptr : &pack_; }
  size_t node_count() const;
  void for_each_node(FunctionRef<void(bool plain, Bytes blob)> visit) const;
  // The nodes of the quicklist form as they are now, readable on any thread whatever becomes of the
  // list; none in the listpack form.
  std::vector<CopyOnWrite<ListNodeBody>> share_nodes() const;

 private:
  void grow_for(size_t values, uint64_t value_bytes, const EncodingLimits& limits);
  void become_quicklist();
  void shrink(const EncodingLimits& limits, bool halved);

  // One of the two: pack_ while quicklist_ is null.
  Listpack pack_;
  std::unique_ptr<Quicklist> quicklist_;
};

}  // namespace tandem
