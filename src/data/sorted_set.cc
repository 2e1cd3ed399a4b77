// In listpack form members stand at even places and scores behind them, in order. A score that is a
// whole number of moderate size is an integer there, as Redis writes it; others are text.
#include "data/sorted_set.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <malloc.h>
#include <xxhash.h>

#include "base/bytes.h"
#include "base/number.h"
#include "data/element_walk.h"
#include "data/hash_table.h"
#include "data/listpack.h"
#include "data/sample.h"
#include "data/score_tree.h"

namespace tandem {
namespace {

constexpr uint32_t kPair = 2;
constexpr double kWholeMax = static_cast<double>(std::numeric_limits<int64_t>::max() / 2);

std::optional<int64_t> whole_number(double score) {
  if (!(score >= -kWholeMax && score <= kWholeMax)) return std::nullopt;
  const auto whole = static_cast<int64_t>(score);
  if (static_cast<double>(whole) != score) return std::nullopt;
  return whole;
}

std::optional<double> read_score(const Element& element) {
  if (element.is_integer()) return static_cast<double>(element.integer());
  return parse_double(element.text());
}

double score_after(ListpackView entries, ListpackView::Position member) {
  return *read_score(entries.get(entries.next(member)));
}

void insert_pair(Listpack& pack, Listpack::Position before, Bytes member, double score) {
  const auto at = pack.insert(before, member);
  const auto after = pack.view().next(at);
  if (const std::optional<int64_t> whole = whole_number(score)) {
    pack.insert_integer(after, *whole);
    return;
  }
  char text[kDoubleTextMax];
  pack.insert(after, Bytes(text, write_double(text, score)));
}

// The place of the first pair that does not come before (score, member).
Listpack::Position place_for(ListpackView entries, Bytes member, double score) {
  auto at = entries.first();
  while (at != entries.end()) {
    const double other = score_after(entries, at);
    if (other > score) break;
    const Element name = entries.get(at);
    if (other == score && name.text() > member) break;
    at = entries.next(entries.next(at));
  }
  return at;
}

bool above_lex(Bytes member, const LexBound& bound, bool if_equal) {
  switch (bound.kind) {
    case LexBound::Kind::kLowest:
      return true;
    case LexBound::Kind::kHighest:
      return false;
    default:
      break;
  }
  const int order = member.compare(bound.text);
  return order > 0 || (order == 0 && if_equal);
}

struct ScoredMemberTraits {
  using Entry = ScoredMember;
  using Key = Bytes;

  uint64_t seed;

  uint64_t hash_of(Bytes member) const;
  uint64_t hash(const ScoredMember& entry) const { return hash_of(entry.text()); }
  bool equals(const ScoredMember& entry, Bytes member) const { return entry.text() == member; }
};

uint64_t ScoredMemberTraits::hash_of(Bytes member) const {
  return XXH3_64bits_withSeed(member.data(), member.size(), seed);
}

}  // namespace

// The large form: members by name in a hash table and in order in a tree, over the same
// allocations, which this struct owns.
struct SortedSet::Indexes {
  explicit Indexes(uint64_t seed) : traits{seed} {}
  ~Indexes();
  Indexes(const Indexes&) = delete;
  Indexes& operator=(const Indexes&) = delete;

  const ScoredMember* find(Bytes member) const {
    return by_name.find(traits, traits.hash_of(member), member);
  }
  // A new member, which has no place in the tree yet.
  ScoredMember* create(Bytes member, double score, uint64_t hash);
  // Out of the table alone, for the caller to free. Null: it was not there.
  ScoredMember* unlink(Bytes member);
  Change set(Bytes member, double score);
  bool remove(Bytes member);

  ScoredMemberTraits traits;
  HashTable<ScoredMemberTraits> by_name;
  ScoreTree by_score;
  size_t member_bytes = 0;  // as allocated
  mutable WalkHook<ScoredMember>* walk_hook = nullptr;
};

SortedSet::Indexes::~Indexes() {
  if (walk_hook != nullptr) walk_hook->finish();
  by_name.clear(ScoredMember::destroy);
}

ScoredMember* SortedSet::Indexes::create(Bytes member, double score, uint64_t hash) {
  ScoredMember* entry = ScoredMember::create(member, score);
  member_bytes += malloc_usable_size(entry);
  by_name.insert(traits, hash, entry);
  return entry;
}

SortedSet::Change SortedSet::Indexes::set(Bytes member, double score) {
  const uint64_t hash = traits.hash_of(member);
  ScoredMember* entry = by_name.find(traits, hash, member);
  if (entry != nullptr && entry->score == score) return Change::kSame;
  if (walk_hook != nullptr) walk_hook->before_change(member, entry);
  if (entry == nullptr) {
    by_score.insert(create(member, score, hash));
    return Change::kAdded;
  }
  by_score.erase(entry);
  entry->score = score;
  by_score.insert(entry);
  return Change::kMoved;
}

ScoredMember* SortedSet::Indexes::unlink(Bytes member) {
  const auto slot = by_name.find_slot(traits, traits.hash_of(member), member);
  if (!slot) return nullptr;
  if (walk_hook != nullptr) walk_hook->before_change(member, by_name.entry_at(slot));
  ScoredMember* entry = by_name.erase(traits, slot);
  member_bytes -= malloc_usable_size(entry);
  return entry;
}

bool SortedSet::Indexes::remove(Bytes member) {
  ScoredMember* entry = unlink(member);
  if (entry == nullptr) return false;
  by_score.erase(entry);
  ScoredMember::destroy(entry);
  return true;
}

SortedSetBuilder::SortedSetBuilder(const EncodingLimits& limits)
    : indexes_(std::make_unique<SortedSet::Indexes>(limits.hash_seed)) {}

SortedSetBuilder::~SortedSetBuilder() = default;

double* SortedSetBuilder::add(Bytes member, double score) {
  const uint64_t hash = indexes_->traits.hash_of(member);
  if (ScoredMember* known = indexes_->by_name.find(indexes_->traits, hash, member)) {
    return &known->score;
  }
  indexes_->create(member, score, hash);
  return nullptr;
}

void SortedSetBuilder::remove(Bytes member) {
  if (ScoredMember* entry = indexes_->unlink(member)) ScoredMember::destroy(entry);
}

SortedSet SortedSetBuilder::finish() {
  indexes_->by_name.for_each([this](ScoredMember* entry) { indexes_->by_score.insert(entry); });
  SortedSet set;
  set.form_ = std::move(indexes_);
  return set;
}

SortedSet::SortedSet() = default;
SortedSet::~SortedSet() = default;
SortedSet::SortedSet(SortedSet&& other) noexcept = default;
SortedSet& SortedSet::operator=(SortedSet&& other) noexcept = default;

SortedSet::SortedSet(size_t expected, size_t longest_member_bytes, const EncodingLimits& limits) {
  if (expected > limits.sorted_set_max_listpack_entries ||
      longest_member_bytes > limits.sorted_set_max_listpack_value_bytes) {
    become_tree(limits);
  }
}

Result<SortedSet> SortedSet::from_listpack(Bytes blob, const EncodingLimits& limits) {
  Result<Listpack> pack = Listpack::from_bytes(blob);
  if (!pack) return std::unexpected(pack.error());
  const ListpackView entries = pack->view();
  const uint32_t count = entries.count();
  if (count % kPair != 0) {
    return fail(ErrorCode::kInvalid, "a sorted set with a member without score");
  }
  if (!entries_are_distinct(entries, kPair)) {
    return fail(ErrorCode::kInvalid, "a sorted set with a member twice");
  }
  bool sorted = true;
  double last = -std::numeric_limits<double>::infinity();
  std::string last_name;
  for (auto at = entries.first(); at != entries.end(); at = entries.next(at)) {
    std::string name = entries.get(at).copy();
    at = entries.next(at);
    const Element text = entries.get(at);
    const std::optional<double> score = read_score(text);
    if (!score) return fail(ErrorCode::kInvalid, "a sorted set with a score that is no number");
    if (*score < last || (*score == last && name < last_name)) sorted = false;
    last = *score;
    last_name = std::move(name);
  }
  SortedSet set;
  if (!sorted) {
    for (auto at = entries.first(); at != entries.end(); at = entries.next(entries.next(at))) {
      const Element member = entries.get(at);
      set.set(member.text(), score_after(entries, at), limits);
    }
    return set;
  }
  set.form_ = std::move(*pack);
  if (count / kPair > limits.sorted_set_max_listpack_entries) set.become_tree(limits);
  return set;
}

size_t SortedSet::size() const {
  if (const Listpack* pack = listpack()) return pack->count() / kPair;
  return std::get<1>(form_)->by_score.size();
}

Bytes SortedSet::encoding_name() const { return listpack() != nullptr ? "listpack" : "skiplist"; }

size_t SortedSet::memory_bytes() const {
  if (const Listpack* pack = listpack()) return sizeof(*this) + pack->memory_bytes();
  const Indexes& indexes = *std::get<1>(form_);
  return sizeof(*this) + sizeof(indexes) + indexes.by_name.memory_bytes() +
         indexes.by_score.memory_bytes() - sizeof(indexes.by_score) + indexes.member_bytes;
}

std::unique_ptr<SortedSet::Indexes> SortedSet::as_tree(uint64_t seed) const {
  auto indexes = std::make_unique<Indexes>(seed);
  for_each([&](Bytes member, double score) {
    indexes->set(member, score);
    return true;
  });
  return indexes;
}

SortedSet::Indexes& SortedSet::become_tree(const EncodingLimits& limits) {
  form_ = as_tree(limits.hash_seed);
  return *std::get<1>(form_);
}

SortedSet SortedSet::copy() const {
  SortedSet copied;
  if (const Listpack* pack = listpack()) {
    copied.form_ = pack->copy();
  } else {
    copied.form_ = as_tree(std::get<1>(form_)->traits.seed);
  }
  return copied;
}

SortedSet::Change SortedSet::set(Bytes member, double score, const EncodingLimits& limits) {
  auto* pack = std::get_if<Listpack>(&form_);
  if (pack == nullptr) return std::get<1>(form_)->set(member, score);
  const ListpackView entries = pack->view();
  const auto found = entries.find(member, entries.first(), kPair);
  if (found != entries.end()) {
    if (score_after(entries, found) == score) return Change::kSame;
    pack->erase(found, kPair);
    insert_pair(*pack, place_for(pack->view(), member, score), member, score);
    return Change::kMoved;
  }
  if (size() + 1 > limits.sorted_set_max_listpack_entries ||
      member.size() > limits.sorted_set_max_listpack_value_bytes ||
      !pack->can_grow(member.size())) {
    return become_tree(limits).set(member, score);
  }
  insert_pair(*pack, place_for(entries, member, score), member, score);
  return Change::kAdded;
}

bool SortedSet::remove(Bytes member) {
  auto* pack = std::get_if<Listpack>(&form_);
  if (pack == nullptr) return std::get<1>(form_)->remove(member);
  const ListpackView entries = pack->view();
  const auto found = entries.find(member, entries.first(), kPair);
  if (found == entries.end()) return false;
  pack->erase(found, kPair);
  return true;
}

std::optional<double> SortedSet::score(Bytes member) const {
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    const auto found = entries.find(member, entries.first(), kPair);
    if (found == entries.end()) return std::nullopt;
    return score_after(entries, found);
  }
  const ScoredMember* entry = std::get<1>(form_)->find(member);
  if (entry == nullptr) return std::nullopt;
  return entry->score;
}

std::optional<size_t> SortedSet::rank(Bytes member) const {
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    size_t rank = 0;
    for (auto at = entries.first(); at != entries.end(); at = entries.next(entries.next(at))) {
      if (entries.matches(at, member)) return rank;
      ++rank;
    }
    return std::nullopt;
  }
  const Indexes& indexes = *std::get<1>(form_);
  const ScoredMember* entry = indexes.find(member);
  if (entry == nullptr) return std::nullopt;
  return indexes.by_score.rank(entry);
}

void SortedSet::become_listpack_if_possible(const EncodingLimits& limits) {
  if (listpack() != nullptr || is_walked()) return;
  if (size() > limits.sorted_set_max_listpack_entries) return;
  size_t longest = 0;
  uint64_t total = 0;
  for_each([&](Bytes member, double) {
    longest = std::max(longest, member.size());
    total += member.size();
    return true;
  });
  Listpack pack;
  if (longest > limits.sorted_set_max_listpack_value_bytes || !pack.can_grow(total)) return;
  for_each([&](Bytes member, double score) {
    insert_pair(pack, pack.view().end(), member, score);
    return true;
  });
  form_ = std::move(pack);
}

size_t SortedSet::count_before(Before before) const {
  if (const Listpack* pack = listpack()) {
    const ListpackView entries = pack->view();
    size_t count = 0;
    for (auto at = entries.first(); at != entries.end(); at = entries.next(entries.next(at))) {
      const Element member = entries.get(at);
      if (!before(member.text(), score_after(entries, at))) break;
      ++count;
    }
    return count;
  }
  return std::get<1>(form_)->by_score.count_before(
      [&](double score, const ScoredMember& entry) { return before(entry.text(), score); });
}

RankRange SortedSet::ranks_in(const ScoreRange& range) const {
  const size_t first = count_before([&](Bytes, double score) {
    return range.min_exclusive ? score <= range.min : score < range.min;
  });
  const size_t end = count_before([&](Bytes, double score) {
    return range.max_exclusive ? score < range.max : score <= range.max;
  });
  return {first, end > first ? end - first : 0};
}

RankRange SortedSet::ranks_in(const LexRange& range) const {
  const size_t first = count_before([&](Bytes member, double) {
    return !above_lex(member, range.min, range.min.kind == LexBound::Kind::kInclusive);
  });
  const size_t end = count_before([&](Bytes member, double) {
    return !above_lex(member, range.max, range.max.kind == LexBound::Kind::kExclusive);
  });
  return {first, end > first ? end - first : 0};
}

RankRange SortedSet::ranks_between(int64_t start, int64_t stop) const {
  const auto total = static_cast<int64_t>(size());
  if (start < 0) start = std::max<int64_t>(0, start + total);
  if (stop < 0) stop += total;
  stop = std::min(stop, total - 1);
  if (start > stop) return {0, 0};
  return {static_cast<size_t>(start), static_cast<size_t>(stop - start) + 1};
}

void SortedSet::for_each(RankRange ranks, bool backwards,
                         FunctionRef<bool(Bytes, double)> visit) const {
  const size_t total = size();
  if (ranks.first >= total) return;
  size_t left = std::min(ranks.count, total - ranks.first);
  if (left == 0) return;
  const size_t start = backwards ? ranks.first + left - 1 : ranks.first;
  if (listpack() == nullptr) {
    std::get<1>(form_)->by_score.walk(start, backwards, [&](const ScoredMember& entry) {
      return visit(entry.text(), entry.score) && --left > 0;
    });
    return;
  }
  const ListpackView entries = listpack()->view();
  auto at = entries.seek(static_cast<int64_t>(start) * kPair);
  for (;;) {
    const Element member = entries.get(at);
    if (!visit(member.text(), score_after(entries, at)) || --left == 0) return;
    at = backwards ? entries.previous(entries.previous(at)) : entries.next(entries.next(at));
  }
}

size_t SortedSet::remove_ranks(RankRange ranks, FunctionRef<void(Bytes, double)> visit) {
  const size_t total = size();
  if (ranks.first >= total) return 0;
  ranks.count = std::min(ranks.count, total - ranks.first);
  if (auto* pack = std::get_if<Listpack>(&form_)) {
    for_each(ranks, false, [&](Bytes member, double score) {
      visit(member, score);
      return true;
    });
    pack->erase(pack->view().seek(static_cast<int64_t>(ranks.first) * kPair),
                static_cast<uint32_t>(ranks.count) * kPair);
    return ranks.count;
  }
  Indexes& indexes = *std::get<1>(form_);
  for (size_t i = 0; i < ranks.count; ++i) {
    const ScoredMember* entry = indexes.by_score.at(ranks.first);
    visit(entry->text(), entry->score);
    indexes.remove(entry->text());
  }
  return ranks.count;
}

std::optional<SortedSet::Scored> SortedSet::pop_rank(size_t rank) {
  std::optional<Scored> popped;
  remove_ranks({rank, 1},
               [&](Bytes member, double score) { popped = Scored{std::string(member), score}; });
  return popped;
}

std::optional<SortedSet::Scored> SortedSet::pop_min() { return pop_rank(0); }

std::optional<SortedSet::Scored> SortedSet::pop_max() {
  return empty() ? std::nullopt : pop_rank(size() - 1);
}

SortedSet::Scored SortedSet::random_member(Random& random) const {
  Scored found;
  for_each({random.below(size()), 1}, false, [&](Bytes member, double score) {
    found = {std::string(member), score};
    return false;
  });
  return found;
}

size_t SortedSet::sample(size_t count, Random& random,
                         FunctionRef<void(Bytes, double)> visit) const {
  if (listpack() != nullptr || !draws_are_cheaper(count, size())) {
    return sample_by_walk(*this, count, random, visit);
  }
  const auto& table = std::get<1>(form_)->by_name;
  return sample_by_draws(
      count, [&] { return table.random_entry(random); },
      [&](const ScoredMember* entry) { visit(entry->text(), entry->score); });
}

std::unique_ptr<ElementWalk> SortedSet::walk(std::function<void(Bytes, double)> visit) const {
  if (listpack() != nullptr || !is_large(size(), memory_bytes())) return nullptr;
  const Indexes& indexes = *std::get<1>(form_);
  return std::make_unique<OrderedWalk<ScoreOrder>>(
      indexes.walk_hook, ScoreOrder(indexes.by_score),
      [tell = std::move(visit)](const ScoredMember& entry) { tell(entry.text(), entry.score); });
}

bool SortedSet::is_walked() const {
  return listpack() == nullptr && std::get<1>(form_)->walk_hook != nullptr;
}

uint64_t SortedSet::scan(uint64_t cursor, FunctionRef<void(Bytes, double)> visit) const {
  if (listpack() != nullptr) {
    for_each([&](Bytes member, double score) {
      visit(member, score);
      return true;
    });
    return 0;
  }
  return std::get<1>(form_)->by_name.scan(
      cursor, [&](const ScoredMember* entry, bool) { visit(entry->text(), entry->score); });
}

}  // namespace tandem
