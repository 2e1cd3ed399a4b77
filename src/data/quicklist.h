// The large form of a list: a row of nodes, each a listpack within the limits of a node, or plain
// bytes for one element that is larger than a node may be. Owned by data/list.h, which decides when
// a list takes this form.
//
// Invariants: no node is empty; size() is the sum of the nodes' entries; a plain node holds one
// element. The row is a deque, not a chain, so that finding an index steps over dense records.
// Arguments must not view into the list.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/copy_on_write.h"
#include "base/function_ref.h"
#include "data/element.h"
#include "data/listpack.h"

namespace tandem {

// What a node holds: a listpack, or plain bytes for one element larger than a node may be.
struct ListNodeBody {
  std::variant<Listpack, std::string> form;

  bool plain() const { return form.index() == 1; }
  const Listpack& pack() const { return std::get<Listpack>(form); }
  Bytes bytes() const { return plain() ? Bytes(std::get<std::string>(form)) : pack().bytes(); }
  ListNodeBody copy() const {
    if (plain()) return {std::get<std::string>(form)};
    return {pack().copy()};
  }
};

// What EncodingLimits::list_max_listpack_size means for one node.
struct ListNodeLimit {
  uint64_t bytes_max;
  uint64_t entries_max;

  static ListNodeLimit of(const EncodingLimits& limits);
  bool exceeded_by(uint64_t bytes, uint64_t entries) const {
    return bytes > bytes_max || entries > entries_max;
  }
};

class Quicklist {
 public:
  size_t size() const { return size_; }
  size_t node_count() const { return nodes_.size(); }
  size_t memory_bytes() const;
  Quicklist copy() const;  // shares the nodes

  void push_head(Bytes value, ListNodeLimit limit);
  void push_tail(Bytes value, ListNodeLimit limit);
  std::string pop_head();  // the list is not empty
  std::string pop_tail();

  std::optional<Element> at(size_t index) const;
  void set(size_t index, Bytes value, ListNodeLimit limit);  // index < size()
  bool insert(Bytes pivot, bool before, Bytes value, ListNodeLimit limit);
  size_t remove(Bytes value, size_t most, bool backwards);
  void drop_head(size_t count);  // count <= size()
  void drop_tail(size_t count);

  void for_each(size_t first, size_t count, bool backwards, FunctionRef<bool(Bytes)> visit) const;
  void for_each_node(FunctionRef<void(const CopyOnWrite<ListNodeBody>&)> visit) const;

  // Nodes as they come from a file: a listpack with entries, or one element.
  void append_packed(Listpack pack);
  void append_plain(Bytes element);
  // The only node, when it is the only one and packed; take_only_pack leaves the list empty.
  const Listpack* only_pack() const;
  Listpack take_only_pack();

 private:
  struct Node {
    CopyOnWrite<ListNodeBody> body;
    uint32_t count;  // entries

    bool plain() const { return body->plain(); }
    Bytes element() const { return body->bytes(); }  // of a plain node
    const Listpack& pack() const { return body->pack(); }
    Listpack& pack_to_change() { return std::get<Listpack>(body.write().form); }
    bool has_room(Bytes value, ListNodeLimit limit) const;
  };
  struct Place {
    size_t node;
    Listpack::Position at;  // in a packed node
  };

  static Node packed(Listpack pack);
  static Node node_of(Bytes value, ListNodeLimit limit);
  Place place_of(size_t index) const;  // index < size()
  // Puts the value before the entry at `place`, which may be the end of its node.
  void insert_at(Place place, Bytes value, ListNodeLimit limit);
  // Cuts a packed node so that the entries from `place` on start a node of their own.
  void split_at(Place place);
  size_t remove_from_node(Node& node, Bytes value, size_t most, bool backwards);
  static bool visit_node(const Node& node, size_t skip, size_t& left, bool backwards,
                         FunctionRef<bool(Bytes)> visit);

  std::deque<Node> nodes_;
  size_t size_ = 0;
};

}  // namespace tandem
