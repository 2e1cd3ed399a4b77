// The order of a sorted set from the highest on, for walks (data/element_walk.h). The place is the
// score and the member visited last, not a rank, so changes do not move it. A member whose score
// changes may come by twice; the walk knows such members by name.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "data/score_tree.h"

namespace tandem {

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
