// Insertion and removal recurse from the root and set each parent's record of the child right on
// the way back. A full node is cut in half, except at the right edge of the tree, where it stays
// full: scores that only ascend (times, counters) fill leaves completely. A node that falls below a
// quarter is merged with a neighbour if both fit into one.
#include "data/score_tree.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace tandem {
namespace {

constexpr uint32_t kLeafSlots = 64;
constexpr uint32_t kInnerSlots = 32;

template <class T>
void shift_right(T* array, uint32_t from, uint32_t count, uint32_t by = 1) {
  std::memmove(array + from + by, array + from, (count - from) * sizeof(T));
}

template <class T>
void shift_left(T* array, uint32_t at, uint32_t count) {
  std::memmove(array + at, array + at + 1, (count - at - 1) * sizeof(T));
}

}  // namespace

ScoredMember* ScoredMember::create(Bytes text, double score) {
  // The text starts right after `size`, inside the padding of the struct.
  constexpr size_t kHead = offsetof(ScoredMember, size) + sizeof(uint32_t);
  void* memory = std::malloc(std::max(kHead + text.size(), sizeof(ScoredMember)));
  CHECK(memory != nullptr, "out of memory");
  auto* entry = static_cast<ScoredMember*>(memory);
  entry->score = score;
  entry->size = static_cast<uint32_t>(text.size());
  if (!text.empty()) std::memcpy(static_cast<char*>(memory) + kHead, text.data(), text.size());
  return entry;
}

void ScoredMember::destroy(ScoredMember* entry) { std::free(entry); }

struct ScoreTree::Node {
  bool is_leaf;
  uint32_t used = 0;
};

struct ScoreTree::Leaf : Node {
  Leaf() : Node{true} {}

  // The place of the first entry that does not come before `entry`.
  uint32_t place_of(const ScoredMember& entry) const {
    const auto* found =
        std::partition_point(entries, entries + used,
                             [&](const ScoredMember* other) { return precedes(*other, entry); });
    return static_cast<uint32_t>(found - entries);
  }

  Leaf* previous = nullptr;
  Leaf* next = nullptr;
  ScoredMember* entries[kLeafSlots];
};

struct ScoreTree::Inner : Node {
  Inner() : Node{false} {}

  // Sets the record of a child from the child itself.
  void refresh(uint32_t index) {
    const Node* child = children[index];
    if (child->is_leaf) {
      const auto* leaf = static_cast<const Leaf*>(child);
      firsts[index] = leaf->entries[0];
      counts[index] = leaf->used;
    } else {
      const auto* inner = static_cast<const Inner*>(child);
      firsts[index] = inner->firsts[0];
      counts[index] = 0;
      for (uint32_t i = 0; i < inner->used; ++i) counts[index] += inner->counts[i];
    }
    scores[index] = firsts[index]->score;
  }

  void add(uint32_t index, Node* child) {
    shift_right(children, index, used);
    shift_right(firsts, index, used);
    shift_right(scores, index, used);
    shift_right(counts, index, used);
    ++used;
    children[index] = child;
    refresh(index);
  }

  void drop(uint32_t index) {
    shift_left(children, index, used);
    shift_left(firsts, index, used);
    shift_left(scores, index, used);
    shift_left(counts, index, used);
    --used;
  }

  void move_tail_to(Inner& to, uint32_t from) {
    const uint32_t moved = used - from;
    std::copy_n(children + from, moved, to.children + to.used);
    std::copy_n(firsts + from, moved, to.firsts + to.used);
    std::copy_n(scores + from, moved, to.scores + to.used);
    std::copy_n(counts + from, moved, to.counts + to.used);
    to.used += moved;
    used = from;
  }

  // The last child whose first entry comes before `entry` or is it; the first child if none does.
  uint32_t child_for(const ScoredMember& entry) const {
    uint32_t low = 1;
    uint32_t high = used;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      const bool after = scores[middle] > entry.score ||
                         (scores[middle] == entry.score && firsts[middle] != &entry &&
                          firsts[middle]->text() > entry.text());
      if (after) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low - 1;
  }

  double scores[kInnerSlots];
  const ScoredMember* firsts[kInnerSlots];
  size_t counts[kInnerSlots];
  Node* children[kInnerSlots];
};

bool ScoreTree::precedes(const ScoredMember& a, const ScoredMember& b) {
  if (a.score != b.score) return a.score < b.score;
  return a.text() < b.text();
}

ScoreTree::ScoreTree() : root_(new Leaf), leaves_(1) {}
ScoreTree::~ScoreTree() { free_below(root_); }

void ScoreTree::free_below(Node* node) {
  if (node->is_leaf) {
    delete static_cast<Leaf*>(node);
    return;
  }
  auto* inner = static_cast<Inner*>(node);
  for (uint32_t i = 0; i < inner->used; ++i) free_below(inner->children[i]);
  delete inner;
}

size_t ScoreTree::memory_bytes() const {
  return sizeof(*this) + leaves_ * sizeof(Leaf) + inners_ * sizeof(Inner);
}

void ScoreTree::insert(ScoredMember* entry) {
  Node* right = insert_below(root_, entry);
  ++size_;
  if (right == nullptr) return;
  auto* root = new Inner;
  ++inners_;
  root->add(0, root_);
  root->add(1, right);
  root_ = root;
}

// Returns the new right half if the node had to be cut.
ScoreTree::Node* ScoreTree::insert_below(Node* node, ScoredMember* entry) {
  if (node->is_leaf) return insert_into_leaf(static_cast<Leaf*>(node), entry);
  auto* inner = static_cast<Inner*>(node);
  const uint32_t index = inner->child_for(*entry);
  Node* right = insert_below(inner->children[index], entry);
  inner->refresh(index);
  return right == nullptr ? nullptr : add_child(inner, index + 1, right);
}

ScoreTree::Node* ScoreTree::insert_into_leaf(Leaf* leaf, ScoredMember* entry) {
  uint32_t place = leaf->place_of(*entry);
  Leaf* right = nullptr;
  if (leaf->used == kLeafSlots) {
    right = new Leaf;
    ++leaves_;
    right->previous = leaf;
    right->next = leaf->next;
    if (leaf->next != nullptr) leaf->next->previous = right;
    leaf->next = right;
    const bool at_edge = right->next == nullptr && place == kLeafSlots;
    const uint32_t keep = at_edge ? kLeafSlots : kLeafSlots / 2;
    std::copy(leaf->entries + keep, leaf->entries + kLeafSlots, right->entries);
    right->used = kLeafSlots - keep;
    leaf->used = keep;
    if (place > keep || at_edge) {
      place -= keep;
      leaf = right;
    }
  }
  shift_right(leaf->entries, place, leaf->used);
  leaf->entries[place] = entry;
  ++leaf->used;
  return right;
}

ScoreTree::Node* ScoreTree::add_child(Inner* inner, uint32_t index, Node* child) {
  if (inner->used < kInnerSlots) {
    inner->add(index, child);
    return nullptr;
  }
  auto* right = new Inner;
  ++inners_;
  const uint32_t keep = index == kInnerSlots ? kInnerSlots : kInnerSlots / 2;
  inner->move_tail_to(*right, keep);
  if (index > keep || keep == kInnerSlots) {
    right->add(index - keep, child);
  } else {
    inner->add(index, child);
  }
  return right;
}

void ScoreTree::erase(const ScoredMember* entry) {
  erase_below(root_, entry);
  --size_;
  if (!root_->is_leaf && root_->used == 0) {
    free_below(root_);
    --inners_;
    root_ = new Leaf;
    ++leaves_;
  }
  while (!root_->is_leaf && root_->used == 1) {
    auto* old = static_cast<Inner*>(root_);
    root_ = old->children[0];
    delete old;
    --inners_;
  }
}

void ScoreTree::erase_below(Node* node, const ScoredMember* entry) {
  if (node->is_leaf) {
    auto* leaf = static_cast<Leaf*>(node);
    const uint32_t place = leaf->place_of(*entry);
    CHECK(place < leaf->used && leaf->entries[place] == entry, "erased what is not in the tree");
    shift_left(leaf->entries, place, leaf->used);
    --leaf->used;
    return;
  }
  auto* inner = static_cast<Inner*>(node);
  const uint32_t index = inner->child_for(*entry);
  erase_below(inner->children[index], entry);
  mend_child(inner, index);
}

// After a removal below child `index`: drops it if empty, merges it if it became small.
void ScoreTree::mend_child(Inner* inner, uint32_t index) {
  Node* child = inner->children[index];
  const uint32_t slots = child->is_leaf ? kLeafSlots : kInnerSlots;
  if (child->used != 0) inner->refresh(index);
  if (child->used >= slots / 4) return;
  if (child->used == 0) return drop_empty_child(inner, index);
  if (inner->used == 1) return;
  const uint32_t left_index = index == 0 ? 0 : index - 1;
  Node* left = inner->children[left_index];
  Node* right = inner->children[left_index + 1];
  if (left->used + right->used > slots * 3 / 4) return;
  if (child->is_leaf) {
    auto* to = static_cast<Leaf*>(left);
    auto* from = static_cast<Leaf*>(right);
    std::copy_n(from->entries, from->used, to->entries + to->used);
    to->used += from->used;
    to->next = from->next;
    if (from->next != nullptr) from->next->previous = to;
    delete from;
    --leaves_;
  } else {
    auto* from = static_cast<Inner*>(right);
    from->move_tail_to(*static_cast<Inner*>(left), 0);
    delete from;
    --inners_;
  }
  inner->drop(left_index + 1);
  inner->refresh(left_index);
}

void ScoreTree::drop_empty_child(Inner* inner, uint32_t index) {
  Node* child = inner->children[index];
  if (child->is_leaf) {
    auto* leaf = static_cast<Leaf*>(child);
    if (leaf->previous != nullptr) leaf->previous->next = leaf->next;
    if (leaf->next != nullptr) leaf->next->previous = leaf->previous;
    --leaves_;
  } else {
    --inners_;
  }
  free_below(child);
  inner->drop(index);
}

size_t ScoreTree::rank(const ScoredMember* entry) const {
  const Node* node = root_;
  size_t rank = 0;
  while (!node->is_leaf) {
    const auto* inner = static_cast<const Inner*>(node);
    const uint32_t index = inner->child_for(*entry);
    for (uint32_t i = 0; i < index; ++i) rank += inner->counts[i];
    node = inner->children[index];
  }
  return rank + static_cast<const Leaf*>(node)->place_of(*entry);
}

size_t ScoreTree::count_before(Before before) const {
  const Node* node = root_;
  size_t count = 0;
  while (!node->is_leaf) {
    const auto* inner = static_cast<const Inner*>(node);
    uint32_t low = 1;
    uint32_t high = inner->used;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (before(inner->scores[middle], *inner->firsts[middle])) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (uint32_t i = 0; i + 1 < low; ++i) count += inner->counts[i];
    node = inner->children[low - 1];
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  const auto* found =
      std::partition_point(leaf->entries, leaf->entries + leaf->used,
                           [&](const ScoredMember* entry) { return before(entry->score, *entry); });
  return count + static_cast<size_t>(found - leaf->entries);
}

// The leaf that holds `rank`, which becomes the place in that leaf.
ScoreTree::Leaf* ScoreTree::leaf_at(size_t& rank) const {
  Node* node = root_;
  while (!node->is_leaf) {
    const auto* inner = static_cast<const Inner*>(node);
    uint32_t index = 0;
    while (rank >= inner->counts[index]) rank -= inner->counts[index++];
    node = inner->children[index];
  }
  return static_cast<Leaf*>(node);
}

ScoredMember* ScoreTree::at(size_t rank) const {
  CHECK(rank < size_, "a rank past the end");
  const Leaf* leaf = leaf_at(rank);
  return leaf->entries[rank];
}

void ScoreTree::walk(size_t rank, bool backwards,
                     FunctionRef<bool(const ScoredMember&)> visit) const {
  if (rank >= size_) return;
  const Leaf* leaf = leaf_at(rank);
  if (backwards) {
    for (size_t place = rank + 1; leaf != nullptr;) {
      while (place > 0) {
        if (!visit(*leaf->entries[--place])) return;
      }
      leaf = leaf->previous;
      if (leaf != nullptr) place = leaf->used;
    }
    return;
  }
  for (size_t place = rank; leaf != nullptr; leaf = leaf->next, place = 0) {
    for (; place < leaf->used; ++place) {
      if (!visit(*leaf->entries[place])) return;
    }
  }
}

}  // namespace tandem
