// The value of a sorted set key: members with a score each, ordered by score and then by the
// members' bytes. A listpack of member, score, ... in that order while it is small, else a tree
// with ranks (data/score_tree.h) beside a hash table from member to score; the two share one
// allocation a member. Encoding names as in Redis: "listpack", "skiplist".
//
// Invariants: no member twice; no score is NaN; -0 equals 0; both indexes hold the same members.
// Every kind of range is first turned into an interval of ranks, so counting costs no walk. Not
// thread safe. Views are valid until the set changes; arguments must not view into it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/random.h"
#include "base/result.h"
#include "data/element.h"
#include "data/element_walk.h"
#include "data/listpack.h"

namespace tandem {

// ZRANGEBYSCORE's interval.
struct ScoreRange {
  double min;
  double max;
  bool min_exclusive = false;
  bool max_exclusive = false;
};

// One end of ZRANGEBYLEX's interval: "-", "+", "[text" or "(text".
struct LexBound {
  enum class Kind : uint8_t { kLowest, kHighest, kInclusive, kExclusive };
  Kind kind;
  Bytes text;
};

struct LexRange {
  LexBound min;
  LexBound max;
};

// `count` members from rank `first` on, in ascending order.
struct RankRange {
  size_t first;
  size_t count;
};

class SortedSet {
 public:
  enum class Change : uint8_t { kAdded, kMoved, kSame };

  SortedSet();
  // Empty, in the form that fits what is expected: the number of members and the longest one.
  SortedSet(size_t expected, size_t longest_member_bytes, const EncodingLimits& limits);
  ~SortedSet();
  SortedSet(SortedSet&& other) noexcept;
  SortedSet& operator=(SortedSet&& other) noexcept;

  // From RDB's compact form, converted on if over the limits; a wrong order is put right. kInvalid:
  // not well formed, a member twice, a score that is no number.
  static Result<SortedSet> from_listpack(Bytes blob, const EncodingLimits& limits);

  size_t size() const;
  bool empty() const { return size() == 0; }
  SortedSet copy() const;  // in the same form
  Bytes encoding_name() const;
  size_t memory_bytes() const;

  // Adds the member or moves it to the score, which is not NaN.
  Change set(Bytes member, double score, const EncodingLimits& limits);
  bool remove(Bytes member);  // false: was not there
  std::optional<double> score(Bytes member) const;
  std::optional<size_t> rank(Bytes member) const;  // ascending, from 0
  // For results of ZUNIONSTORE and its kin: back to a listpack if it is within the limits.
  void become_listpack_if_possible(const EncodingLimits& limits);

  RankRange ranks_in(const ScoreRange& range) const;
  // Meaningful when all scores are equal, as for ZRANGEBYLEX.
  RankRange ranks_in(const LexRange& range) const;
  // Redis's start and stop, inclusive, negative from the end; clipped to what is there.
  RankRange ranks_between(int64_t start, int64_t stop) const;

  // Visits the members of `ranks` (clipped to what is there), the highest first if `backwards`;
  // ends early when visit returns false.
  void for_each(RankRange ranks, bool backwards, FunctionRef<bool(Bytes, double)> visit) const;
  void for_each(FunctionRef<bool(Bytes, double)> visit) const {
    for_each({0, size()}, false, visit);
  }
  // Removes the members of `ranks`, in ascending order, each shown to `visit` first; returns how
  // many.
  size_t remove_ranks(RankRange ranks, FunctionRef<void(Bytes, double)> visit);
  size_t remove_ranks(RankRange ranks) {
    return remove_ranks(ranks, [](Bytes, double) {});
  }

  struct Scored {
    std::string member;
    double score;
  };
  std::optional<Scored> pop_min();
  std::optional<Scored> pop_max();
  Scored random_member(Random& random) const;  // the set is not empty
  // Visits `count` different members by chance, all equally likely; REQUIRES: count <= size().
  // Returns how many it looked at: for few members of a large set about `count`, and never more
  // than about size().
  size_t sample(size_t count, Random& random, FunctionRef<void(Bytes, double)> visit) const;

  // One step of ZSCAN: visits some members and returns the next cursor, 0 at the end. The listpack
  // is visited whole. Members that stay for a whole scan are visited at least once.
  uint64_t scan(uint64_t cursor, FunctionRef<void(Bytes, double)> visit) const;

  // A set that is large is walked in steps, by one walk at a time (data/element_walk.h), the
  // highest first. Nothing: it is not large.
  std::unique_ptr<ElementWalk> walk(std::function<void(Bytes, double)> visit) const;
  bool is_walked() const;

  // The blob for RDB while in that form, else nullptr.
  const Listpack* listpack() const { return std::get_if<Listpack>(&form_); }

 private:
  friend class SortedSetBuilder;
  struct Indexes;  // the hash table and the tree

  std::unique_ptr<Indexes> as_tree(uint64_t seed) const;
  Indexes& become_tree(const EncodingLimits& limits);
  std::optional<Scored> pop_rank(size_t rank);
  // How many members come before the first for which `before` is false; it holds for a prefix.
  using Before = FunctionRef<bool(Bytes, double)>;
  size_t count_before(Before before) const;

  std::variant<Listpack, std::unique_ptr<Indexes>> form_;
};

// A sorted set in the making, for unions and the like: its members are ordered only once, at the
// end. N calls that leave M members cost O(N + M*log(M)).
class SortedSetBuilder {
 public:
  explicit SortedSetBuilder(const EncodingLimits& limits);
  ~SortedSetBuilder();
  SortedSetBuilder(const SortedSetBuilder&) = delete;
  SortedSetBuilder& operator=(const SortedSetBuilder&) = delete;

  // Null: the member is new and has this score, which is not NaN. Else the score that it has, to be
  // changed before the next call.
  double* add(Bytes member, double score);
  void remove(Bytes member);  // if it is there
  // What was added, as a tree however small (there -0 stays what it is). Once.
  SortedSet finish();

 private:
  std::unique_ptr<SortedSet::Indexes> indexes_;  // the tree is still empty
};

}  // namespace tandem
