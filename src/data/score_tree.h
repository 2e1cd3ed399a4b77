// The order of a large sorted set: a B+-tree of entries by (score, member) in which every inner
// node knows how many entries each child holds, so that ranks cost one descent in both directions.
//
// Why not a skip list: a skip list costs 16 to 40 bytes an entry in links and a cache miss a step,
// about 2 log2(n) of them. Here a leaf is a dense array of pointers (8 bytes an entry at 70 to 100
// % fill); inner nodes keep the smallest score of each child in place, so a descent reads three or
// four nodes and looks at members only where scores are equal. A leaf looks at O(log 64) entries.
//
// Invariants: entries ascend strictly by (score, member); an inner node's scores and firsts are
// those of the smallest entry below each child, its counts the entries below each child; no node
// but the root is empty; all leaves have the same depth. The tree does not own the entries; an
// entry's score and member must not change while it is in. Not thread safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/function_ref.h"

namespace tandem {

// A member and its score, in one allocation that the tree and the hash table share.
struct ScoredMember {
  double score;
  uint32_t size;  // of the member, whose bytes follow at once

  Bytes text() const { return Bytes(reinterpret_cast<const char*>(&size + 1), size); }
  static ScoredMember* create(Bytes text, double score);
  static void destroy(ScoredMember* entry);
};

class ScoreTree {
 public:
  ScoreTree();
  ~ScoreTree();
  ScoreTree(const ScoreTree&) = delete;
  ScoreTree& operator=(const ScoreTree&) = delete;

  size_t size() const { return size_; }
  size_t memory_bytes() const;

  void insert(ScoredMember* entry);       // its (score, member) is not in the tree
  void erase(const ScoredMember* entry);  // is in the tree
  size_t rank(const ScoredMember* entry) const;
  ScoredMember* at(size_t rank) const;  // rank < size()

  // How many entries come before the first one for which `before` is false. `before` must be true
  // for a prefix of the order.
  using Before = FunctionRef<bool(double score, const ScoredMember& entry)>;
  size_t count_before(Before before) const;

  // Visits entries from `rank` on, upwards or downwards, until visit returns false.
  void walk(size_t rank, bool backwards, FunctionRef<bool(const ScoredMember&)> visit) const;

 private:
  struct Node;
  struct Leaf;
  struct Inner;

  static bool precedes(const ScoredMember& a, const ScoredMember& b);
  Node* insert_below(Node* node, ScoredMember* entry);
  void erase_below(Node* node, const ScoredMember* entry);
  Node* insert_into_leaf(Leaf* leaf, ScoredMember* entry);
  Node* add_child(Inner* inner, uint32_t index, Node* child);
  void mend_child(Inner* inner, uint32_t index);
  void drop_empty_child(Inner* inner, uint32_t index);
  void free_below(Node* node);
  Leaf* leaf_at(size_t& rank) const;

  Node* root_;
  size_t size_ = 0;
  size_t leaves_ = 0;
  size_t inners_ = 0;
};

// The order of a sorted set from the highest on, for walks (data/element_walk.h). The place is the
// score and the member visited last, not a rank, so changes do not move it. A member whose score
// changes may come by twice; the walk knows such members by name.

// The tree outlives the order.
class ScoreOrder {
 public:
  using Element = ScoredMember;

  explicit ScoreOrder(const ScoreTree& tree) : tree_(tree) {}

  template <class Fn>
  bool next(Fn&& fn) {
    size_t left = tree_.size();
    if (last_) {
      left = tree_.count_before([this](double score, const ScoredMember& member) {
        return is_below_last(score, member);
      });
    }
    if (left == 0) return false;
    constexpr size_t kElements = 64;
    size_t visited = 0;
    const ScoredMember* lowest = nullptr;
    tree_.walk(left - 1, /*backwards=*/true, [&](const ScoredMember& member) {
      fn(member);
      lowest = &member;
      return ++visited < kElements;
    });
    last_ = Place{lowest->score, std::string(lowest->text())};
    return true;
  }
  bool passed(const ScoredMember& member) const {
    return last_ && !is_below_last(member.score, member);
  }
  // Its new score may lie anywhere.
  bool may_meet(Bytes) const { return true; }
  static Bytes name(const ScoredMember& member) { return member.text(); }

 private:
  struct Place {
    double score;
    std::string member;
  };

  bool is_below_last(double score, const ScoredMember& member) const {
    return score < last_->score || (score == last_->score && member.text() < last_->member);
  }

  const ScoreTree& tree_;
  std::optional<Place> last_;
};

}  // namespace tandem
