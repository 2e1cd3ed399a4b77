// An ordered set of elements, each found by its key, that can be shared as it is at a moment for
// the price of a count, however large it is. So a snapshot takes the million pending entries of a
// consumer group under a lock that it holds for an instant, and reads them when nobody waits.
//
//   CopyOnWriteTree<StreamNode, ByMaster> nodes;
//   nodes.insert(node);   nodes.find(id)->live();   nodes.write(id)->mark_deleted(entry);
//   const CopyOnWriteTree then = nodes;                     stays what it was, on any thread
//   for (auto at = then.at_or_after(id); at; at.next()) use(*at);
//
// A B+-tree whose nodes are shared (base/copy_on_write.h). Whoever changes it copies what it shares
// on the way from the root to the element: for each level a node of up to kItemsMax items, and
// nothing the next time. An element is copied with its node, so copying one must be quick: what is
// large in it is a CopyOnWrite itself, or such a tree.
//
// Nodes of elements that come in ascending order are full; others are half full or more until
// elements go. Neighbours are put together when little is left of one.
//
// By, how elements are found:
//   using Key;                                what to look for: small, or a view
//   using Stored;                             a key that lasts, from which a Key is made
//   static const Stored& of(const Element&)   never changes while the element is in a tree
//
// Threads: as of CopyOnWrite. Pointers to elements and cursors are valid until an element comes or
// goes, or the tree is shared and then changed; write() moves nothing that write() has given
// before.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/copy_on_write.h"

namespace tandem {

template <class Element, class By>
class CopyOnWriteTree {
  struct Node;

 public:
  static constexpr size_t kItemsMax = 64;
  using Key = typename By::Key;

  // A place in the tree, or none: behind the last element, or before the first.
  class Cursor {
   public:
    Cursor() = default;
    explicit operator bool() const { return depth_ != 0; }
    const Element& operator*() const { return levels_[depth_ - 1].node->elements()[top().at]; }
    const Element* operator->() const { return &**this; }

    void next() {
      while (depth_ != 0 && ++top().at == top().node->size()) --depth_;
      if (depth_ != 0) descend([](const Node&) { return size_t{0}; });
    }
    void previous() {
      while (depth_ != 0 && top().at-- == 0) --depth_;
      if (depth_ != 0) descend([](const Node& node) { return node.size() - 1; });
    }

   private:
    friend class CopyOnWriteTree;

    struct Level {
      const Node* node;
      size_t at;
    };
    // Each level has at least some thirty times the nodes of the one above.
    static constexpr size_t kDepthMax = 12;

    // To the leaf where `choose` leads; at its end there may be nothing.
    template <class Choose>
    Cursor(const Node& root, Choose choose) {
      push(root, choose(root));
      descend(choose);
    }

    Level& top() { return levels_[depth_ - 1]; }
    const Level& top() const { return levels_[depth_ - 1]; }
    void push(const Node& node, size_t at) {
      CHECK(depth_ < kDepthMax, "a tree deeper than memory is large");
      levels_[depth_++] = {&node, at};
    }
    template <class Choose>
    void descend(Choose choose) {
      while (!top().node->is_leaf()) {
        const Node& child = *top().node->children()[top().at].node;
        push(child, choose(child));
      }
    }

    std::array<Level, kDepthMax> levels_;
    size_t depth_ = 0;
  };

  CopyOnWriteTree() = default;
  // Shares it: the price is a count.
  CopyOnWriteTree(const CopyOnWriteTree& other) : root_(other.root_.share()), size_(other.size_) {}
  CopyOnWriteTree(CopyOnWriteTree&& other) noexcept : CopyOnWriteTree() { swap(other); }
  CopyOnWriteTree& operator=(CopyOnWriteTree other) noexcept {
    swap(other);
    return *this;
  }
  ~CopyOnWriteTree() = default;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Of the nodes with the elements in them, without what these own.
  size_t memory_bytes() const { return memory_below(*root_); }

  const Element* find(Key key) const {
    const Node* node = &*root_;
    while (!node->is_leaf()) node = &*node->children()[child_for(*node, key)].node;
    const size_t at = lower_bound(*node, key);
    return is_at(*node, at, key) ? &node->elements()[at] : nullptr;
  }
  Cursor first() const {
    return at_end([](const Node&) { return size_t{0}; });
  }
  Cursor last() const {
    return at_end([](const Node& node) { return node.size() - 1; });
  }
  // The first whose key is not below `key`; the last whose key is not above it.
  Cursor at_or_after(Key key) const {
    Cursor cursor(*root_, [&key](const Node& node) {
      return node.is_leaf() ? lower_bound(node, key) : child_for(node, key);
    });
    if (cursor.top().at < cursor.top().node->size()) return cursor;
    --cursor.top().at;
    cursor.next();
    return cursor;
  }
  Cursor at_or_before(Key key) const {
    Cursor cursor(*root_, [&key](const Node& node) {
      return node.is_leaf() ? upper_bound(node, key) : child_for(node, key);
    });
    cursor.previous();
    return cursor;
  }

  // For changing it, all but its key. Null: it is not there.
  Element* write(Key key) {
    Node& leaf = leaf_for_writing([&key](const Node& node) { return child_for(node, key); });
    const size_t at = lower_bound(leaf, key);
    return is_at(leaf, at, key) ? &leaf.elements()[at] : nullptr;
  }
  // REQUIRES: not empty.
  Element& write_last() {
    return leaf_for_writing([](const Node& node) { return node.size() - 1; }).elements().back();
  }
  // The element, and true; or false and the one that has its key already.
  std::pair<Element*, bool> insert(Element element) {
    std::vector<Child> split;
    const auto inserted = insert_below(root_.write(), std::move(element), split);
    if (!split.empty()) {
      std::vector<Child> children;
      children.push_back(Child{split.front().first, std::exchange(root_, CopyOnWrite<Node>())});
      children.push_back(std::move(split.front()));
      root_ = CopyOnWrite<Node>(Node{std::move(children)});
    }
    if (inserted.second) ++size_;
    return inserted;
  }
  // Takes it out; nothing if it is not there.
  std::optional<Element> take(Key key) {
    std::optional<Element> taken;
    take_below(root_.write(), key, taken);
    if (taken) --size_;
    while (!root_->is_leaf() && root_->size() <= 1) {
      root_ = root_->size() == 0 ? CopyOnWrite<Node>() : root_->children().front().node.share();
    }
    return taken;
  }
  bool erase(Key key) { return take(key).has_value(); }

 private:
  // Little is left of a node that has less, and its neighbour may take it in if there is some room
  // for what comes.
  static constexpr size_t kItemsMin = kItemsMax / 4;
  static constexpr size_t kJoinedMax = kItemsMax * 3 / 4;
  static constexpr size_t kRoomMin = 4;

  // All keys in it are at or above `first` and below the next one's; of the first child, `first`
  // means nothing.
  struct Child {
    Child(typename By::Stored from, CopyOnWrite<Node> child)
        : first(std::move(from)), node(std::move(child)) {}
    Child(const Child& other) : first(other.first), node(other.node.share()) {}
    Child(Child&&) noexcept = default;
    Child& operator=(Child&&) noexcept = default;
    ~Child() = default;

    typename By::Stored first;
    CopyOnWrite<Node> node;
  };

  // Of all nodes only a root that is a leaf may be empty.
  struct Node {
    std::variant<std::vector<Element>, std::vector<Child>> items;

    bool is_leaf() const { return items.index() == 0; }
    std::vector<Element>& elements() { return *std::get_if<0>(&items); }
    const std::vector<Element>& elements() const { return *std::get_if<0>(&items); }
    std::vector<Child>& children() { return *std::get_if<1>(&items); }
    const std::vector<Child>& children() const { return *std::get_if<1>(&items); }
    size_t size() const { return is_leaf() ? elements().size() : children().size(); }
    Node copy() const { return *this; }
  };

  void swap(CopyOnWriteTree& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(size_, other.size_);
  }

  template <class Choose>
  Cursor at_end(Choose choose) const {
    return empty() ? Cursor() : Cursor(*root_, choose);
  }

  static size_t lower_bound(const Node& leaf, const Key& key) {
    const auto& elements = leaf.elements();
    return static_cast<size_t>(
        std::ranges::partition_point(
            elements, [&key](const Element& element) { return Key(By::of(element)) < key; }) -
        elements.begin());
  }
  static size_t upper_bound(const Node& leaf, const Key& key) {
    const size_t at = lower_bound(leaf, key);
    return is_at(leaf, at, key) ? at + 1 : at;
  }
  static bool is_at(const Node& leaf, size_t at, const Key& key) {
    return at < leaf.elements().size() && Key(By::of(leaf.elements()[at])) == key;
  }
  static size_t child_for(const Node& inner, const Key& key) {
    const auto& children = inner.children();
    const auto behind =
        std::partition_point(children.begin() + 1, children.end(),
                             [&key](const Child& child) { return !(key < Key(child.first)); });
    return static_cast<size_t>(behind - children.begin()) - 1;
  }

  template <class Choose>
  Node& leaf_for_writing(Choose choose) {
    Node* node = &root_.write();
    while (!node->is_leaf()) node = &node->children()[choose(*node)].node.write();
    return *node;
  }

  // Puts the item to its place. A node without room is cut in two first: in the middle, or behind
  // the last item where the new one comes behind it.
  template <class Item>
  static Item* put(std::vector<Item>& items, size_t at, Item item, std::vector<Child>& split) {
    if (items.size() < kItemsMax) return put_in(items, at, std::move(item));
    const size_t cut = at == items.size() ? at : items.size() / 2;
    const auto begin = items.begin() + static_cast<std::ptrdiff_t>(cut);
    std::vector<Item> right(std::make_move_iterator(begin), std::make_move_iterator(items.end()));
    items.erase(begin, items.end());
    Item* placed =
        at < cut ? put_in(items, at, std::move(item)) : put_in(right, at - cut, std::move(item));
    auto first = first_of(right.front());
    split.push_back(Child{std::move(first), CopyOnWrite<Node>(Node{std::move(right)})});
    return placed;
  }
  template <class Item>
  static Item* put_in(std::vector<Item>& items, size_t at, Item item) {
    if (items.size() == items.capacity()) {
      items.reserve(std::min(kItemsMax, std::max(kRoomMin, 2 * items.size())));
    }
    return &*items.insert(items.begin() + static_cast<std::ptrdiff_t>(at), std::move(item));
  }
  static typename By::Stored first_of(const Element& element) { return By::of(element); }
  static typename By::Stored first_of(const Child& child) { return child.first; }

  // What is split off goes to `split`, for the node above.
  static std::pair<Element*, bool> insert_below(Node& node, Element element,
                                                std::vector<Child>& split) {
    const Key key(By::of(element));
    if (node.is_leaf()) {
      const size_t at = lower_bound(node, key);
      if (is_at(node, at, key)) return {&node.elements()[at], false};
      return {put(node.elements(), at, std::move(element), split), true};
    }
    std::vector<Child> below;
    const size_t at = child_for(node, key);
    const auto inserted = insert_below(node.children()[at].node.write(), std::move(element), below);
    if (!below.empty()) put(node.children(), at + 1, std::move(below.front()), split);
    return inserted;
  }

  static void take_below(Node& node, const Key& key, std::optional<Element>& taken) {
    if (node.is_leaf()) {
      const size_t at = lower_bound(node, key);
      if (!is_at(node, at, key)) return;
      auto& elements = node.elements();
      taken.emplace(std::move(elements[at]));
      elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(at));
      if (elements.empty()) elements.shrink_to_fit();
      return;
    }
    const size_t at = child_for(node, key);
    take_below(node.children()[at].node.write(), key, taken);
    if (taken) mend(node.children(), at);
  }

  // After an item has left this child.
  static void mend(std::vector<Child>& children, size_t at) {
    const auto place = [&children](size_t i) {
      return children.begin() + static_cast<std::ptrdiff_t>(i);
    };
    const size_t size = children[at].node->size();
    if (size == 0) {
      children.erase(place(at));
      return;
    }
    if (size >= kItemsMin || children.size() == 1) return;
    const size_t left = at == 0 ? 0 : at - 1;
    if (children[left].node->size() + children[left + 1].node->size() > kJoinedMax) return;
    std::visit(
        [&children, left](auto& items) {
          auto& more = std::get<std::remove_reference_t<decltype(items)>>(
              children[left + 1].node.write().items);
          std::ranges::move(more, std::back_inserter(items));
        },
        children[left].node.write().items);
    children.erase(place(left + 1));
  }

  static size_t memory_below(const Node& node) {
    if (node.is_leaf()) return sizeof(Node) + node.elements().capacity() * sizeof(Element);
    size_t bytes = sizeof(Node) + node.children().capacity() * sizeof(Child);
    for (const Child& child : node.children()) bytes += memory_below(*child.node);
    return bytes;
  }

  CopyOnWrite<Node> root_;
  size_t size_ = 0;
};

}  // namespace tandem
